"""Notices in which all that comes from outside is in Greek letters: what is not, we have said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from string import ascii_lowercase
from typing import Any, TypeVar

Known = TypeVar("Known")

_GREEK = "αβψδεφγηιξκλμνοπχρστθωςζυω"
_TABLE = str.maketrans(ascii_lowercase + ascii_lowercase.upper(), _GREEK + _GREEK.upper())

#: The fields that hold what senders, sources and people say. All others are ours and are left as
#: they are: that a new field's text is from outside has to be said here before it may be shown.
_OUTSIDE = {
    "Incident": {"title", "receivers", "labels", "annotations", "group_labels"}
    | {"acknowledged_by", "assigned_to", "resolved_by", "replies_muted_by"},
    "Alert": {"labels", "annotations"},
    "Entry": {"actor"},
    "Rule": {"name", "group", "expression"},
    "Measured": {"expression", "targets_down", "also_firing"},
    "SeriesValue": {"labels"},
    "Served": {"name", "alias", "versions"},
    "ModelVersion": {"version", "run_id", "registered_by", "metrics"},
    "Change": {"source", "kind", "title", "labels"},
    "Earlier": {"last_note", "last_note_by"},
    "Neighbour": {"title", "component"},
    "Notice": {"first_steps"},
    "Silence": {"by", "comment", "matchers"},
    "Matcher": {"name", "value"},
}
_DATA = frozenset({"text", "title", "author", "comment", "by", "to", "matchers", "destination"})
_OURS = frozenset({"alertmanager", "plantao", "email", "slack", "console"})
_KEYS = frozenset({"also_firing", "metrics"})  # mappings whose keys are shown as well


def foreign(value: Known) -> Known:
    """The same, with all of `_OUTSIDE` in it in Greek letters."""
    found: Known = _walk(value)
    return found


def _walk(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        kind = type(value).__name__
        outside = _OUTSIDE.get(kind, set())
        changed = {}
        for each in (one for one in fields(value) if one.init):
            own = getattr(value, each.name)
            if kind == "Entry" and each.name == "data":
                changed[each.name] = {k: greek(v) if k in _DATA else v for k, v in own.items()}
            else:
                by_us = each.name in outside
                changed[each.name] = greek(own, keys=each.name in _KEYS) if by_us else _walk(own)
        return replace(value, **changed)
    if isinstance(value, Mapping):
        return {key: _walk(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_walk(each) for each in value)
    return value


def greek(value: Any, *, keys: bool = False) -> Any:
    """Text in Greek letters, also within lists and mappings; addresses stay addresses."""
    if isinstance(value, Enum):
        return value
    if isinstance(value, str):
        ours = value in _OURS or value.startswith(("http://", "https://"))
        return value if ours else value.translate(_TABLE)
    if isinstance(value, Mapping):
        return {greek(k) if keys else k: greek(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(greek(each) for each in value)
    return _walk(value)
