"""Notices as the service makes them: through decide(), from alerts that a test describes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from app.core.alerts import Alert, AlertStatus, Labels, fingerprint
from app.core.context import Context
from app.core.decide import decide
from app.core.events import (
    Acknowledged,
    AlertsReported,
    AlertsVanished,
    Assigned,
    ChangeLanded,
    DeliveryChanged,
    EndingDoubted,
    Event,
    NoteAdded,
    NoteEdited,
    NoteRemoved,
    NoteSource,
    Origin,
    RepliesMuted,
    RepliesUnmuted,
    ResolvedByPerson,
    Unacknowledged,
)
from app.core.incidents import Entry, Incident
from app.core.notes import notes_of
from app.core.notices import LISTED, Notice, links
from app.core.person import Person
from app.core.silence_events import Silenced
from tests.notifiers import known, silences
from tests.notifiers.known import MINUTE, START

__all__ = ["MINUTE", "START"]

ZONE = "America/Sao_Paulo"
LOCALES = ("en", "pt-BR")

SUMMARY = "checkout is failing"
DESCRIPTION = "12 % of the answers are errors.\nLook at the model server first."


def alert(
    instance: str = "a",
    *,
    at: datetime = START,
    ends: datetime | None = None,
    labels: Labels | None = None,
    annotations: Labels | None = None,
    graph: str = "http://prometheus.example:9090/graph?g0.expr=up+%3E+0&g0.tab=1",
) -> Alert:
    every = labels if labels is not None else _labels(instance)
    status = AlertStatus.RESOLVED if ends else AlertStatus.FIRING
    notes = annotations if annotations is not None else _annotations()
    return Alert(fingerprint(every), status, every, notes, at, ends, graph)


def _labels(instance: str) -> Labels:
    return {
        "alertname": "HighErrorRate",
        "severity": "critical",
        "component": "serving",
        "model": "pix-fraud",
        "instance": instance,
    }


def _annotations() -> Labels:
    return {"summary": SUMMARY, "description": DESCRIPTION}


def reported(*alerts: Alert, truncated: int = 0) -> AlertsReported:
    groups = {"alertname": "HighErrorRate"}
    origin = Origin("k", ("fraud-oncall",), groups, external_url="http://alertmanager.example:9093")
    return AlertsReported(origin, alerts, truncated)


def notice(*events: Event, public_url: str = "https://plantao.example.com") -> Notice:
    """What is shown after the events, which happen a minute after each other."""
    incident: Incident | None = None
    entries: list[Entry] = []
    for minutes, event in enumerate(events or (reported(alert()),)):
        decision = decide(incident, event, now=START + minutes * MINUTE)
        entries += [replace(e, number=len(entries) + n) for n, e in enumerate(decision.entries, 1)]
        states = {state.alert.fingerprint: state for state in decision.states}
        assert decision.incident is not None
        known = {**(incident.alerts if incident else {}), **states}
        notes = notes_of(entries)
        incident = replace(decision.incident, id=12, alerts=known, notes=notes)
    assert incident is not None
    return _notice(incident, entries, public_url)


def _notice(incident: Incident, entries: Sequence[Entry], public_url: str) -> Notice:
    listed = sorted(incident.alerts.values(), key=lambda state: not state.firing)[:LISTED]
    base = "https://runbooks.example.com/"
    where = links(incident, listed, public_url=public_url, runbook_base=base)
    return Notice(incident, listed, entries, incident.alerts, where)


def every_kind() -> Iterator[tuple[str, Notice]]:
    """A notice for each look, with every kind of timeline entry among them."""
    one, two = alert("a"), alert("b")
    fires = reported(one)
    ends = reported(alert("a", ends=START + MINUTE))
    again = reported(alert("a", at=START + 2 * MINUTE))
    gone = AlertsVanished(frozenset({one.fingerprint}), "Alertmanager no longer lists it")
    doubt = EndingDoubted("Prometheus did not answer, so the end cannot be confirmed")
    yield "triggered", notice(fires, reported(two), NoteAdded(Person("Ana"), "looking at it"))
    yield "truncated", notice(reported(one, two, truncated=7))
    yield "hidden", notice(reported(one, truncated=1), reported(*ends.alerts, truncated=1))
    yield "acknowledged", notice(fires, Acknowledged(Person("Ana")))
    yield "handed back", notice(fires, Acknowledged(Person("Ana")), Unacknowledged(Person("Ana")))
    yield from _handled(fires)
    yield "some resolved", notice(reported(one, two), ends)
    yield "resolved", notice(fires, ends)
    yield "by person", notice(fires, ResolvedByPerson(Person("Ana"), force=True))
    yield "reopened", notice(fires, ends, again)
    yield "unconfirmed", notice(fires, ends, fires)
    yield "dismissed", notice(fires, ends, fires, gone)
    yield "vanished", notice(fires, gone)
    yield "some vanished", notice(reported(one, two), gone)
    yield "doubted end", notice(fires, ends, doubt)
    dead = DeliveryChanged("slack:#a", "Gone.", "channel_not_found", instead="email")
    yield "elsewhere", notice(fires, dead, DeliveryChanged("slack:#a", "Shown there again."))
    yield "changed", notice(fires, ChangeLanded(known.CHANGED.changes[0]))
    yield from silences.every_silence()
    yield "changed unseen", notice(fires, ChangeLanded(known.UNSEEN))
    yield "known", with_context(known.full())
    yield "known, over", with_context(known.full(), fires, ends)
    yield "half known", with_context(known.without_prometheus())
    yield from ((name, with_context(context)) for name, context in known.odd())


def _handled(fires: Event) -> Iterator[tuple[str, Notice]]:
    """What people do to an incident and write about it."""
    ana, bia = Person("Ana", "slack:U1"), Person("Bia", "email:bia@example.com")
    yield "assigned", notice(fires, Assigned(ana, bia))
    yield "taken over", notice(fires, Acknowledged(ana), Assigned(bia, bia))
    yield "nobody's", notice(fires, Assigned(ana, ana), Assigned(ana, None))
    source = NoteSource("slack:C1:1.2", "Bia", START, "https://slack.example/p12", "C1:1.1")
    pinned = NoteAdded(ana, "it was the disk", source)
    yield "pinned", notice(fires, pinned)
    yield "note edited", notice(fires, pinned, NoteEdited(bia, 1, "it was the network"))
    yield "note removed", notice(fires, pinned, NoteRemoved(ana, 1))
    yield "muted", notice(fires, RepliesMuted(ana))
    yield "unmuted", notice(fires, RepliesMuted(ana), RepliesUnmuted(bia))


def with_context(context: Context, *events: Event) -> Notice:
    """A notice with what the sources said, neighbours, and a runbook."""
    shown = notice(*events)
    return replace(shown, context=context, related=known.RELATED, first_steps=known.STEPS)


HOSTILE = (
    "<!channel> <@U0ANA> @here & <b>bold</b><script>alert(1)</script> *x* `y` :fire:"
    "\r\nBcc: a@example.com\r\n\u202eevil\u2066\x1b[31m\x00\x07 [a](javascript:alert(1))"
    " <javascript:alert(1)|click>"
)


def hostile() -> Notice:
    """Everything a sender can say, said badly."""
    labels = {"<!here>": HOSTILE, "ünïcode\n": "x" * 68_000, "severity": HOSTILE[:30], "a`b": "`"}
    notes = {
        "summary": HOSTILE,
        "description": HOSTILE * 400 + "\ud800",
        "runbook_url": "javascript:alert(1)",
        "dashboard_url": "https://example.com/<!channel>|x",
        HOSTILE: HOSTILE,
    }
    alerts = [
        alert(labels={**labels, HOSTILE[:20] + str(n): HOSTILE}, annotations=notes, graph="")
        for n in range(10)
    ]
    note = NoteAdded(Person(HOSTILE), "\ud800" + HOSTILE * 100)
    muted = Silenced(silences.hostile(HOSTILE))
    shown = notice(reported(*alerts, truncated=3), Acknowledged(Person(HOSTILE)), note, muted)
    return replace(
        shown,
        context=known.hostile(HOSTILE),
        related=known.hostile_neighbours(HOSTILE),
        silences=[silences.hostile(HOSTILE)],
        first_steps=[HOSTILE] * 9,
    )


def enormous() -> Notice:
    """5,000 alerts, of which the first ten are listed."""
    long = {"description": "word & <tag> " * 5_300}
    alerts = [
        alert(labels={**_labels(f"{n:04}"), "path": "/<&>" * 200}, annotations=long)
        for n in range(5_000)
    ]
    return notice(reported(*alerts))
