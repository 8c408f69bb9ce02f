"""`plantao.yml`: receivers, routes, models, topology and the few numbers people may change.

Every problem in the file is reported at once, each with its line, its key and what was expected.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import time, timedelta
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, model_validator

from app.config_exporter import Exporter
from app.core.matchers import Matcher, MatcherError, parse_matchers
from app.core.routing import ALL_LABELS, Route
from app.documents import Document, KeyPath, describe, nearest, read_document
from app.errors import ConfigError, ConfigProblem
from app.sections import Duration as _Duration
from app.sections import Period as _Period
from app.sections import Section as _Section
from app.sections import Text as _Text
from app.values import Locale, check_channel, check_email, check_http_url

Edge = tuple[str, str]

# --- what the file may hold


def _channel(value: object) -> str:
    if isinstance(value, str):
        return check_channel(value)
    # An unquoted # begins a comment, so that YAML sees nothing.
    raise ValueError(f'expected a channel in quotes such as "#plantao", found {describe(value)}')


def _time_of_day(value: object) -> time:
    with suppress(ValueError):
        if isinstance(value, str) and re.fullmatch(r"\d\d:\d\d", value):
            return time.fromisoformat(value)
    # Without quotes, YAML reads some of them as numbers.
    raise ValueError(f'expected a time of day in quotes such as "09:00", found {describe(value)}')


def _matchers(text: str) -> str:
    try:
        found = parse_matchers(text)
    except MatcherError as error:
        raise ValueError(str(error)) from None
    if not found:
        raise ValueError(f'expected a matcher such as severity="critical", found {text!r}')
    return text


def _emoji(name: str) -> str:
    if not re.fullmatch(r":?[a-z0-9_+'-]+:?", name):
        raise ValueError(f"expected the name of an emoji such as pushpin, found {name!r}")
    return name.strip(":")


def _group_by(names: tuple[str, ...]) -> tuple[str, ...]:
    if ALL_LABELS[0] in names and names != ALL_LABELS:
        raise ValueError("expected '...' (all labels) to stand alone")
    if "" in names or len(set(names)) != len(names):
        raise ValueError("expected different label names, none of them empty")
    return names


def _edges(text: str) -> str:
    if "->" not in text or not all(_chain(text)):
        raise ValueError(f"expected components and arrows such as 'kafka -> spark', found {text!r}")
    return text


def _chain(text: str) -> list[str]:
    return [name.strip() for name in text.split("->")]


_MatcherTexts = tuple[Annotated[str, AfterValidator(_matchers)], ...]


class SlackTarget(_Section):
    """Where in Slack: `#name` or a channel's id."""

    channel: Annotated[str, BeforeValidator(_channel)]


class EmailTarget(_Section):
    """To whom by email; one message goes to all of them."""

    to: Annotated[tuple[Annotated[str, AfterValidator(check_email)], ...], Field(min_length=1)]


class Receiver(_Section):
    """A named set of destinations; `locale` overrides the process setting."""

    slack: SlackTarget | None = None
    email: EmailTarget | None = None
    console: bool = False
    locale: Locale | None = None

    @model_validator(mode="after")
    def _has_a_destination(self) -> Receiver:
        if not (self.slack or self.email or self.console):
            raise ValueError("expected at least one destination: slack, email or console: true")
        return self


class RouteEntry(_Section):
    """One route as written; `Config.root_route` gives the tree that routing uses."""

    receiver: _Text | None = None
    matchers: _MatcherTexts = ()
    group_by: Annotated[tuple[str, ...], AfterValidator(_group_by)] | None = None
    continue_: bool = Field(default=False, alias="continue")
    routes: tuple[RouteEntry, ...] = ()

    def tree(self, location: str) -> Route:
        """The core's form of this route and all below it."""
        return Route(
            receiver=self.receiver,
            matchers=_parsed(self.matchers),
            group_by=self.group_by,
            continue_=self.continue_,
            routes=tuple(
                route.tree(f"{location}.routes[{at}]") for at, route in enumerate(self.routes)
            ),
            location=location,
        )


class ModelEntry(_Section):
    """A registered model whose alerts the matchers pick out; without matchers, all alerts."""

    name: _Text
    alias: _Text = "champion"
    matchers: _MatcherTexts = ()


class Retention(_Section):
    """How long receipts, and incidents after they were resolved, are kept."""

    receipts: _Period = timedelta(days=90)
    incidents: _Period = timedelta(days=90)


class Verify(_Section):
    """How often we compare with Alertmanager, and after how long we settle what it left open.

    What it lists for `missed_after` (its group_wait, and some) without a webhook was missed.
    What it has not listed for `orphan_after`, or longer where its group_interval is, is over.
    """

    every: _Period = timedelta(seconds=15)
    missed_after: _Period = timedelta(seconds=45)
    orphan_after: _Period = timedelta(seconds=60)
    stale_after: _Period = timedelta(hours=5)
    confirm_within: _Period = timedelta(seconds=60)


class Context(_Section):
    """What is asked about an incident: for how long, and how far back."""

    deadline: _Period = timedelta(seconds=3)
    changes_within: _Period = timedelta(hours=2)
    watch_every: _Period = timedelta(seconds=30)
    serving_gauge: _Text = "fraud_model_info"


class Silences(_Section):
    """When to warn of a silence's end, and the longest that may be asked for here."""

    warn_before: _Period = timedelta(minutes=10)
    longest: _Period = timedelta(days=30)


class Digest(_Section):
    """Who gets the week's figures, and when: on that day, at that time of PLANTAO_TIMEZONE."""

    receiver: _Text
    day: Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"] = (
        "monday"
    )
    at: Annotated[time, BeforeValidator(_time_of_day)] = time(9)


class Runbooks(_Section):
    """Where runbooks are, if not in the service itself; no slash at the end."""

    base_url: Annotated[str, AfterValidator(check_http_url)] | None = None


class SlackSide(_Section):
    """Who may act from Slack (user groups by handle or id; none means everybody), and the
    emoji that makes a message in a thread a note."""

    allowed_usergroups: tuple[_Text, ...] = ()
    note_emoji: Annotated[str, AfterValidator(_emoji)] = "pushpin"


class Privacy(_Section):
    """Whether personal data and secrets are masked where they are shown, and what is neither.

    `keep` holds texts as they are written, or "@domain" for all addresses of one.
    """

    mask: bool = True
    keep: tuple[_Text, ...] = ()


class AlertmanagerSide(_Section):
    """The names Alertmanager has for the receivers that notify us; none means all."""

    receivers: tuple[_Text, ...] = ()


@dataclass(frozen=True, slots=True)
class ModelRef:
    """A registered model, and which alerts concern it."""

    name: str
    alias: str
    matchers: tuple[Matcher, ...]

    def concerns(self, labels: Mapping[str, str]) -> bool:
        """Whether an alert with these labels is about this model."""
        return all(matcher.matches(labels) for matcher in self.matchers)


class Config(_Section):
    """The whole file. Made by `load` or `default_config`, it has at least one receiver."""

    receivers: Mapping[_Text, Receiver] = Field(default_factory=dict)
    routes: RouteEntry | None = None
    models: tuple[ModelEntry, ...] = ()
    topology: tuple[Annotated[str, AfterValidator(_edges)], ...] = ()
    reopen_within: _Duration = timedelta(minutes=30)
    runbooks: Runbooks = Runbooks()
    retention: Retention = Retention()
    verify: Verify = Verify()
    context: Context = Context()
    silences: Silences = Silences()
    digest: Digest | None = None
    alertmanager: AlertmanagerSide = AlertmanagerSide()
    slack: SlackSide = SlackSide()
    privacy: Privacy = Privacy()
    exporter: Exporter = Exporter()

    def root_route(self) -> Route:
        """The route tree; without `routes`, everything goes to the first receiver."""
        if self.routes is None:
            return Route(next(iter(self.receivers)))
        return self.routes.tree("routes")

    def model_refs(self) -> tuple[ModelRef, ...]:
        """The models, with their matchers ready to use."""
        return tuple(ModelRef(m.name, m.alias, _parsed(m.matchers)) for m in self.models)

    def edges(self) -> tuple[Edge, ...]:
        """The topology as (upstream, downstream) pairs, each once; it has no cycle."""
        return tuple(dict.fromkeys(edge for text in self.topology for edge in _pairs(text)))


def _parsed(texts: Sequence[str]) -> tuple[Matcher, ...]:
    return tuple(matcher for text in texts for matcher in parse_matchers(text))


def _pairs(text: str) -> list[Edge]:
    return list(pairwise(_chain(text)))


def default_config(*, slack_channel: str | None, email_to: Sequence[str]) -> Config:
    """What holds without a file: one receiver of what the environment names, and the console."""
    receiver = Receiver(
        slack=SlackTarget(channel=slack_channel) if slack_channel else None,
        email=EmailTarget(to=tuple(email_to)) if email_to else None,
        console=True,
    )
    return Config(receivers={"default": receiver})


def load(path: Path, defaults: Config | None = None) -> Config:
    """Read the file. Raises ConfigError with every problem in it, in the order of its lines.

    A file without `receivers` gets those of `defaults` (see `default_config`).
    """
    document = read_document(path)
    data = document.data if document.data is not None else {}
    if not isinstance(data, dict):
        message = f"expected keys such as receivers and routes, found {describe(data)}"
        raise ConfigError(document.problem((), message))
    # A key with nothing after it is as good as absent.
    data = {key: value for key, value in data.items() if value is not None}
    defaults = defaults or default_config(slack_channel=None, email_to=())
    problems = [*document.problems, *_references(document, data, defaults)]
    try:
        config = Config.model_validate(data)
    except ValidationError as error:
        problems += document.complaints(error, Config)
    if problems:
        raise ConfigError(*sorted(dict.fromkeys(problems), key=lambda problem: problem.line or 0))
    return (
        config if config.receivers else config.model_copy(update={"receivers": defaults.receivers})
    )


# --- what one part of the file says about another; the parts may still be of any shape


def _references(
    document: Document, data: Mapping[str, object], defaults: Config
) -> Iterator[ConfigProblem]:
    receivers = data.get("receivers") or defaults.receivers
    root = data.get("routes")
    if isinstance(root, dict):
        yield from _root_problems(document, root)
        if isinstance(receivers, Mapping):
            yield from _unknown_receivers(document, root, ("routes",), list(receivers))
    digest = data.get("digest")
    if isinstance(digest, dict) and isinstance(receivers, Mapping):
        yield from _unknown_receiver(document, digest, ("digest",), list(receivers))
    topology = data.get("topology")
    if isinstance(topology, tuple):
        yield from _cycle(document, topology)


def _root_problems(document: Document, root: Mapping[str, object]) -> Iterator[ConfigProblem]:
    """What Alertmanager refuses of a root route, too (`config/config.go`)."""
    if root.get("receiver") is None:
        yield document.problem(("routes",), "expected a receiver: the first route must name one")
    for key in ("matchers", "continue"):
        if root.get(key):
            message = "expected no such key here: the first route takes every alert, and is alone"
            yield document.problem(("routes", key), message)


def _unknown_receivers(
    document: Document, route: Mapping[str, object], path: KeyPath, known: Sequence[str]
) -> Iterator[ConfigProblem]:
    yield from _unknown_receiver(document, route, path, known)
    children = route.get("routes")
    for at, child in enumerate(children if isinstance(children, tuple) else ()):
        if isinstance(child, dict):
            yield from _unknown_receivers(document, child, (*path, "routes", at), known)


def _unknown_receiver(
    document: Document, naming: Mapping[str, object], path: KeyPath, known: Sequence[str]
) -> Iterator[ConfigProblem]:
    name = naming.get("receiver")
    if isinstance(name, str) and name not in known:
        message = f"expected one of the receivers ({', '.join(known)}), found {describe(name)}"
        yield document.problem((*path, "receiver"), message + nearest(name, known))


def _cycle(document: Document, topology: Sequence[object]) -> Iterator[ConfigProblem]:
    pairs = [_pairs(text) if isinstance(text, str) else [] for text in topology]
    sorter: TopologicalSorter[str] = TopologicalSorter()
    for upstream, downstream in (pair for group in pairs for pair in group):
        sorter.add(downstream, upstream)
    try:
        sorter.prepare()
    except CycleError as error:
        names: list[str] = error.args[1]
        cycle = set(pairwise(names))
        last = max(at for at, group in enumerate(pairs) if cycle & set(group))
        message = f"expected no cycle, found {' -> '.join(names)}"
        yield document.problem(("topology", last), message)
