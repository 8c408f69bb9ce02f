"""`plantao incidents …`: the log of incidents, from a shell."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from app.commands.client import Query, Service, api
from app.commands.completion import Incident
from app.commands.filters import Sort, filtered
from app.commands.incident_text import incident_text, list_lines
from app.commands.options import AsJson, By, Token, Url, settings_with
from app.commands.silences import silence, unsilence
from app.commands.terminal import remark, say, say_json
from app.commands.watch import watch

app = typer.Typer(
    help="List incidents, look at them, and act on them.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command("list")
@filtered
def list_(
    *,
    query: Query,
    sort: Annotated[
        Sort, typer.Option(help="The order.", metavar=f"[{'|'.join(Sort)}]")
    ] = Sort.NEWEST,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.", metavar="COUNT")] = 50,
    everything: Annotated[bool, typer.Option("--all", help="All there are.")] = False,
    json: AsJson = False,
    url: Url = None,
    token: Token = None,
) -> None:
    """List incidents, the newest first.

    Times are in PLANTAO_TIMEZONE. Filters are combined; values of the same one are alternatives.
    """
    settings = settings_with()
    service = api(settings, url, token)
    page = service.pages("/incidents", {**query, "sort": sort}, limit=None if everything else limit)
    if json:
        say_json(page)
        return
    for line, colour in list_lines(page["items"], settings.timezone):
        say(line, colour=colour)
    if not page["items"]:
        remark("No incident matches.")
    if page.get("next"):
        remark(f"There are more than these {limit}: see --limit and --all.")


@app.command()
def show(number: Incident, *, json: AsJson = False, url: Url = None, token: Token = None) -> None:
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
def postmortem(
    number: Incident,
    *,
    lang: Annotated[
        str | None,
        typer.Option(
            help="Its language: en or pt-BR.", show_default="the service's", metavar="LANGUAGE"
        ),
    ] = None,
    url: Url = None,
    token: Token = None,
) -> None:
    """Print the postmortem of an incident, begun in Markdown.

    To a file by `> postmortem.md`.
    """
    say(_service(url, token).text(f"/incidents/{number}/postmortem", {"lang": lang}).rstrip())


@app.command()
def ack(
    number: Incident, *, by: By, json: AsJson = False, url: Url = None, token: Token = None
) -> None:
    """Take an incident on."""
    incident = _act(_service(url, token), number, "acknowledge", {"by": by})
    _say_outcome(incident, f"is acknowledged by {incident.get('acknowledged_by')}", json)


@app.command()
def unack(
    number: Incident, *, by: By, json: AsJson = False, url: Url = None, token: Token = None
) -> None:
    """Hand an incident back.

    It waits for somebody again.
    """
    incident = _act(_service(url, token), number, "unacknowledge", {"by": by})
    _say_outcome(incident, "waits for somebody again", json)


@app.command()
def assign(
    number: Incident,
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
    number: Incident,
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
    number: Incident,
    text: Annotated[
        str | None,
        typer.Argument(metavar="[TEXT]", help="The note, or - for standard input."),
    ] = None,
    *,
    by: By,
    edit: Annotated[
        int | None, typer.Option(min=1, metavar="NOTE", help="Let this note say TEXT instead.")
    ] = None,
    remove: Annotated[
        int | None, typer.Option(min=1, metavar="NOTE", help="Remove this note.")
    ] = None,
    json: AsJson = False,
    url: Url = None,
    token: Token = None,
) -> None:
    """Write a note, edit or remove one.

    It stands in the timeline and in the thread. `incidents show` numbers them.
    """
    if remove is not None:
        if text is not None or edit is not None:
            raise typer.BadParameter("it goes without TEXT and --edit", param_hint="--remove")
        path = f"/incidents/{number}/notes/{remove}"
        incident = _service(url, token).delete(path, {"by": by}, holding="id")
        _say_outcome(incident, f"no longer has note {remove}", json)
        return
    body = {"by": by, "text": _told(text)}
    if edit is not None:
        path = f"/incidents/{number}/notes/{edit}"
        incident = _service(url, token).patch(path, body, holding="id")
        _say_outcome(incident, f"has note {edit} edited", json)
        return
    incident = _act(_service(url, token), number, "notes", body)
    _say_outcome(incident, f"has one more note, {incident.get('note', {}).get('id')}", json)


def _told(text: str | None) -> str:
    told = (sys.stdin.read() if text == "-" else text or "").strip()
    if not told:
        raise typer.BadParameter("the note is empty", param_hint="TEXT")
    return told


@app.command()
def mute(
    number: Incident, *, by: By, json: AsJson = False, url: Url = None, token: Token = None
) -> None:
    """Mute an incident's replies.

    Threads are still told of its end and of a reopening.
    """
    incident = _act(_service(url, token), number, "mute", {"by": by})
    _say_outcome(incident, "has its replies muted", json)


@app.command()
def unmute(
    number: Incident, *, by: By, json: AsJson = False, url: Url = None, token: Token = None
) -> None:
    """Turn an incident's replies on again."""
    incident = _act(_service(url, token), number, "unmute", {"by": by})
    _say_outcome(incident, "has its replies turned on again", json)


app.command()(watch)
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
