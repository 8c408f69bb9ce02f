"""The bodies Alertmanager posts: version 4 of its webhook, read once, at the border.

Source: prometheus/alertmanager `notify/webhook/webhook.go` and `template/template.go`,
0.25 to 0.34. Unknown keys are ignored, since new ones keep coming. What cannot be read in
one alert costs that alert only; what cannot be read around the alerts costs nothing.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BaseModel, Field, GetCoreSchemaHandler, Strict, ValidationError
from pydantic_core import core_schema

from app.core.alerts import Alert, AlertStatus, fingerprint
from app.errors import Unreadable

_UTF8_BOM = b"\xef\xbb\xbf"
_SHOWN_PROBLEMS = 3
_LONGEST_NUMBER = 18  # digits
_LONGEST_FINGERPRINT = 64  # Alertmanager's have 16


@dataclass(frozen=True, slots=True)
class _OrElse:
    """What is not as it should be counts as not given. Pydantic sees to it without a call of
    ours for each value, which would double the time that a body of fifty alerts takes."""

    default: Any

    def __get_pydantic_core_schema__(
        self, source: type[Any], handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        return core_schema.with_default_schema(
            handler(source), default=self.default, on_error="default"
        )


_Text = Annotated[str, Strict(), _OrElse("")]
_Count = Annotated[int, Strict(), Field(ge=0, le=1_000_000_000), _OrElse(0)]
_LooseLabels = Annotated[dict[str, Any], _OrElse({})]


class WebhookAlert(BaseModel):
    """One alert of a body. A firing one carries `endsAt` in the year 1, meaning none."""

    status: AlertStatus
    labels: dict[str, str]
    annotations: dict[str, str] = Field(default_factory=dict)
    starts_at: datetime | None = Field(default=None, alias="startsAt")
    ends_at: datetime | None = Field(default=None, alias="endsAt")
    generator_url: _Text = Field(default="", alias="generatorURL")
    fingerprint: _Text = ""

    def to_alert(self, received_at: datetime) -> Alert:
        """The core's alert, in UTC; without a start, it began when we heard of it."""
        firing = self.status is AlertStatus.FIRING
        return Alert(
            fingerprint=self._name(),
            status=self.status,
            labels=self.labels,
            annotations=self.annotations,
            starts_at=_utc(self.starts_at) or received_at,
            ends_at=None if firing else _utc(self.ends_at) or received_at,
            generator_url=self.generator_url,
        )

    def _name(self) -> str:
        given = self.fingerprint
        usable = 0 < len(given) <= _LONGEST_FINGERPRINT and given.isprintable()
        return given if usable else fingerprint(self.labels)


class _Envelope(BaseModel):
    """What stands around the alerts; nothing in it is worth losing an alert for."""

    receiver: _Text = ""
    group_labels: _LooseLabels = Field(default_factory=dict, alias="groupLabels")
    external_url: _Text = Field(default="", alias="externalURL")
    group_key: _Text = Field(default="", alias="groupKey")
    truncated_alerts: _Count = Field(default=0, alias="truncatedAlerts")


class _Body(_Envelope):
    alerts: list[WebhookAlert]


class _LooseBody(_Envelope):
    alerts: list[Any]


@dataclass(frozen=True, slots=True)
class Notification:
    """One readable body. `problems` names the alerts in it that could not be read."""

    receiver: str
    group_labels: dict[str, str]
    group_key: str
    external_url: str
    truncated: int
    alerts: Sequence[WebhookAlert]
    problems: tuple[str, ...] = ()

    @property
    def problem(self) -> str | None:
        """What could not be read, in one text; None where all could."""
        return "; ".join(self.problems) or None

    def to_alerts(self, received_at: datetime) -> list[Alert]:
        """The core's alerts; of one that is named twice, the last counts."""
        alerts = (alert.to_alert(received_at) for alert in self.alerts)
        return list({alert.fingerprint: alert for alert in alerts}.values())


def read(body: bytes) -> Notification:
    """Read a body; raises Unreadable with a sentence that says what is wrong with it."""
    text = body.removeprefix(_UTF8_BOM)
    try:
        parsed: _Envelope = _Body.model_validate_json(text)
    except ValidationError:
        return _read_what_can_be_read(text)
    assert isinstance(parsed, _Body)  # noqa: S101  (for the type checker)
    return _notification(parsed, parsed.alerts, ())


def _read_what_can_be_read(text: bytes) -> Notification:
    loose = _loose(text)
    alerts, problems = [], []
    for index, raw in enumerate(loose.alerts):
        try:
            alerts.append(_alert(raw))
        except Unreadable as error:
            problems.append(f"alerts[{index}]: {error}")
    if not alerts:
        raise Unreadable(f"None of the {len(loose.alerts)} alerts can be read: {problems[0]}")
    return _notification(loose, alerts, tuple(problems))


def _loose(text: bytes) -> _LooseBody:
    try:
        return _LooseBody.model_validate_json(text)
    except ValidationError as error:
        body = _leniently(text)
        if body is None:
            raise Unreadable(_why(error)) from None
        return body


def _leniently(text: bytes) -> _LooseBody | None:
    """The body by a parser that lets half a surrogate pair pass, and any number: each costs the
    part that it is in."""
    try:
        found = json.loads(text.decode(), parse_int=_number)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or not isinstance(found.get("alerts"), list):
        return None
    envelope = {key: value for key, value in found.items() if key != "alerts" and _is_sound(value)}
    return _LooseBody.model_validate({**envelope, "alerts": found["alerts"]})


def _number(digits: str) -> float:
    return int(digits) if len(digits) <= _LONGEST_NUMBER else float(digits)


def _is_sound(value: object) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except (UnicodeEncodeError, RecursionError):
        return False
    return True


def _alert(raw: object) -> WebhookAlert:
    """One alert; raises Unreadable. It is read as JSON again, which is strict about characters."""
    try:
        return WebhookAlert.model_validate_json(json.dumps(raw))
    except ValidationError as error:
        raise Unreadable(_why(error)) from None
    except RecursionError:
        raise Unreadable("it is nested too deeply") from None


def _notification(
    envelope: _Envelope, alerts: Sequence[WebhookAlert], problems: tuple[str, ...]
) -> Notification:
    return Notification(
        receiver=envelope.receiver,
        group_labels={k: v for k, v in envelope.group_labels.items() if isinstance(v, str)},
        group_key=envelope.group_key,
        external_url=envelope.external_url,
        truncated=envelope.truncated_alerts,
        alerts=alerts,
        problems=problems,
    )


def _why(error: ValidationError) -> str:
    """The first few complaints, without the values: those may be private."""
    shown = error.errors(include_url=False, include_input=False)[:_SHOWN_PROBLEMS]
    return "; ".join(f"{_path(item['loc'])}{item['msg']}" for item in shown)


def _path(loc: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in loc) + ": " if loc else ""


def _utc(at: datetime | None) -> datetime | None:
    """The same moment in UTC. The year 1 stands for no time; going west of it overflows."""
    if at is None or at.year <= 1:
        return None
    if at.tzinfo is None:
        return at.replace(tzinfo=UTC)
    try:
        return at.astimezone(UTC)
    except OverflowError:
        return None
