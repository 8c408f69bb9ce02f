"""Incidents of the API, as a terminal shows them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from app.commands.silences import silence_lines
from app.commands.terminal import facts, moment, table, width
from app.notifiers.text import one_line

COLOURS = {"triggered": "red", "acknowledged": "yellow", "resolved": "green"}
_HEADER = ("ID", "STATUS", "SEVERITY", "OPENED", "FIRING", "TITLE")
_MOST_ALERTS = 20

Json = Mapping[str, Any]


def list_lines(incidents: Sequence[Json], zone: str) -> list[tuple[str, str | None]]:
    """A table of incidents, each line with its colour; nothing where there are none."""
    if not incidents:
        return []
    rows = [_HEADER, *(_row(incident, zone) for incident in incidents)]
    colours = [None, *(COLOURS.get(incident["status"]) for incident in incidents)]
    return list(zip(table(rows, within=width()), colours, strict=True))


def _row(incident: Json, zone: str) -> tuple[str, ...]:
    counts = incident["alert_counts"]
    return (
        str(incident["id"]),
        incident["status"],
        incident["severity"],
        moment(incident["opened_at"], zone, "%Y-%m-%d %H:%M"),
        f"{counts['firing']}/{counts['firing'] + counts['resolved']}",
        incident["title"],
    )


def incident_text(incident: Json, timeline: Sequence[Json], zone: str) -> Iterator[str]:
    """The incident as one reads it, from what matters most to what happened when."""
    counts = incident["alert_counts"]
    total = counts["firing"] + counts["resolved"]
    yield one_line(f"Incident {incident['id']}: {incident['title']}")
    yield one_line(
        f"{incident['status']}, {incident['severity']}, {counts['firing']} of {total} alerts firing"
        + (" (unconfirmed)" if incident.get("unconfirmed") else "")
    )
    yield ""
    yield from facts(_what_is_known(incident, zone))
    for title, lines in (
        ("Labels", facts(sorted(incident["labels"].items()), indent="  ")),
        ("Annotations", facts(sorted(incident["annotations"].items()), indent="  ")),
        ("Alerts", _alert_lines(incident["alerts"], zone)),
        ("Notes", [_note_line(each, zone) for each in incident.get("notes", [])]),
        ("Silences", silence_lines(incident.get("silences", ()), zone)),
        ("Shown at", [_posting_line(each) for each in incident["postings"]]),
        ("Timeline", [_entry_line(each, zone) for each in timeline]),
    ):
        if lines:
            yield from ("", title, *lines)


def _what_is_known(incident: Json, zone: str) -> list[tuple[str, str]]:
    links = incident.get("links", {})
    return [
        ("Receiver", ", ".join(incident.get("receivers") or [incident["receiver"]])),
        ("Opened", moment(incident["opened_at"], zone)),
        ("Acknowledged", _done(incident, "acknowledged", zone)),
        ("Assigned", _owner(incident, zone)),
        ("Resolved", _done(incident, "resolved", zone)),
        ("Replies muted", _done(incident, "replies_muted", zone)),
        ("Reopened", _times(incident["reopened"])),
        ("Runbook", incident.get("runbook_url") or ""),
        ("Graph", links.get("graph") or ""),
        ("Dashboard", links.get("dashboard") or ""),
        ("Page", links.get("console") or ""),
        ("Revision", str(incident["revision"])),
    ]


def _done(incident: Json, what: str, zone: str) -> str:
    at, who = moment(incident[f"{what}_at"], zone), incident.get(f"{what}_by")
    return f"{at} by {who}" if at and who else at


def _owner(incident: Json, zone: str) -> str:
    who, at = incident.get("assigned_to"), moment(incident.get("assigned_at"), zone)
    return f"{at} to {who}" if who else ""


def _times(count: int) -> str:
    return f"{count} time{'s' if count > 1 else ''}" if count else ""


def _alert_lines(alerts: Sequence[Json], zone: str) -> list[str]:
    lines = [_alert_line(alert, zone) for alert in alerts[:_MOST_ALERTS]]
    hidden = len(alerts) - len(lines)
    return [*lines, f"  and {hidden} more: see --json"] if hidden else lines


def _alert_line(alert: Json, zone: str) -> str:
    labels = " ".join(f"{name}={value}" for name, value in sorted(alert["labels"].items()))
    when = moment(alert["starts_at"], zone)
    if alert["status"] != "firing":
        when = f"{when} to {moment(alert['ends_at'], zone)}"
    return "  " + one_line(f"{alert['status']} {when} {labels}")


def _note_line(note: Json, zone: str) -> str:
    edited = ", edited" if note["edited_at"] else ""
    return "  " + one_line(
        f"{note['id']}: {note['by']}, {moment(note['at'], zone)}{edited}: {note['text']}"
    )


def _posting_line(posting: Json) -> str:
    attempt = f", attempt {posting['attempts']}" if posting["attempts"] else ""
    failed = f"{attempt}: {posting['last_error']}"
    return "  " + one_line(
        f"{posting['destination']} {posting['state']}" + (failed if posting["last_error"] else "")
    )


def _entry_line(entry: Json, zone: str) -> str:
    data = entry["data"]
    shown = {name: value for name, value in data.items() if name != "note" or "text" not in data}
    told = "; ".join(filter(None, (_told(name, value) for name, value in shown.items())))
    kind = entry["kind"].replace("_", " ")
    text = f"{moment(entry['at'], zone)} {kind}, {entry['actor']}"
    return "  " + one_line(f"{text}: {told}" if told else text)


def _told(name: str, value: object) -> str:
    """One fact of a timeline entry; nothing for one that only programs can use."""
    match name, value:
        case (("fingerprints" | "mention" | "source" | "thread" | "written_at"), _):
            return ""
        case (_, None | False | "" | 0):
            return ""
        case "count", int():
            return f"{value} alert{'s' if value > 1 else ''}"
        case (("text" | "reason"), _):
            return str(value)
        case _, True:
            return name
        case _, list():
            return f"{name} {', '.join(map(str, value))}"
        case _:
            return f"{name} {value}"
