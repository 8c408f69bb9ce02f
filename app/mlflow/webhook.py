"""What MLflow's registry webhooks say, and whether it was MLflow that said it.

Source: mlflow/mlflow `mlflow/webhooks/delivery.py` and `types.py`, 3.17. MLflow sends an event
once and repeats it a few times within minutes; each time with the same delivery id, and with
the timestamp and signature of the first.
"""

from __future__ import annotations

import hmac
from base64 import b64encode
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, BeforeValidator, Field, ValidationError

from app.core import registry
from app.core.facts import Change
from app.errors import PlantaoError, Unreadable

DELIVERY_ID = "X-MLflow-Delivery-Id"
_TIMESTAMP = "X-MLflow-Timestamp"
_SIGNATURE = "X-MLflow-Signature"
_VERSION = "v1,"
_LONGEST_TIMESTAMP = 12  # digits
_TOLERANCE = timedelta(minutes=5)
# MLflow's own example, which its test button sends: nothing has changed.
_EXAMPLE = "example_model"
_MLFLOWS_OWN_TAGS = "mlflow."
_LONGEST_VALUE = 100


class BadSignature(PlantaoError):
    """The request does not come from MLflow, or not now: it was changed, replayed or forged."""


def verify_signature(
    secret: str,
    headers: Mapping[str, str],
    body: bytes,
    *,
    now: datetime,
    tolerance: timedelta = _TOLERANCE,
) -> None:
    """Return if MLflow signed this body, as it came, with the secret, and not long before `now`.

    Raises BadSignature. Within the tolerance the same delivery may come again: remember
    delivery ids for as long.
    """
    given = {name.lower(): value for name, value in headers.items()}
    delivery, timestamp, signature = (
        given.get(name.lower(), "") for name in (DELIVERY_ID, _TIMESTAMP, _SIGNATURE)
    )
    if not (delivery and timestamp and signature):
        raise BadSignature("The request is not signed: in MLflow, give the webhook the secret.")
    signed = f"{delivery}.{timestamp}.".encode(errors="replace") + body
    digest = hmac.digest(secret.encode(), signed, "sha256")
    expected = _VERSION.encode() + b64encode(digest)
    # Several signatures, apart by spaces, are how a sender changes its secret.
    texts = [text.encode(errors="replace") for text in signature.split(" ")]
    if not any(hmac.compare_digest(text, expected) for text in texts):
        raise BadSignature("The signature does not fit: MLflow's webhook has another secret.")
    if abs(now - _signed_at(timestamp)) > tolerance:
        raise BadSignature("The request was signed too long ago, or the clocks differ.")


def _signed_at(timestamp: str) -> datetime:
    usable = timestamp.isascii() and timestamp.isdecimal() and len(timestamp) <= _LONGEST_TIMESTAMP
    try:
        return datetime.fromtimestamp(int(timestamp) if usable else -1, UTC)
    except (ValueError, OverflowError, OSError):
        return datetime.fromtimestamp(0, UTC)


def _text(value: object) -> object:
    # PostgreSQL keeps no NUL in a text.
    return value.replace("\0", "") if isinstance(value, str) else "" if value is None else value


_Text = Annotated[str, BeforeValidator(_text)]


class _Data(BaseModel):
    name: _Text = ""
    version: _Text = ""
    alias: _Text = ""
    key: _Text = ""
    value: _Text = ""


class _Event(BaseModel):
    entity: str
    action: str
    timestamp: AwareDatetime
    data: _Data = Field(default_factory=_Data)


def to_change(body: bytes, *, url: str = "") -> Change | None:
    """The change that an event announces; None for an event that changes nothing we tell of.

    `url` is MLflow's address, for links. Raises Unreadable for what is no event of MLflow's.
    """
    try:
        event = _Event.model_validate_json(body)
        at = event.timestamp.astimezone(UTC)
    except (ValidationError, OverflowError):
        raise Unreadable("The body is not an event of MLflow's model registry.") from None
    data = event.data
    if not data.name or data.name == _EXAMPLE or data.key.startswith(_MLFLOWS_OWN_TAGS):
        return None
    return _change(f"{event.entity}.{event.action}", data, at, url)


def _change(event: str, data: _Data, at: datetime, url: str) -> Change | None:
    match event:
        case "registered_model.created":
            return registry.model_created(data.name, at=at, url=url)
        case "model_version.created" if data.version:
            return registry.version_created(data.name, data.version, at=at, url=url)
        case "model_version_alias.created" if data.alias and data.version:
            return registry.alias_moved(data.name, data.alias, data.version, at=at, url=url)
        case "model_version_alias.deleted" if data.alias:
            return registry.alias_deleted(data.name, data.alias, at=at, url=url)
        case "model_version_tag.set" if data.key:
            value = data.value[:_LONGEST_VALUE]
            return registry.tag_changed(data.name, data.version, data.key, value, at=at, url=url)
        case "model_version_tag.deleted" if data.key:
            return registry.tag_changed(data.name, data.version, data.key, None, at=at, url=url)
        case _:
            return None
