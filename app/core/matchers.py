"""Alertmanager's matcher syntax: `team="fraud"`, `pod=~"a.*"`, `{a="b", "dépôt.name"!="c"}`.

Text means here what it means to Alertmanager with its default feature flags
(`matcher/compat/parse.go`): the classic parser of `pkg/labels/parse.go` has the word, and what it
cannot read is read by the UTF-8 parser of `matcher/parse`. Versions up to 0.26 have only the
classic one, so nothing they accept changes its meaning.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, Protocol, cast

import re2

from app.errors import PlantaoError

Op = Literal["=", "!=", "=~", "!~"]

# Go's unicode.IsSpace; str.isspace() would add the separators U+001C to U+001F.
_SPACE = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
_RESERVED = _SPACE + r"{}!=~,\\\"'`"

_CLASSIC = re.compile(r"[\t\n\f\r ]*([a-zA-Z_:][a-zA-Z0-9_:]*)[\t\n\f\r ]*(=~|=|!=|!~)")
_SPACES = re.compile(f"[{_SPACE}]*")
_TOKEN = re.compile(rf'[{{}},]|=~|!=|!~|=|"(?:[^"\\]|\\.)*"|[^{_RESERVED}]+', re.DOTALL)
_IS_RESERVED = re.compile(f"[{_RESERVED}]")
_ESCAPE = re.compile(
    r"\\(?:([abfnrtv\\\"])|x([0-9a-fA-F]{2})|([0-3][0-7]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|)"
)
_LETTERS = dict(zip('abfnrtv\\"', '\a\b\f\n\r\t\v\\"', strict=True))
_NAMES = {meaning: letter for letter, meaning in _LETTERS.items()}


class MatcherError(PlantaoError):
    """The text is not a matcher; `str()` says where and what was expected."""


class _BadRegex(MatcherError):
    """The syntax is right, the regular expression in it is not."""


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition on one label. A label that is missing equals the empty string.

    Regular expressions are RE2's (linear in time), anchored at both ends, and `.` matches no line
    feed, all as in Alertmanager's `pkg/labels/matcher.go`. Raises MatcherError for a bad one.
    """

    name: str
    op: Op
    value: str
    _regex: _Regex | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        regex = _compile(self.value) if self.is_regex else None
        object.__setattr__(self, "_regex", regex)

    def __reduce__(self) -> tuple[type[Matcher], tuple[str, Op, str]]:
        return Matcher, (self.name, self.op, self.value)

    def __str__(self) -> str:
        """Alertmanager's own spelling: the name is quoted only where it must be."""
        if _IS_RESERVED.search(self.name):
            return f"{_quote(self.name)}{self.op}{_quote(self.value)}"
        return f'{self.name}{self.op}"{_openmetrics_escape(self.value)}"'

    @property
    def is_regex(self) -> bool:
        """`isRegex` of Alertmanager's API."""
        return self.op in ("=~", "!~")

    @property
    def is_equal(self) -> bool:
        """`isEqual` of Alertmanager's API: false for the two negative operators."""
        return self.op in ("=", "=~")

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether the label set fulfils this condition."""
        value = labels.get(self.name, "")
        if self._regex is None:
            return (value == self.value) is self.is_equal
        # A lone surrogate has no UTF-8 form; it stands for nothing a regex could ask for.
        found = self._regex.search(value.encode("utf-8", "replace")) is not None
        return found is self.is_equal


def parse_matcher(text: str) -> Matcher:
    """Read exactly one matcher, without braces around it. Raises MatcherError."""
    if text.startswith("{") or text.endswith("}"):
        raise MatcherError(
            f"in {_shown(text)}: expected one matcher without braces around it"
            " (put a value that holds braces in double quotes)"
        )
    return _either(text, lambda given: (_classic_matcher(given),), _one_strict_matcher)[0]


def parse_matchers(text: str) -> tuple[Matcher, ...]:
    """Read matchers separated by commas, in braces or not; `{}` and `""` hold none.

    Raises MatcherError with the position of the first thing that could not be read.
    """
    return _either(text, _classic_matchers, _strict_matchers)


_Parser = Callable[[str], tuple[Matcher, ...]]


def _either(text: str, classic: _Parser, strict: _Parser) -> tuple[Matcher, ...]:
    if any("\ud800" <= char <= "\udfff" for char in text):
        raise MatcherError(
            f"in {_shown(text)}: expected valid Unicode, found half a surrogate pair"
        )
    try:
        return classic(text)
    except MatcherError as classic_problem:
        try:
            return strict(text)
        except MatcherError as problem:
            # Only the strict parser knows positions, but it has no say on a regex it cannot reach.
            worse = classic_problem if isinstance(classic_problem, _BadRegex) else problem
            raise worse from None


# --- the classic parser: label names of letters, digits, `_` and `:`; quotes optional


def _classic_matchers(text: str) -> tuple[Matcher, ...]:
    *parts, last = _split(text.removeprefix("{").removesuffix("}"))
    if last := last.strip(_SPACE):
        parts.append(last)
    return tuple(_classic_matcher(part) for part in parts)


def _split(text: str) -> list[str]:
    """Cut at the commas outside quotes, by the very rules of `labels.ParseMatchers`."""
    parts, start, quoted, escaped = [], 0, False, False
    for at, char in enumerate(text):
        if char == ",":
            if not quoted:
                parts.append(text[start:at])
                start = at + 1
        elif char == '"':
            quoted = quoted if escaped else not quoted
            escaped = False
        else:
            escaped = char == "\\" and not escaped
    return [*parts, text[start:]]


def _classic_matcher(text: str) -> Matcher:
    head = _CLASSIC.match(text)
    if head is None:
        raise MatcherError(f"in {_shown(text)}: expected a label name and an operator")
    raw = text[head.end() :].strip("\t\n\f\r ")
    if raw.startswith('"'):
        if len(raw) == 1 or not raw.endswith('"'):
            raise MatcherError(f"in {_shown(text)}: expected a closing double quote at the end")
        raw = raw[1:-1]
        if (len(raw) - len(raw.rstrip("\\"))) % 2:
            raise MatcherError(f"in {_shown(text)}: the closing double quote is escaped")
    return Matcher(head[1], cast("Op", head[2]), _classic_value(raw))


def _classic_value(raw: str) -> str:
    """Undo OpenMetrics escapes; a backslash before anything else stands for itself."""
    if re.search(r'(?<!\\)(?:\\\\)*"', raw):
        raise MatcherError(
            f"in {_shown(raw)}: expected no double quote without a backslash before it"
        )
    return re.sub(r'\\([n"\\])', lambda m: "\n" if m[1] == "n" else m[1], raw)


# --- the UTF-8 parser: any label name; names and values may be quoted as in Go


class _Token(NamedTuple):
    kind: str  # "{", "}", ",", "op", "text", or "" at the end
    text: str
    at: int  # the first character is 1


class _Tokens:
    """The tokens of one text, from first to last."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._next = 0
        self._tokens = self._scan()

    def _scan(self) -> list[_Token]:
        tokens, at = [], _end(_SPACES, self._text, 0)
        while at < len(self._text):
            found = _TOKEN.match(self._text, at)
            if found is None:
                raise self._unreadable(at)
            tokens.append(_Token(_kind(found[0]), found[0], at + 1))
            at = _end(_SPACES, self._text, found.end())
        return [*tokens, _Token("", "", at + 1)]

    def _unreadable(self, at: int) -> MatcherError:
        if self._text[at] == '"':
            return self.problem(at + 1, "expected a closing double quote for the one opened here")
        if self._text[at] == "!":
            return self.problem(at + 1, "expected '!=' or '!~'")
        return self.problem(
            at + 1, f"expected no {self._text[at]!r} here (put names and values in double quotes)"
        )

    def problem(self, at: int, message: str) -> MatcherError:
        return MatcherError(f"at character {at} of {_shown(self._text)}: {message}")

    def peek(self) -> str:
        return self._tokens[self._next].kind

    def take(self, kind: str, expected: str) -> _Token:
        token = self._tokens[self._next]
        if token.kind != kind:
            found = f"found {_shown(token.text)}" if token.kind else "found the end"
            raise self.problem(token.at, f"expected {expected}, {found}")
        self._next += 1
        return token


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    return found.end() if found else at


def _kind(text: str) -> str:
    if text in ("{", "}", ","):
        return text
    return "op" if text in ("=", "!=", "=~", "!~") else "text"


def _one_strict_matcher(text: str) -> tuple[Matcher, ...]:
    matchers = _strict_matchers(text)
    if len(matchers) != 1:
        raise MatcherError(
            f"in {_shown(text)}: expected one matcher, found {len(matchers) or 'none'}"
        )
    return matchers


def _strict_matchers(text: str) -> tuple[Matcher, ...]:
    tokens, matchers = _Tokens(text), []
    braces = tokens.peek() == "{"
    if braces:
        tokens.take("{", "an opening brace")
    closing = "}" if braces else ""
    while tokens.peek() != closing:
        matchers.append(_strict_matcher(tokens))
        if tokens.peek() != closing:
            tokens.take(",", "a comma or a closing brace" if braces else "a comma")
    if braces:
        tokens.take("}", "a closing brace")
    tokens.take("", "the end")
    return tuple(matchers)


def _strict_matcher(tokens: _Tokens) -> Matcher:
    name = _unquote(tokens, tokens.take("text", "a label name"))
    if not name:
        raise MatcherError('expected a label name, found ""')
    op = tokens.take("op", "an operator such as '=', '!=', '=~' or '!~'")
    value = _unquote(tokens, tokens.take("text", "a label value"))
    return Matcher(name, cast("Op", op.text), value)


def _unquote(tokens: _Tokens, token: _Token) -> str:
    """What Go's strconv.Unquote makes of a quoted token; others stand for themselves."""
    if not token.text.startswith('"'):
        return token.text
    inside = token.text[1:-1]
    if "\n" in inside:
        raise tokens.problem(token.at, r"expected '\n' in place of a line break inside quotes")
    out, done = bytearray(), 0
    for escape in _ESCAPE.finditer(inside):
        out += inside[done : escape.start()].encode()
        try:
            out += _unescape(escape)
        except (ValueError, OverflowError):
            at = token.at + 1 + escape.start()
            raise tokens.problem(at, r"expected an escape such as '\"', '\\' or '\n'") from None
        done = escape.end()
    out += inside[done:].encode()
    try:
        return out.decode()
    except UnicodeDecodeError:
        raise tokens.problem(token.at, "expected escapes that make up valid UTF-8") from None


def _unescape(escape: re.Match[str]) -> bytes:
    """The bytes one escape stands for; ValueError or OverflowError if it stands for none."""
    letter, hexadecimal, octal, short, long = escape.groups()
    if letter:
        return _LETTERS[letter].encode()
    if hexadecimal or octal:
        return bytes([int(hexadecimal, 16) if hexadecimal else int(octal, 8)])
    return chr(int(short or long or "", 16)).encode()


# --- spelling and regular expressions


def _shown(text: str) -> str:
    return repr(text if len(text) <= 80 else f"{text[:80]}…")  # noqa: PLR2004


def _openmetrics_escape(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")


def _quote(text: str) -> str:
    """Go's strconv.Quote."""
    return '"' + "".join(_quoted(char) for char in text) + '"'


def _quoted(char: str) -> str:
    if char in _NAMES:
        return "\\" + _NAMES[char]
    if char.isprintable():
        return char
    if char.isascii():
        return f"\\x{ord(char):02x}"
    return f"\\u{ord(char):04x}" if char <= "\uffff" else f"\\U{ord(char):08x}"


class _Regex(Protocol):
    def search(self, text: bytes) -> object | None: ...


_OPTIONS = re2.Options()
_OPTIONS.log_errors = False  # RE2 would write each bad pattern to stderr


def _compile(value: str) -> _Regex:
    try:
        return cast("_Regex", re2.compile(f"^(?:{value})$".encode(), _OPTIONS))
    except UnicodeEncodeError:
        raise _BadRegex("bad regular expression: half a surrogate pair") from None
    except re2.error as error:
        raise _BadRegex(f"bad regular expression {_shown(value)}: {_why(value, error)}") from None


def _why(value: str, error: Exception) -> str:
    """RE2's reason, told of the pattern as written rather than of the anchored one."""
    try:
        re2.compile(value.encode(), _OPTIONS)
    except re2.error as plain:
        error = plain
    reason = error.args[0]
    text = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
    return text[:120]
