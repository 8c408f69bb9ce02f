"""`plantao incidents …`: the log of incidents, from a shell."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import Annotated, Any

import typer

from app.commands.client import Service, api
from app.commands.incident_text import incident_text, list_lines
from app.commands.options import AsJson, By, Number, Token, Url, settings_with
from app.commands.silences import silence, unsilence
from app.commands.terminal import remark, say, say_json

app = typer.Typer(
    help="List incidents, look at them, and act on them.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


class Status(StrEnum):
    """An incident's, as the API calls them."""

    TRIGGERED = "triggered"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


def _filter(what: str, metavar: str | None = None) -> Any:
    return typer.Option(help=f"{what} Can be repeated.", show_default=False, metavar=metavar)


@app.command("list")
def list_(
    *,
    status: Annotated[
        list[Status] | None, _filter("Only with this status.", "|".join(Status))
    ] = None,
    severity: Annotated[list[str] | None, _filter("Only with this severity.", "NAME")] = None,
    receiver: Annotated[list[str] | None, _filter("Only of this receiver.", "NAME")] = None,
    alertname: Annotated[list[str] | None, _filter("Only of this alert.", "NAME")] = None,
    q: Annotated[
        str | None,
        typer.Option(help="Only with this in title, labels or annotations.", metavar="TEXT"),
    ] = None,
    limit: Annotated[
        int, typer.Option(min=1, max=500, help="At most so many.", metavar="COUNT")
    ] = 50,
    json: AsJson = False,
    url: Url = None,
    token: Token = None,
) -> None:
    """List incidents, the newest first.

    Times are in PLANTAO_TIMEZONE.
    """
    settings = settings_with()
    query = {
        "status": status,
        "severity": severity,
        "receiver": receiver,
        "alertname": alertname,
        "q": q,
        "limit": limit,
    }
    page = api(settings, url, token).get("/incidents", query, holding="items")
    if json:
        say_json(page)
        return
    for line, colour in list_lines(page["items"], settings.timezone):
        say(line, colour=colour)
    if not page["items"]:
        remark("No incident matches.")
    if page.get("next"):
        remark(f"There are more than these {limit}: see --limit.")


@app.command()
def show(number: Number, *, json: AsJson = False, url: Url = None, token: Token = None) -> None:
    """Show one incident, alerts and timeline too."""
    settings = settings_with()
    service = api(settings, url, token)
    incident = service.get(f"/incidents/{number}", holding="id")
    if json:
        say_json(incident)
        return
    timeline = service.get(f"/incidents/{number}/timeline", holding="items")
    say(*incident_text(incident, timeline["items"], settings.timezone))


@app.command()
def ack(
    number: Number, *, by: By, json: AsJson = False, url: Url = None, token: Token = None
) -> None:
    """Take an incident on."""
    incident = _act(_service(url, token), number, "acknowledge", {"by": by})
    _say_outcome(incident, f"is acknowledged by {incident.get('acknowledged_by')}", json)


@app.command()
def unack(
    number: Number, *, by: By, json: AsJson = False, url: Url = None, token: Token = None
) -> None:
    """Hand an incident back.

    It waits for somebody again.
    """
    incident = _act(_service(url, token), number, "unacknowledge", {"by": by})
    _say_outcome(incident, "waits for somebody again", json)


@app.command()
def assign(
    number: Number,
    to: Annotated[
        str | None,
        typer.Argument(metavar="[PERSON]", help="Whose it is now; yours, if left out."),
    ] = None,
    *,
    by: By,
    nobody: Annotated[bool, typer.Option("--nobody", help="It is nobody's.")] = False,
    json: AsJson = False,
    url: Url = None,
    token: Token = None,
) -> None:
    """Say whose an incident is."""
    if nobody and to:
        raise typer.BadParameter("either PERSON or --nobody, not both", param_hint="PERSON")
    owner = None if nobody else (to or by)
    incident = _act(_service(url, token), number, "assign", {"by": by, "to": owner})
    _say_outcome(incident, f"is assigned to {incident.get('assigned_to') or 'nobody'}", json)


@app.command()
def resolve(
    number: Number,
    *,
    by: By,
    force: Annotated[bool, typer.Option("--force", help="Also while alerts still fire.")] = False,
    json: AsJson = False,
    url: Url = None,
    token: Token = None,
) -> None:
    """End an incident."""
    incident = _act(_service(url, token), number, "resolve", {"by": by, "force": force})
    _say_outcome(incident, f"is resolved by {incident.get('resolved_by')}", json)


@app.command()
def note(
    number: Number,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="The note, or - for standard input.")],
    *,
    by: By,
    json: AsJson = False,
    url: Url = None,
    token: Token = None,
) -> None:
    """Write a note.

    It stands in the timeline and in the thread.
    """
    told = sys.stdin.read() if text == "-" else text
    if not told.strip():
        raise typer.BadParameter("the note is empty", param_hint="TEXT")
    incident = _act(_service(url, token), number, "notes", {"by": by, "text": told.strip()})
    _say_outcome(incident, "has one more note", json)


app.command()(silence)
app.command()(unsilence)


def _service(url: str | None, token: str | None) -> Service:
    return api(settings_with(), url, token)


def _act(service: Service, number: int, action: str, body: dict[str, Any]) -> dict[str, Any]:
    return service.post(f"/incidents/{number}/{action}", body, holding="id")


def _say_outcome(incident: dict[str, Any], what: str, json: bool) -> None:
    if json:
        say_json(incident)
    else:
        say(f"Incident {incident['id']} {what}: {incident.get('title')}")
