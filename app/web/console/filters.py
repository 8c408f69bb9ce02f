"""A view of the log is its query string, the API's own: links that add to it and take from it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from app.notifiers.wording import N_, Words

Params = Sequence[tuple[str, str]]

_TABS = (
    (N_("Open"), ("triggered", "acknowledged")),
    (N_("Triggered"), ("triggered",)),
    (N_("Acknowledged"), ("acknowledged",)),
    (N_("Resolved"), ("resolved",)),
    (N_("All"), ()),
)
#: The fields of the form, by the name of the filter in the API.
_FIELDS = (
    ("severity", N_("Severity"), "critical"),
    ("alertname", N_("Alert name"), "KafkaConsumerLag"),
    ("component", N_("Component"), "kafka"),
    ("receiver", N_("Receiver"), "fraud-oncall"),
    ("model", N_("Model"), "pix-fraud"),
    ("model_version", N_("Model version"), "3"),
    ("matcher", N_("Matcher"), 'pod=~"scoring-.*"'),
    ("opened_after", N_("Opened after"), "2h"),
    ("opened_before", N_("Opened before"), "2026-11-23T03:00Z"),
)
_SORTS = (
    ("-opened_at", N_("Newest first")),
    ("opened_at", N_("Oldest first")),
    ("-updated_at", N_("Last changed first")),
    ("severity", N_("Worst first")),
)
_NAMES = {"q": N_("Text"), **{name: label for name, label, _ in _FIELDS}}
#: What is neither a filter nor an order: where in the view one is, and what was done last.
_PLACES = {"cursor", "done"}


@dataclass(frozen=True, slots=True)
class Tab:
    name: str
    link: str
    current: bool


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter in force; `without` is the view without it."""

    name: str
    value: str
    without: str


@dataclass(frozen=True, slots=True)
class Field:
    key: str
    name: str
    example: str


@dataclass(frozen=True, slots=True)
class Bar:
    """What stands above the list. `kept` is what the forms send along."""

    tabs: Sequence[Tab]
    chips: Sequence[Chip]
    fields: Sequence[Field]
    sorts: Sequence[tuple[str, str]]
    sort: str
    text: str
    kept: Params


def bar(words: Words, params: Params) -> Bar:
    """The tabs, chips and fields of a view."""
    view = without_place(params)
    statuses = {value for name, value in view if name == "status"}
    others = [(name, value) for name, value in view if name != "status"]
    return Bar(
        tabs=[
            Tab(words.say(name), link([("status", each) for each in these] + others), current)
            for name, these in _TABS
            for current in [set(these) == statuses]
        ],
        chips=[
            Chip(words.say(_NAMES[name]), value, link(_without(view, name, value)))
            for name, value in others
            if name in _NAMES
        ],
        fields=[Field(key, words.say(name), example) for key, name, example in _FIELDS],
        sorts=[(key, words.say(name)) for key, name in _SORTS],
        sort=_last(view, "sort") or _SORTS[0][0],
        text=_last(view, "q"),
        kept=[(name, value) for name, value in view if name not in {"q", "sort"}],
    )


def link(params: Params) -> str:
    """A view's address, relative to any other view."""
    return f"?{urlencode(params)}"


def beyond(params: Params, cursor: str) -> str:
    """The next page of a view."""
    return link([*without_place(params), ("cursor", cursor)])


def without_place(params: Params) -> Params:
    """The view from its beginning."""
    return [(name, value) for name, value in params if name not in _PLACES]


def tidy(params: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Without the fields that a form left empty, and what it says twice."""
    return list(dict.fromkeys((name, value) for name, value in params if value.strip()))


def _without(view: Params, name: str, value: str) -> Params:
    return [each for each in view if each != (name, value)]


def _last(view: Params, name: str) -> str:
    return next((value for key, value in reversed(view) if key == name), "")
