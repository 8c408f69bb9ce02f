"""`plantao incidents silence` and `unsilence`, and silences as a terminal shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

from app.commands.client import Service, api
from app.commands.completion import Incident
from app.commands.options import AsJson, By, Token, Url, settings_with
from app.commands.terminal import moment, remark, say, say_json
from app.errors import PlantaoError
from app.notifiers.text import one_line

_OVER = {"ended", "not made", "doubtful"}

Json = Mapping[str, Any]


def silence(
    number: Incident,
    duration: Annotated[str, typer.Argument(metavar="DURATION", help="How long, such as 2h.")],
    *,
    by: By,
    comment: Annotated[str, typer.Option(help="Why.", metavar="TEXT")] = "",
    matcher: Annotated[
        list[str] | None,
        typer.Option(
            help="A matcher in Alertmanager's syntax, in place of those that are proposed. "
            "Can be repeated.",
            show_default=False,
            metavar="MATCHER",
        ),
    ] = None,
    alert: Annotated[
        list[str] | None,
        typer.Option(
            help="Only the alert with this fingerprint. Can be repeated.",
            show_default=False,
            metavar="FINGERPRINT",
        ),
    ] = None,
    retry: Annotated[
        bool, typer.Option("--retry", help="If Alertmanager does not answer: once it does.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what would be silenced.")
    ] = False,
    json: AsJson = False,
    url: Url = None,
    token: Token = None,
) -> None:
    """Silence an incident's alerts in Alertmanager.

    All that fire, unless alerts or matchers are named.
    """
    settings = settings_with()
    service = api(settings, url, token)
    chosen = {"alerts": alert or [], "matchers": matcher or []}
    if dry_run:
        query = {"alerts": chosen["alerts"], "matcher": chosen["matchers"]}
        _say_preview(service.get(f"/incidents/{number}/silence", query, holding="matchers"), json)
        return
    body = {"by": by, "duration": duration, "comment": comment, "retry": retry, **chosen}
    made = service.post(f"/incidents/{number}/silence", body, holding="id")
    if json:
        say_json(made)
    else:
        say(_line(made, settings.timezone).strip())


def unsilence(
    number: Incident,
    silence: Annotated[
        int | None,
        typer.Argument(min=1, metavar="[SILENCE]", help="Which; not needed if there is only one."),
    ] = None,
    *,
    by: By,
    json: AsJson = False,
    url: Url = None,
    token: Token = None,
) -> None:
    """End a silence of an incident before its time."""
    settings = settings_with()
    service = api(settings, url, token)
    which = silence or _only_one(service, number)
    ended = service.post(f"/incidents/{number}/silences/{which}/end", {"by": by}, holding="id")
    if json:
        say_json(ended)
    else:
        say(_line(ended, settings.timezone).strip())


def silence_lines(silences: Sequence[Json], zone: str) -> list[str]:
    """Each silence of an incident, the newest last."""
    return [_line(each, zone) for each in silences]


def _only_one(service: Service, number: int) -> int:
    incident = service.get(f"/incidents/{number}", holding="silences")
    live = [each["id"] for each in incident["silences"] if each["state"] not in _OVER]
    if len(live) != 1:
        named = ", ".join(map(str, live))
        which = f"{len(live)} silences ({named}): say which" if live else "no silence in force"
        raise PlantaoError(f"incident {number} has {which}")
    return int(live[0])


def _line(silence: Json, zone: str) -> str:
    until = moment(silence["ends_at"], zone)
    matchers = ", ".join(silence["matchers"])
    text = f"Silence {silence['id']} {silence['state']} until {until} by {silence['by']}"
    if silence["ended_at"]:
        text += f", over since {moment(silence['ended_at'], zone)}"
        text += f" by {silence['ended_by']}" if silence["ended_by"] else ""
    if silence["unknown_since"]:
        text += ", not confirmed: Alertmanager does not answer"
    told = [text, matchers, silence["comment"], silence["problem"], silence["link"]]
    return "  " + one_line(" · ".join(each for each in told if each))


def _say_preview(preview: Json, json: bool) -> None:
    if json:
        say_json(preview)
        return
    say(one_line(", ".join(preview["matchers"])))
    for alert in preview["mutes"]:
        labels = sorted(alert["labels"].items())
        say("  " + one_line(" ".join(f"{name}={value}" for name, value in labels)))
    remark(f"Mutes {preview['muted']} of {preview['firing']} firing alerts.")
    if preview["muted_elsewhere"]:
        remark(f"And {preview['muted_elsewhere']} firing alerts of other incidents.")
