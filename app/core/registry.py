"""The model registry: what it says, and what changed in it.

MLflow keeps no time for alias moves, so what changed is found by comparing what it says now
with what it said before, and heard of through its webhooks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from urllib.parse import quote

from app.core.facts import Change

SOURCE = "mlflow"


class Kind(StrEnum):
    """The kinds of change in a registry."""

    MODEL_CREATED = "model_created"
    MODEL_DELETED = "model_deleted"
    VERSION_CREATED = "version_created"
    VERSION_DELETED = "version_deleted"
    STAGE_CHANGED = "stage_changed"
    TAG_SET = "tag_set"
    TAG_DELETED = "tag_deleted"
    ALIAS_MOVED = "alias_moved"
    ALIAS_DELETED = "alias_deleted"


# --- what the registry says


@dataclass(frozen=True, slots=True)
class VersionState:
    """One version. `stage` is "" for MLflow's "None"; times are the registry's, in UTC."""

    stage: str = ""
    created_at: datetime | None = None
    updated_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ModelState:
    """One registered model: its versions by number, and the version of each alias."""

    versions: Mapping[str, VersionState] = field(default_factory=dict)
    aliases: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RegistryState:
    """What the registry said at one moment, about the models it was asked for.

    `names` are those; None: about all. Plain data, fit to be kept as JSON.
    """

    models: Mapping[str, ModelState] = field(default_factory=dict)
    names: tuple[str, ...] | None = None

    def knows(self, name: str) -> bool:
        """Whether a model that is not in `models` is known not to exist."""
        return self.names is None or name in self.names


def page(url: str, model: str, version: str = "") -> str | None:
    """MLflow's page of a model or version; None without MLflow's address."""
    path = f"{url}/#/models/{quote(model, safe='')}"
    return (path + (f"/versions/{quote(version, safe='')}" if version else "")) if url else None


# --- what changed


def differences(
    before: RegistryState,
    after: RegistryState,
    *,
    at: datetime,
    since: datetime | None = None,
    url: str = "",
) -> list[Change]:
    """What changed between two answers, the second from `at`; the oldest first.

    Versions and stages have the registry's own time; all else has `at`, and came after the
    first answer, which was from `since`. A model that only one of the two was asked about has
    not changed. `url` is MLflow's, for links.
    """
    names = (
        name
        for name in sorted({*before.models, *after.models})
        if before.knows(name) and after.knows(name)
    )
    found = [
        change
        for name in names
        for change in _in_model(name, before.models.get(name), after.models.get(name), at, url)
    ]
    dated = (replace(each, not_before=since) if each.at == at else each for each in found)
    return sorted(dated, key=lambda change: change.at)


def _in_model(
    name: str, before: ModelState | None, after: ModelState | None, at: datetime, url: str
) -> Iterator[Change]:
    if before is None:
        yield model_created(name, at=at, url=url)
    old, new = before or ModelState(), after or ModelState()
    # Of a deleted model one entry tells enough; its aliases matter for who serves.
    if after is not None:
        yield from _in_versions(name, old, new, at, url)
    yield from _in_aliases(name, old, new, at, url)
    if after is None:
        yield _change(Kind.MODEL_DELETED, f"{name}: deleted", at, {"model": name})


def _in_versions(
    name: str, old: ModelState, new: ModelState, at: datetime, url: str
) -> Iterator[Change]:
    for version in sorted({*old.versions, *new.versions}, key=by_number):
        was, now = old.versions.get(version), new.versions.get(version)
        if was is None and now is not None:
            yield version_created(name, version, at=_known(now.created_at, at), url=url)
        elif now is None:
            labels = {"model": name, "version": version}
            title = f"{name}: version {version} deleted"
            yield _change(Kind.VERSION_DELETED, title, at, labels, page(url, name))
        elif was is not None and was.stage != now.stage:
            moment = _known(now.updated_at, at)
            yield _stage_changed(name, version, (was.stage, now.stage), moment, url)


def _in_aliases(
    name: str, old: ModelState, new: ModelState, at: datetime, url: str
) -> Iterator[Change]:
    for alias in sorted({*old.aliases, *new.aliases}):
        was, now = old.aliases.get(alias, ""), new.aliases.get(alias, "")
        if now and now != was:
            yield alias_moved(name, alias, now, previous=was, at=at, url=url)
        elif was and not now:
            yield alias_deleted(name, alias, previous=was, at=at, url=url)


def _known(registry: datetime | None, at: datetime) -> datetime:
    """The registry's time, which its clock may set in the future; else ours."""
    return min(registry, at) if registry else at


def model_created(name: str, *, at: datetime, url: str = "") -> Change:
    """A model that was registered. `at` is in UTC; MLflow's pages are at `url`: so below, too."""
    title = f"{name}: registered"
    return _change(Kind.MODEL_CREATED, title, at, {"model": name}, page(url, name))


def version_created(name: str, version: str, *, at: datetime, url: str = "") -> Change:
    """A version that was registered."""
    labels = {"model": name, "version": version}
    title = f"{name}: version {version} registered"
    return _change(Kind.VERSION_CREATED, title, at, labels, page(url, name, version))


def alias_moved(
    name: str, alias: str, version: str, *, previous: str | None = None, at: datetime, url: str = ""
) -> Change:
    """An alias that now names `version`; `previous` is None if unknown, "" if it named none."""
    labels = {"model": name, "alias": alias, "version": version, "previous": previous}
    title = (
        f"{name}: {alias} {previous} → {version}" if previous else f"{name}: {alias} → {version}"
    )
    return _change(Kind.ALIAS_MOVED, title, at, labels, page(url, name, version))


def alias_deleted(
    name: str, alias: str, *, previous: str | None = None, at: datetime, url: str = ""
) -> Change:
    """An alias that names nothing now; `previous` is None if unknown, "" if it named none."""
    labels = {"model": name, "alias": alias, "previous": previous}
    title = f"{name}: {alias} deleted" + (f", was {previous}" if previous else "")
    return _change(Kind.ALIAS_DELETED, title, at, labels, page(url, name))


def tag_changed(
    name: str, version: str, key: str, value: str | None, *, at: datetime, url: str = ""
) -> Change:
    """A version's tag; without a value it was deleted."""
    kind = Kind.TAG_DELETED if value is None else Kind.TAG_SET
    told = "deleted" if value is None else f"= {value}"
    labels = {"model": name, "version": version, "tag": key}
    title = f"{name}: version {version}, tag {key} {told}"
    return _change(kind, title, at, labels, page(url, name, version))


def _stage_changed(
    name: str, version: str, stages: tuple[str, str], at: datetime, url: str
) -> Change:
    was, now = stages
    labels = {"model": name, "version": version, "stage": now, "previous": was}
    title = f"{name}: version {version} {was or 'no stage'} → {now or 'no stage'}"
    return _change(Kind.STAGE_CHANGED, title, at, labels, page(url, name, version))


def _change(
    kind: Kind,
    title: str,
    at: datetime,
    labels: Mapping[str, str | None],
    link: str | None = None,
) -> Change:
    known = {name: value for name, value in labels.items() if value is not None}
    return Change(SOURCE, kind.value, title, at, known, link)


def heard(
    state: RegistryState, change: Change, *, asked_at: datetime, url: str = ""
) -> tuple[RegistryState, Change | None]:
    """What a webhook's change adds to the state of `asked_at`: the new state, and the change as
    it is news, with what went before; None for what the state already says.

    So webhook and comparison tell each change once. A change from before `asked_at` came late:
    it is news, but no longer how things stand.
    """
    name = change.labels.get("model", "")
    old = state.models.get(name)
    new = _with(old or ModelState(), change)
    if new == old:
        return state, None
    if new is None or change.at < asked_at or not state.knows(name):
        return state, change
    if old:
        change = _completed(change, old.aliases, url)
    return replace(state, models={**state.models, name: new}), change


def _with(model: ModelState, change: Change) -> ModelState | None:
    """The model after the change; None where its state does not tell of such changes."""
    version, alias = change.labels.get("version", ""), change.labels.get("alias", "")
    match change.kind:
        case Kind.MODEL_CREATED:
            return model
        case Kind.VERSION_CREATED if version in model.versions:
            return model
        case Kind.VERSION_CREATED:
            created = VersionState(created_at=change.at)
            return replace(model, versions={**model.versions, version: created})
        case Kind.ALIAS_MOVED:
            return replace(model, aliases={**model.aliases, alias: version})
        case Kind.ALIAS_DELETED:
            others = {name: at for name, at in model.aliases.items() if name != alias}
            return replace(model, aliases=others)
        case _:
            return None


def _completed(change: Change, aliases: Mapping[str, str], url: str) -> Change:
    labels = change.labels
    name, alias = labels.get("model", ""), labels.get("alias", "")
    previous = aliases.get(alias, "")
    match change.kind:
        case Kind.ALIAS_MOVED:
            version = labels.get("version", "")
            return alias_moved(name, alias, version, previous=previous, at=change.at, url=url)
        case Kind.ALIAS_DELETED:
            return alias_deleted(name, alias, previous=previous, at=change.at, url=url)
        case _:
            return change


_NUMBER = re.compile(r"v?([0-9]+)")


def number(version: str) -> str:
    """A version as MLflow writes it; "" for what serving frameworks write for none."""
    text = version.strip()
    found = _NUMBER.fullmatch(text)
    return found[1] if found else "" if text in ("None", "none") else text


def by_number(version: str) -> tuple[int, str]:
    """Sorts "9" before "10"."""
    return (int(version), "") if version.isascii() and version.isdecimal() else (-1, version)
