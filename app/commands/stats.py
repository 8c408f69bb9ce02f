"""`plantao stats`: what the incident log teaches, from a shell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Annotated, Any

import typer

from app.commands.client import api
from app.commands.options import AsJson, Token, Url, settings_with
from app.commands.terminal import moment, say, say_json, table, width
from app.core.durations import format_duration

_TOP = 10
_HEADER = ("OPENED", "ACK p50", "p90", "END p50", "p90", "SHORT", "AGAIN")
_LISTS = (
    ("SEVERITY", "by_severity", ("severity",)),
    ("COMPONENT", "by_component", ("component",)),
    ("ALERT", "by_alertname", ("alertname",)),
    ("MODEL", "by_model_version", ("model", "model_version")),
)

Json = Mapping[str, Any]


def stats(
    *,
    since: Annotated[
        str, typer.Option(help="Opened after that: RFC 3339, or an age.", metavar="TIME")
    ] = "30d",
    until: Annotated[
        str | None,
        typer.Option(
            help="Opened before that: RFC 3339, or an age.", show_default="now", metavar="TIME"
        ),
    ] = None,
    json: AsJson = False,
    url: Url = None,
    token: Token = None,
) -> None:
    """Show how fast incidents end, what is noise, what to tune.

    SHORT ended by themselves in under 5 minutes with nobody acting, AGAIN says how often they
    fired again; docs/statistics.md says what each figure means.
    """
    settings = settings_with()
    query = {"since": since, "until": until}
    found = api(settings, url, token).get("/stats", query, holding="tune_first")
    if json:
        say_json(found)
    else:
        say(*_text(found, settings.timezone))


def _text(found: Json, zone: str) -> Iterator[str]:
    since, until = (moment(found[name], zone, "%Y-%m-%d %H:%M") for name in ("since", "until"))
    counts = found["counts"]
    yield f"{counts['opened']} incidents from {since} to {until}"
    states = ("triggered", "acknowledged", "resolved")
    yield ", ".join(f"{counts[state]} {state}" for state in states)
    if not counts["opened"]:
        return
    for title, name, keys in _LISTS:
        rows = [("all", found), *((_name(row, keys), row) for row in found[name][:_TOP])]
        shown = rows if name == "by_severity" else rows[1:]
        yield ""
        yield from table(
            [(title, *_HEADER), *((name, *_cells(row)) for name, row in shown)], within=width()
        )
    if found["tune_first"]:
        yield from ("", "Tune these first")
        yield from _advice(found["tune_first"])


def _name(row: Json, keys: Sequence[str]) -> str:
    known = [row[key] for key in keys if row[key]]
    return _cut(" v".join(known)) if known else "-"


def _cut(name: str, longest: int = 22) -> str:
    return name if len(name) <= longest else name[: longest - 1] + "…"


def _cells(row: Json) -> tuple[str, ...]:
    acknowledged, over, noise = row["time_to_acknowledge"], row["time_to_resolve"], row["noise"]
    durations = (each[name] for each in (acknowledged, over) for name in ("median", "p90"))
    return (
        str(row["counts"]["opened"]),
        *(_duration(seconds) for seconds in durations),
        str(noise["short_lived"]),
        str(noise["refires"]),
    )


def _duration(seconds: float | None) -> str:
    return "-" if seconds is None else format_duration(timedelta(seconds=seconds))


def _advice(advice: Sequence[Json]) -> Iterator[str]:
    for place, one in enumerate(advice, start=1):
        yield f"  {place}. {one['alertname']}: {one['text']}"
