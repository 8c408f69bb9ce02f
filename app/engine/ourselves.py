"""Incidents about Plantão itself: they take the same way as any other alert."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog

from app.core.alerts import Alert, AlertStatus, fingerprint
from app.core.events import Source
from app.core.incidents import Incident
from app.engine.apply import Report, apply_reports
from app.engine.policy import Policy
from app.store import receipts
from app.store.database import Transaction

QUARANTINED = "PlantaoReceiptQuarantined"
UNREADABLE_ALERT = "PlantaoAlertUnreadable"
DELIVERY_FAILING = "PlantaoDeliveryFailing"

_DAY = timedelta(days=1)
_MARK = {"component": "plantao", "source": "plantao"}

log = structlog.get_logger()


def is_ours(alert: Alert) -> bool:
    """Whether Plantão raised this alert: nobody else can be asked about it."""
    return alert.labels.get("source") == _MARK["source"] and not alert.generator_url


def trouble(
    name: str,
    *,
    at: datetime,
    summary: str,
    description: str,
    severity: str = "warning",
    labels: dict[str, str] | None = None,
) -> Alert:
    """An alert about ourselves, firing since `at`."""
    every = {"alertname": name, "severity": severity, **_MARK, **(labels or {})}
    notes = {"summary": summary, "description": description}
    return Alert(fingerprint(every), AlertStatus.FIRING, every, notes, starts_at=at)


def report(
    tx: Transaction, alerts: Sequence[Alert], policy: Policy, *, now: datetime
) -> list[Incident]:
    """Raise or end incidents about ourselves; each kind (and place) is one incident."""
    reports = [
        Report(now, [alert], group_labels=dict(alert.labels), source=Source.OURSELVES)
        for alert in alerts
    ]
    seen = apply_reports(tx, reports, policy, now=now)
    for incident in seen:
        name = incident.labels.get("alertname")
        log.warning("about ourselves", alert=name, incident=incident.id, status=incident.status)
    return seen


def over(alert: Alert, *, at: datetime) -> Alert:
    """The end of an alert about ourselves. What was wrong stays as it was told."""
    return Alert(
        alert.fingerprint, AlertStatus.RESOLVED, alert.labels, {}, alert.starts_at, ends_at=at
    )


def quarantined(receipt: int, problem: str, *, at: datetime) -> Alert:
    """A webhook body that cannot be read: somebody is not being heard."""
    return trouble(
        QUARANTINED,
        at=at,
        summary="A webhook body could not be read and is kept in quarantine",
        description=(
            f"Receipt {receipt}: {problem} — look at it with `plantao receipts show {receipt}`, "
            "and mend what sends it."
        ),
    )


def unreadable_alerts(receipt: int, problem: str, *, at: datetime) -> Alert:
    """A body of which some alerts cannot be read: the others were taken."""
    return trouble(
        UNREADABLE_ALERT,
        at=at,
        summary="Some alerts in a webhook body could not be read",
        description=f"Receipt {receipt}: {problem} — see `plantao receipts show {receipt}`.",
    )


def delivery_failing(destination: str, why: str, *, at: datetime) -> Alert:
    """A destination shows nothing until a person repairs it."""
    return trouble(
        DELIVERY_FAILING,
        at=at,
        severity="critical",
        summary=f"Messages to {destination} are not getting through",
        description=f"{why} — `plantao check` tries every neighbour and names what is wrong.",
        labels={"destination": destination},
    )


def settle(tx: Transaction, policy: Policy, *, now: datetime) -> list[Incident]:
    """End what is over without anybody's doing: an empty quarantine, a day without bad alerts."""
    ended = []
    if not receipts.any_quarantined(tx) and not receipts.any_replaying(tx):
        ended.append(quarantined(0, "", at=now))
    if not receipts.any_problem(tx, since=now - _DAY):
        ended.append(unreadable_alerts(0, "", at=now))
    return report(tx, [over(alert, at=now) for alert in ended], policy, now=now)
