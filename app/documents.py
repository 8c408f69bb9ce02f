"""A YAML file as plain data that knows the line of each of its parts, and what is wrong with it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args, get_origin

import yaml
from pydantic import BaseModel, ValidationError

from app.errors import ConfigError, ConfigProblem

if TYPE_CHECKING:
    from pathlib import Path

    from pydantic_core import ErrorDetails

KeyPath = tuple[str | int, ...]

# Enough for thousands of routes; aliases that multiply each other are beyond it at once.
_MOST_BYTES = 2**20
_MOST_PARTS = 50_000

_MERGE = "tag:yaml.org,2002:merge"
_PLAIN_TAGS = {"tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"}


@dataclass(frozen=True, slots=True)
class Document:
    """What a file holds: mappings with text keys, tuples, and YAML's plain values."""

    file: str
    data: object
    lines: Mapping[KeyPath, int]
    problems: tuple[ConfigProblem, ...]

    def problem(self, path: KeyPath, message: str) -> ConfigProblem:
        """A problem at this key, on its line or on that of the nearest key around it."""
        near = path
        while near and near not in self.lines:
            near = near[:-1]
        return ConfigProblem(self.file, self.lines.get(near), spell(path), message)

    def complaints(self, error: ValidationError, model: type[BaseModel]) -> Iterator[ConfigProblem]:
        """What pydantic found wrong with the data, in plain sentences."""
        for details in error.errors(include_url=False):
            if _counts_only_what_is_right(details):
                continue
            path = tuple(part for part in details["loc"] if part != "[key]")
            yield self.problem(path, _sentence(details, path, model))


def spell(path: KeyPath) -> str:
    """The key as people write it: `routes.routes[0].matchers[1]`."""
    names = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return "".join('.""' if name == "." else name for name in names).removeprefix(".")


def describe(value: object) -> str:
    """What was found, in the words of a YAML file."""
    match value:
        case None:
            return "nothing"
        case bool():
            return str(value).lower()
        case str():
            return repr(value if len(value) <= 60 else f"{value[:60]}…")  # noqa: PLR2004
        case Mapping():
            return "a mapping"
        case tuple() | list():
            return "a list"
        case _:
            return str(value)[:60]


def nearest(name: str, known: Iterable[str]) -> str:
    """A question to add to a message if a known name resembles this one, or nothing."""
    found = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {found[0]!r}?" if found else ""


def read_document(path: Path) -> Document:
    """Read one YAML document. Raises ConfigError if there is nothing to go on with.

    Duplicate keys and the like are listed in `problems`. Anchors and merge keys may be used.
    """
    file = str(path)
    text = _decode(file, _read(path))
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        return _Reader(file).document(node)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        why = ", ".join(part for part in (error.context, error.problem) if part)
        raise _unusable(file, f"is not YAML: {why}", mark.line + 1 if mark else None) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise _unusable(file, f"is not YAML: {error.reason}", line) from None
    except RecursionError:
        raise _unusable(file, "is nested too deeply, or an alias refers to itself") from None


def _unusable(file: str, message: str, line: int | None = None) -> ConfigError:
    return ConfigError(ConfigProblem(file, line, "", message))


def _read(path: Path) -> bytes:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise _unusable(str(path), f"cannot be read: {error.strerror}") from None
    if len(content) > _MOST_BYTES:
        raise _unusable(str(path), f"is larger than {_MOST_BYTES // 1024} KiB")
    return content


def _decode(file: str, content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise _unusable(file, "is not UTF-8 text", line) from None


class _Reader:
    """Turns YAML's nodes into plain data; PyYAML's own way there forgets lines and duplicates."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._lines: dict[KeyPath, int] = {}
        self._problems: list[ConfigProblem] = []
        self._parts = 0
        self._scalars = yaml.constructor.SafeConstructor()

    def document(self, node: yaml.Node | None) -> Document:
        data = None if node is None else self._plain(node, ())
        return Document(self._file, data, self._lines, tuple(self._problems))

    def _complain(self, node: yaml.Node, path: KeyPath, message: str) -> None:
        line = node.start_mark.line + 1
        self._problems.append(ConfigProblem(self._file, line, spell(path), message))

    def _plain(self, node: yaml.Node, path: KeyPath) -> object:
        self._parts += 1
        if self._parts > _MOST_PARTS:
            raise _unusable(self._file, f"holds more than {_MOST_PARTS} values, aliases expanded")
        # Set by the key where there is one: what an alias stands for is written elsewhere.
        self._lines.setdefault(path, node.start_mark.line + 1)
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, path)
        if node.tag not in _PLAIN_TAGS:
            self._complain(node, path, f"unknown tag {node.tag}")
        if isinstance(node, yaml.SequenceNode):
            return tuple(self._plain(item, (*path, at)) for at, item in enumerate(node.value))
        return self._mapping(node, path)

    def _scalar(self, node: yaml.ScalarNode, path: KeyPath) -> object:
        try:
            value: object = self._scalars.construct_object(node)
        except (yaml.YAMLError, ValueError):
            self._complain(node, path, f"cannot be read as {node.tag.rpartition(':')[2]}")
            return node.value
        return value

    def _mapping(self, node: yaml.Node, path: KeyPath) -> dict[str, object]:
        values: dict[str, object] = {}
        merged: list[yaml.Node] = []
        first: dict[str, int] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if key.tag == _MERGE:
                merged += value.value if isinstance(value, yaml.SequenceNode) else [value]
            elif not isinstance(key, yaml.ScalarNode):
                self._complain(key, path, "expected a key that is text")
            elif key.value in first:
                place = f"it is already set on line {first[key.value]}"
                self._complain(key, (*path, key.value), f"duplicate key: {place}")
            else:
                first[key.value] = line
                self._lines.setdefault((*path, key.value), line)
                values[key.value] = self._plain(value, (*path, key.value))
        return self._merge(merged, path) | values

    def _merge(self, nodes: list[yaml.Node], path: KeyPath) -> dict[str, object]:
        """What `<<` brings in: of several mappings the first has the word."""
        values: dict[str, object] = {}
        for node in nodes:
            if isinstance(node, yaml.MappingNode):
                found = self._plain(node, path)
                values = found | values if isinstance(found, dict) else values
            else:
                self._complain(node, (*path, "<<"), "expected an alias of a mapping")
        return values


def _counts_only_what_is_right(details: ErrorDetails) -> bool:
    """Of a list with wrong entries pydantic also says that it has too few: without these."""
    if details["type"] != "too_short":
        return False
    least: int = details["ctx"]["min_length"]
    return len(details["input"]) >= least


def _sentence(details: ErrorDetails, path: KeyPath, model: type[BaseModel]) -> str:
    context = details.get("ctx", {})
    match details["type"]:
        case "value_error":
            return str(context["error"])
        case "extra_forbidden":
            return f"unknown key{nearest(str(path[-1]), _known_keys(model, path[:-1]))}"
        case "missing":
            return "expected this key, found nothing"
        case kind:
            expected = _EXPECTED.get(kind) or context.get("expected") or details["msg"]
            return f"expected {expected}, found {describe(details['input'])}"


_EXPECTED = {
    "string_type": "text (in quotes, if it looks like something else)",
    "string_too_short": "text that is not empty",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "too_short": "at least one entry",
    "model_type": "a mapping of keys to values",
    "mapping_type": "a mapping of names to values",
    "dict_type": "a mapping of names to values",
}


def _known_keys(model: type[BaseModel], path: KeyPath) -> list[str]:
    """The keys that may stand at this path of a file that the model describes."""
    parts = iter(path)
    for part in parts:
        annotation = _fields(model).get(str(part))
        if annotation is not None:
            model = _model_in(annotation) or model
            if get_origin(annotation) is Mapping:
                next(parts, None)  # a name that people chose
    return list(_fields(model))


def _fields(model: type[BaseModel]) -> dict[str, Any]:
    return {field.alias or name: field.annotation for name, field in model.model_fields.items()}


def _model_in(annotation: object) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found = (_model_in(part) for part in get_args(annotation))
    return next((model for model in found if model), None)
