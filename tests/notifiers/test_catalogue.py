"""Every message has its translation, and every translation its message."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po
from jinja2 import Environment, nodes

from app.engine import verify
from app.notifiers.wording import words
from tests.notifiers.samples import ZONE

APP = Path(__file__).parents[2] / "app"


def in_code() -> Iterator[str | tuple[str, ...]]:
    """Every message that we can say to people."""
    rooms = ("notifiers", "slack", "web")
    for path in sorted(path for room in rooms for path in (APP / room).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and (said := _said(node)):
                yield said
    yield from in_templates()


def in_templates() -> Iterator[str | tuple[str, ...]]:
    """What templates say themselves, by `say` and `count`."""
    for path in sorted((APP / "web" / "templates").rglob("*.html")):
        for call in (
            Environment(autoescape=True)
            .parse(path.read_text(encoding="utf-8"))
            .find_all(nodes.Call)
        ):
            name = call.node.name if isinstance(call.node, nodes.Name) else ""
            texts = tuple(each.value for each in call.args if isinstance(each, nodes.Const))
            if name == "count":
                yield texts[:2]
            elif name == "say":
                yield texts[0]


def _said(call: ast.Call) -> str | tuple[str, ...] | None:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    name = call.func.id if isinstance(call.func, ast.Name) else name
    texts = tuple(
        each.value
        for each in call.args
        if isinstance(each, ast.Constant) and isinstance(each.value, str)
    )
    if name == "count" and len(texts) > 1:
        return texts[:2]
    return texts[0] if name in {"say", "N_"} and texts else None


def catalogue() -> Catalog:
    with (APP / "locales" / "pt_BR.po").open("rb") as file:
        return read_po(file, abort_invalid=True)


def translated() -> list[Message]:
    return [message for message in catalogue() if message.id]


def forms(text: str | tuple[str, ...] | list[str] | None) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text or ())


def names(text: str) -> set[str]:
    return set(re.findall(r"{(\w*)}", text))


def test_every_message_is_translated_and_no_translation_is_left_over() -> None:
    assert {forms(message.id) for message in translated()} == {forms(said) for said in in_code()}
    assert not catalogue().obsolete


def test_no_translation_is_empty_or_unsure() -> None:
    for message in translated():
        assert all(form.strip() for form in forms(message.string)), message.id
        assert not message.fuzzy, message.id


#: What is the same in both languages, or what operators in Brazil call it.
SAME = {"Labels", "Matchers", "INFO", "Runbook", "Alertmanager", "Prometheus", "MLflow", "Run:"}
SAME |= {"Token", "Matcher", "Webhooks"}
SAME |= {"{count} d", "{count} h", "{count} min", "{count} s", "Challenger: v{version}"}


def test_no_translation_is_english() -> None:
    assert {m.id for m in translated() if m.id == m.string} == SAME


def test_translations_hold_the_same_placeholders() -> None:
    for message in translated():
        for original, form in zip(forms(message.id), forms(message.string), strict=True):
            assert names(original) == names(form), message.id


def test_there_are_as_many_plural_forms_as_the_language_has() -> None:
    assert catalogue().num_plurals == 2
    assert words("pt-BR", ZONE).count("{count} resolved", "{count} resolved", 0) == "0 resolvido"


def test_the_reasons_of_the_engine_are_known() -> None:
    for reason in (verify.GONE, verify.SOURCE_DEAD, "nothing was heard of it for 1h"):
        assert words("pt-BR", ZONE).reason(reason) != reason
        assert words("en", ZONE).reason(reason) == reason
    assert words("pt-BR", ZONE).reason("another reason") == "another reason"
