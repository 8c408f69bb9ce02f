"""The section `exporter` of `plantao.yml`: what `plantao exporter` looks at."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Protocol, TypeVar

from pydantic import AfterValidator, Field

from app.sections import Period, Section, Text


class _Named(Protocol):
    @property
    def name(self) -> str: ...


_N = TypeVar("_N", bound=Sequence[_Named])


def _different(entries: _N) -> _N:
    names = [entry.name for entry in entries]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ValueError(f"expected a different name for each, found {twice!r} twice")
    return entries


class TableEntry(Section):
    """A Delta Lake table: a path, or the URL of an object store.

    Of `columns` the share of nulls, the least and the greatest value are exported. With `probe`
    a few rows of one partition are read each time, which says how long a query takes. A file
    is small below `small_file` bytes.
    """

    name: Text
    url: Text
    columns: tuple[Text, ...] = ()
    probe: bool = True
    small_file: Annotated[int, Field(ge=1)] = 16 * 2**20


class TrackedModel(Section):
    """A registered model: which metrics and parameters of its runs are exported.

    `experiment` names the one it is trained in, where runs count before a version is registered.
    """

    name: Text
    metrics: tuple[Text, ...] = ("auc",)
    params: tuple[Text, ...] = ()
    experiment: Text | None = None


class Exporter(Section):
    """What is looked at, and how often. Without `models`, those of the file's own `models`."""

    interval: Period = timedelta(minutes=1)
    deadline: Period = timedelta(seconds=30)
    tables: Annotated[tuple[TableEntry, ...], AfterValidator(_different)] = ()
    models: Annotated[tuple[TrackedModel, ...], AfterValidator(_different)] = ()
