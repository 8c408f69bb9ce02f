"""MLflow's webhooks: who sent them, and what they say. Recorded from a real server."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from app.errors import Unreadable
from app.mlflow.webhook import BadSignature, to_change, verify_signature

RECORDED = Path(__file__).parents[1] / "recordings/mlflow"
SIGNED = json.loads((RECORDED / "webhook_signed.json").read_text())
SECRET: str = SIGNED["secret"]
DELIVERY = SIGNED["deliveries"][2]
HEADERS: dict[str, str] = DELIVERY["headers"]
BODY: bytes = DELIVERY["body"].encode()
SENT = datetime.fromtimestamp(int(HEADERS["X-MLflow-Timestamp"]), UTC)


@pytest.mark.parametrize("delivery", SIGNED["deliveries"])
def test_what_mlflow_signed_is_taken(delivery: dict[str, Any]) -> None:
    verify_signature(SECRET, delivery["headers"], delivery["body"].encode(), now=SENT)


def test_names_of_headers_in_any_case() -> None:
    headers = {name.lower(): value for name, value in HEADERS.items()}
    verify_signature(SECRET, headers, BODY, now=SENT)


def test_one_of_several_signatures_is_enough() -> None:
    headers = {**HEADERS, "X-MLflow-Signature": f"v1,older {HEADERS['X-MLflow-Signature']} v2,new"}
    verify_signature(SECRET, headers, BODY, now=SENT)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("X-MLflow-Signature", "v1,AAAA"),
        ("X-MLflow-Signature", HEADERS["X-MLflow-Signature"].removeprefix("v1,")),
        ("X-MLflow-Signature", HEADERS["X-MLflow-Signature"].replace("v1", "v2")),
        ("X-MLflow-Signature", "v1,ção\udc80"),
        ("X-MLflow-Signature", ""),
        ("X-MLflow-Delivery-Id", "another"),
        ("X-MLflow-Delivery-Id", "\udc80"),
        ("X-MLflow-Delivery-Id", ""),
        ("X-MLflow-Timestamp", str(int(HEADERS["X-MLflow-Timestamp"]) + 1)),
        ("X-MLflow-Timestamp", "9" * 5000),
        ("X-MLflow-Timestamp", "٣"),
        ("X-MLflow-Timestamp", ""),
    ],
)
def test_what_mlflow_did_not_sign_is_refused(name: str, value: str) -> None:
    with pytest.raises(BadSignature):
        verify_signature(SECRET, {**HEADERS, name: value}, BODY, now=SENT)


def test_another_body_secret_or_no_header_is_refused() -> None:
    with pytest.raises(BadSignature, match="another secret"):
        verify_signature(SECRET, HEADERS, BODY + b" ", now=SENT)
    with pytest.raises(BadSignature, match="another secret"):
        verify_signature(SECRET + "x", HEADERS, BODY, now=SENT)
    with pytest.raises(BadSignature, match="not signed"):
        verify_signature(SECRET, {}, BODY, now=SENT)


@pytest.mark.parametrize(
    ("after", "taken"), [(299, True), (-299, True), (301, False), (-301, False), (10**9, False)]
)
def test_what_was_signed_at_another_time_is_refused(after: int, taken: bool) -> None:
    now = SENT + timedelta(seconds=after)
    if taken:
        verify_signature(SECRET, HEADERS, BODY, now=now)
        return
    with pytest.raises(BadSignature, match="too long ago"):
        verify_signature(SECRET, HEADERS, BODY, now=now)


def test_a_wider_tolerance() -> None:
    now = SENT + timedelta(minutes=9)
    verify_signature(SECRET, HEADERS, BODY, now=now, tolerance=timedelta(minutes=10))


def test_the_recorded_deliveries_as_changes() -> None:
    deliveries = json.loads((RECORDED / "webhook_deliveries.json").read_text())
    changes = [to_change(json.dumps(each["body"]).encode()) for each in deliveries]
    assert [change and (change.kind, change.title) for change in changes] == [
        None,  # the test button's
        ("model_created", "pix-fraud-scorer: registered"),
        ("version_created", "pix-fraud-scorer: version 1 registered"),
        ("version_created", "pix-fraud-scorer: version 2 registered"),
        ("version_created", "pix-fraud-scorer: version 3 registered"),
        ("alias_moved", "pix-fraud-scorer: champion → 1"),
        ("alias_moved", "pix-fraud-scorer: challenger → 2"),
        ("tag_set", "pix-fraud-scorer: version 2, tag validation = passed"),
        ("alias_moved", "pix-fraud-scorer: champion → 2"),
        ("alias_deleted", "pix-fraud-scorer: challenger deleted"),
    ]
    promoted = changes[8]
    assert promoted
    assert promoted.source == "mlflow"
    assert promoted.at == datetime(2026, 11, 23, 18, 29, 13, 766461, tzinfo=UTC)
    assert promoted.labels == {"model": "pix-fraud-scorer", "alias": "champion", "version": "2"}


def test_a_deleted_tag_and_letters_of_any_language() -> None:
    set_, *_, deleted = (to_change(each["body"].encode()) for each in SIGNED["deliveries"][2:])
    assert set_
    assert set_.title == "pix-fraud: version 1, tag validation = aprovado à mão ✓"
    assert deleted
    assert (deleted.kind, deleted.labels["tag"]) == ("tag_deleted", "validation")


def event(name: str, at: str = "2026-11-23T18:29:13+00:00", /, **data: object) -> bytes:
    entity, _, action = name.partition(".")
    body = {"entity": entity, "action": action, "timestamp": at, "data": data}
    return json.dumps({**body, "workspace": "default", "new": [1]}).encode()


def test_links_and_times() -> None:
    body = event(
        "model_version_alias.created",
        "2026-11-23T15:29:13-03:00",
        name="pix-fraud",
        alias="champion",
        version="3",
    )
    change = to_change(body, url="https://mlflow.example.com")
    assert change
    assert change.link == "https://mlflow.example.com/#/models/pix-fraud/versions/3"
    assert change.at == datetime(2026, 11, 23, 18, 29, 13, tzinfo=UTC)
    assert change.at.tzinfo is UTC


@pytest.mark.parametrize(
    "body",
    [
        event("prompt.created", name="greeting"),
        event("model_version.deleted", name="pix-fraud", version="1"),
        event("model_version_alias.created", name="pix-fraud", alias="champion"),
        event("registered_model.created"),
        event("model_version_tag.set", name="a", version="1", key="mlflow.runName", value="x"),
    ],
)
def test_events_that_change_nothing_we_tell_of(body: bytes) -> None:
    assert to_change(body) is None


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"\xff\x00",
        b"[" * 100_000,
        event("registered_model.created", "yesterday", name="a"),
        event("registered_model.created", "2026-11-23T18:29:13", name="a"),
        event("registered_model.created", "0001-01-01T00:00:00+14:00", name="a"),
        event("registered_model.created", name=["a"]),
    ],
)
def test_what_is_no_event_is_unreadable(body: bytes) -> None:
    with pytest.raises(Unreadable):
        to_change(body)


def test_no_nul_and_no_endless_value_gets_through() -> None:
    change = to_change(
        event("model_version_tag.set", name="a\0b", version="1", key="k", value="v" * 9999)
    )
    assert change
    assert change.labels["model"] == "ab"
    assert len(change.title) < 150
