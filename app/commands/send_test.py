"""`plantao send-test`: a sample notification, to see the whole way to the people on call."""

from __future__ import annotations

import shlex
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer

from app.commands.client import Service, api, shown
from app.commands.options import (
    Url,
    WebhookToken,
    parse_labels,
    service_address,
    settings_with,
)
from app.commands.terminal import say
from app.core.alerts import fingerprint
from app.errors import PlantaoError

_ALERTNAME, _SEVERITY = "FraudScoringLatencyHigh", "critical"
_STILL_FIRING = "0001-01-01T00:00:00Z"  # the zero time of Go: Alertmanager's way to say "no end"
_LASTED = timedelta(minutes=5)

_LABELS = {
    "cluster": "pix-prod",
    "component": "serving",
    "instance": "scoring-0:8080",
    "job": "fraud-scoring",
    "model": "pix-fraud",
    "model_version": "12",
    "namespace": "fraud",
}


def send_test(
    *,
    url: Url = None,
    resolve: Annotated[bool, typer.Option("--resolve", help="Send the end of it.")] = False,
    severity: Annotated[str, typer.Option(help="Its label severity.", metavar="NAME")] = _SEVERITY,
    alertname: Annotated[
        str, typer.Option(help="Its label alertname.", metavar="NAME")
    ] = _ALERTNAME,
    label: Annotated[
        list[str] | None,
        typer.Option(
            help="Set a label, or take it away with nothing after the =. Can be repeated.",
            metavar="LABEL=VALUE",
        ),
    ] = None,
    token: WebhookToken = None,
) -> None:
    """Post a sample alert to a running service.

    It comes as from Alertmanager, and is about the latency of fraud scoring. Alerts are told
    apart by their labels: to end one, give --resolve the same options. A service that asks an
    Alertmanager back (PLANTAO_ALERTMANAGER_URL) ends it by itself, as that one knows nothing of
    it.
    """
    settings = settings_with()
    if token is None and settings.webhook_token:
        token = settings.webhook_token.get_secret_value()
    chosen = {"alertname": alertname, "severity": severity, **parse_labels(label or [])}
    labels = {name: value for name, value in (_LABELS | chosen).items() if value}
    service = Service(url or service_address(settings), token)
    now = datetime.now(UTC)
    since = _since(api(settings, service.url, None), labels) if resolve else None
    answer = service.post(
        "/webhooks/alertmanager", notification(labels, since, now, end=resolve), holding="receipt"
    )
    if answer.get("state") == "quarantined":
        raise PlantaoError(f"receipt {answer['receipt']} is in quarantine: {answer.get('problem')}")
    name = labels.get("alertname", "an alert without a name")
    say(f"Receipt {answer['receipt']} at {shown(service.url)}: {name} {_state(resolve)}.")
    _say_what_next(service, labels.get("alertname"), resolve, _same(severity, alertname, label))


def _since(service: Service, labels: dict[str, str]) -> str | None:
    """When the alert with these labels began, if the service may be asked and knows it."""
    query = {"alertname": labels.get("alertname"), "status": ["triggered", "acknowledged"]}
    try:
        incidents = service.get("/incidents", query, holding="items")["items"]
    except PlantaoError:
        return None  # the post tells what is wrong, if anything is
    wanted = fingerprint(labels)
    alerts = [alert for incident in incidents for alert in incident["alerts"]]
    return next((each["starts_at"] for each in alerts if each["fingerprint"] == wanted), None)


def _state(resolve: bool) -> str:
    return "is resolved" if resolve else "fires"


def _same(severity: str, alertname: str, label: list[str] | None) -> list[str]:
    """The options that name the same alert again."""
    named = [("--severity", severity, _SEVERITY), ("--alertname", alertname, _ALERTNAME)]
    options = [part for name, value, usual in named if value != usual for part in (name, value)]
    return options + [part for each in label or [] for part in ("--label", each)]


def _say_what_next(service: Service, name: str | None, resolve: bool, same: list[str]) -> None:
    only = ["--alertname", name] if name else []
    say(
        f"See it    {shlex.join(['plantao', 'incidents', 'list', *only])}, or {shown(service.url)}/"
    )
    if not resolve:
        say(f"End it    {shlex.join(['plantao', 'send-test', '--resolve', *same])}")


def notification(
    labels: dict[str, str], since: str | None, now: datetime, *, end: bool
) -> dict[str, Any]:
    """The body of Alertmanager's webhook (version 4) for one alert that begins or ends now.

    `since` is when an ending one began; unknown, it began some minutes ago.
    """
    status = "resolved" if end else "firing"
    began = since or _rfc3339(now - _LASTED if end else now)
    group = {name: labels[name] for name in ("alertname", "component") if name in labels}
    annotations = _annotations(labels)
    return {
        "version": "4",
        "groupKey": "{}:{" + ", ".join(f'{k}="{v}"' for k, v in group.items()) + "}",
        "truncatedAlerts": 0,
        "status": status,
        "receiver": "plantao",
        "groupLabels": group,
        "commonLabels": labels,
        "commonAnnotations": annotations,
        "externalURL": "http://alertmanager.example.internal:9093",
        "alerts": [
            {
                "status": status,
                "labels": labels,
                "annotations": annotations,
                "startsAt": began,
                "endsAt": _rfc3339(now) if end else _STILL_FIRING,
                "generatorURL": "http://prometheus.example.internal:9090/graph?g0.expr="
                "fraud_scoring_latency_seconds%3Ap99+%3E+0.2&g0.tab=1",
                "fingerprint": fingerprint(labels),
            }
        ],
    }


def _annotations(labels: dict[str, str]) -> dict[str, str]:
    model = labels.get("model", "the model")
    return {
        "summary": f"p99 of Pix fraud scoring by {model} is 412 ms, above 200 ms (a test)",
        "description": "Sent by plantao send-test: nobody needs to do anything. Transfers would "
        "wait for their score, and time out after 500 ms.",
    }


def _rfc3339(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
