"""`plantao incidents watch`: the log as it changes, a line for each change."""

from __future__ import annotations

import json as json_format
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import typer

from app.commands.client import Query, Service, api
from app.commands.filters import filtered
from app.commands.incident_text import COLOURS, list_lines
from app.commands.options import Token, Url, settings_with
from app.commands.terminal import fit, moment, on_one_line, remark, say, width
from app.errors import PlantaoError
from app.notifiers.text import one_line

_SILENCE = 45.0  # seconds; the service says something every 15
_PAUSE = 2.0
_OPEN = ("triggered", "acknowledged")

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Event:
    """One server-sent event: https://html.spec.whatwg.org/multipage/server-sent-events.html."""

    name: str
    id: str
    data: str


@filtered
def watch(
    *,
    query: Query,
    json: bool = typer.Option(False, "--json", help="Print a JSON object on each line."),
    url: Url = None,
    token: Token = None,
) -> None:
    """Follow the log: what is open now, then a line for each change.

    Until stopped by Ctrl-C; a connection that is lost is made again, and nothing is missed.
    """
    settings = settings_with()
    service = api(settings, url, token)
    with suppress(KeyboardInterrupt):
        for place, event in enumerate(_events(service, query)):
            if place == 0 and not json:
                # Only now is it sure that no change is missed.
                _say_what_is_open(service, query, settings.timezone)
            if event.name == "incident":
                _say(event, settings.timezone, json)


def _say_what_is_open(service: Service, query: Query, zone: str) -> None:
    now = query if query.get("status") else {**query, "status": list(_OPEN)}
    page = service.pages("/incidents", now, limit=100)
    for line, colour in list_lines(page["items"], zone):
        say(line, colour=colour)
    remark("Watching. Ctrl-C ends it.")


def _events(service: Service, query: Query) -> Iterator[Event]:
    """Every event, over as many connections as it takes; the first must succeed."""
    last = ""
    while True:
        try:
            with service.lines("/incidents/stream", query, last=last, seconds=_SILENCE) as lines:
                for event in events_of(lines):
                    last = event.id or last
                    yield event
        except PlantaoError as error:
            if not last:
                raise
            remark(f"{error}; trying again")
        time.sleep(_PAUSE)


def _say(event: Event, zone: str, json: bool) -> None:
    try:
        incident = json_format.loads(event.data)
    except ValueError:
        remark(f"event {event.id} cannot be read")
        return
    if json:
        typer.echo(on_one_line(incident))
    else:
        say(fit(_line(incident, zone), width()), colour=COLOURS.get(incident["status"]))


def _line(incident: Json, zone: str) -> str:
    happened = ", ".join(str(each).replace("_", " ") for each in incident.get("happened", ()))
    at = moment(incident["updated_at"], zone, "%H:%M:%S")
    who = incident.get("acknowledged_by")
    state = (
        f"{incident['status']} by {who}"
        if who and incident["status"] != "resolved"
        else (incident["status"])
    )
    told = f"{at}  {incident['id']}  {state}  {incident['severity']}  {incident['title']}"
    return one_line(f"{told} ({happened})" if happened else told)


def events_of(lines: Iterable[str]) -> Iterator[Event]:
    """The events in the lines of a stream."""
    name, number, data = "message", "", list[str]()
    for line in lines:
        if not line:
            yield Event(name, number, "\n".join(data))
            name, data = "message", []
            continue
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        match field:
            case "event":
                name = value
            case "id":
                number = value
            case "data":
                data.append(value)
            case _:  # a comment, or how soon to come back
                pass
