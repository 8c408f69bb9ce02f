"""Only what Slack has signed is read, only once, and nothing it could hold breaks us."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import REGISTRY
from slack_sdk.signature import SignatureVerifier

from app.slack import reading
from app.slack.requests import Malformed
from app.slack.signature import is_genuine, sign
from tests.clock import START, FakeClock
from tests.neighbours.slack import SIGNING_SECRET, SlackServer, Workspace
from tests.neighbours.slack.delivery import SentRequest
from tests.slack.workplace import Workplace, at_work, workplace

PATHS = ("interactions", "commands", "events")
SECRETS = st.text(st.characters(codec="utf-8"), min_size=1)


@pytest.fixture
async def work(tmp_path: Path) -> AsyncIterator[Workplace]:
    async with workplace(tmp_path) as each:
        yield each


def post(work: Workplace, path: str, body: bytes, **headers: str) -> Any:
    return work.house.http.post(f"/slack/{path}", content=body, headers=headers)


def signed(work: Workplace, body: bytes, *, age: float = 0.0) -> dict[str, str]:
    stamp = str(int(work.clock.time() - age))
    signature = sign(SIGNING_SECRET, body, stamp)
    return {"x-slack-request-timestamp": stamp, "x-slack-signature": signature}


async def pressed(work: Workplace) -> SentRequest:
    """What Slack sent when Ana acknowledged the first incident."""
    root, ana = await work.incident(), work.slack.person("ana")
    delivery = await ana.click(root, "incident.acknowledge")
    await work.shows(root, "Acknowledged by Ana Souza")
    return delivery.requests[0]


# Signatures


@given(body=st.binary(max_size=200), secret=SECRETS.filter(str.strip))
def test_we_sign_as_slack_does(body: bytes, secret: str) -> None:
    stamp = str(int(START.timestamp()))
    signature = sign(secret, body, stamp)
    assert is_genuine(secret, body, timestamp=stamp, signature=signature, now=START)
    try:
        body.decode()
    except UnicodeDecodeError:
        return  # of which slack_sdk makes an error
    theirs = SignatureVerifier(secret).generate_signature(timestamp=stamp, body=body)
    assert signature == theirs


@given(
    timestamp=st.none() | st.text(max_size=30) | st.just(str(int(START.timestamp()))),
    signature=st.none() | st.text(max_size=80),
)
def test_whatever_the_headers_hold_the_answer_is_no(
    timestamp: str | None, signature: str | None
) -> None:
    given = {"timestamp": timestamp, "signature": signature}
    assert not is_genuine(SIGNING_SECRET, b"payload=%7B%7D", **given, now=START)


@pytest.mark.parametrize(("age", "genuine"), [(0, True), (300, True), (301, False), (-301, False)])
def test_five_minutes_either_way(age: int, *, genuine: bool) -> None:
    stamp = str(int(START.timestamp()))
    now = START + timedelta(seconds=age)
    signature = sign("s3cret", b"{}", stamp)
    assert is_genuine("s3cret", b"{}", timestamp=stamp, signature=signature, now=now) is genuine


@pytest.mark.parametrize("path", PATHS)
async def test_what_is_not_signed_is_not_read(work: Workplace, path: str) -> None:
    body = b"\xff not even a form"
    assert (await post(work, path, body)).status_code == 401
    assert (await post(work, path, body, **signed(work, body + b" "))).status_code == 401
    assert (await post(work, path, body, **signed(work, body, age=301))).status_code == 401
    odd = signed(work, body) | {"x-slack-request-timestamp": "²"}
    raw = [(name.encode(), value.encode("latin-1")) for name, value in odd.items()]
    answer = await work.house.http.post(f"/slack/{path}", content=body, headers=raw)
    assert answer.status_code == 401
    assert "SLACK_SIGNING_SECRET" in answer.json()["detail"]
    assert (await post(work, path, body, **signed(work, body))).status_code == 400


async def test_without_a_secret_nothing_is_heard(tmp_path: Path) -> None:
    async with workplace(tmp_path, slack_signing_secret=None) as work:
        for path in PATHS:
            answer = await post(work, path, b"", **signed(work, b""))
            assert answer.status_code == 404
            assert "SLACK_SIGNING_SECRET" in answer.json()["detail"]
        await work.fire()
        root = await work.incident()
        assert not [b for b in root.buttons if b["action_id"].startswith("incident.")]


async def test_the_address_proves_itself_ours(work: Workplace) -> None:
    body = json.dumps({"type": "url_verification", "challenge": "3eZbrw"}).encode()
    answer = await post(work, "events", body, **signed(work, body))
    assert answer.json() == {"challenge": "3eZbrw"}


# Replays


async def test_a_replayed_press_changes_nothing(work: Workplace) -> None:
    sent = await pressed(work)
    root = work.slack.roots()[0]
    await work.slack.person("ana").click(root, "incident.unacknowledge")
    await work.shows(root, "CRITICAL", without="Acknowledged")
    answer = await post(work, "interactions", sent.body, **sent.headers)
    assert answer.status_code == 200
    await work.quiet()
    assert await work.state() == "triggered"


async def test_what_did_not_fit_when_it_was_asked_is_not_done_after_a_restart(
    tmp_path: Path,
) -> None:
    clock = FakeClock()
    with SlackServer(Workspace(clock=clock.time)) as server:
        async with at_work(tmp_path, clock, server) as work:
            await pressed(work)
            bruno = work.slack.person("bruno")
            late = await bruno.command("/plantao ack 1")
            await bruno.expect_ephemeral_soon("already acknowledged by Ana Souza")
            root = work.slack.roots()[0]
            await work.slack.person("ana").click(root, "incident.unacknowledge")
            await work.shows(root, "CRITICAL", without="Acknowledged")
        async with at_work(tmp_path, clock, server) as work:
            sent = late.requests[0]
            answer = await post(work, "commands", sent.body, **sent.headers)
            assert answer.status_code == 200
            await work.quiet()
            assert await work.state() == "triggered"


# Anything at all


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=10,
)
WHOLE: Mapping[str, Mapping[str, Any]] = {
    "interactions": {
        "type": "block_actions",
        "user": {"id": "U0ANA", "name": "ana"},
        "trigger_id": "1.2.3",
        "response_url": "http://127.0.0.1:9/",
        "container": {"type": "message", "channel_id": "C0FRAUDE", "message_ts": "1.2"},
        "channel": {"id": "C0FRAUDE"},
        "message": {"ts": "1.2", "thread_ts": "1.1"},
        "callback_id": "timeline.add",
        "actions": [{"action_id": "incident.acknowledge", "value": "1", "type": "button"}],
        "view": {
            "id": "V1",
            "type": "modal",
            "callback_id": "incident.note",
            "private_metadata": '{"incident":1,"channel":"C0FRAUDE","thread":"","locale":"en"}',
            "state": {"values": {"text": {"text": {"value": "a note"}}}},
        },
    },
    "commands": {
        "command": "/plantao",
        "text": "ack 1",
        "user_id": "U0ANA",
        "user_name": "ana",
        "channel_id": "C0FRAUDE",
        "trigger_id": "1.2.3",
        "response_url": "http://127.0.0.1:9/",
    },
    "events": {
        "type": "event_callback",
        "event_id": "Ev1",
        "challenge": "c",
        "event": {
            "type": "reaction_added",
            "user": "U0ANA",
            "reaction": "pushpin",
            "channel": "C0FRAUDE",
            "ts": "1.2",
            "text": "<@U0PLANTAO> ack 1",
            "item": {"type": "message", "channel": "C0FRAUDE", "ts": "1.2"},
            "message": {"ts": "1.2", "thread_ts": "1.1"},
            "previous_message": {"ts": "1.2", "thread_ts": "1.1"},
        },
    },
}
TYPES = st.sampled_from(
    [
        "block_actions", "view_submission", "message_action", "shortcut", "url_verification",
        "event_callback", "reaction_removed", "message", "app_mention", "app_home_opened",
    ]
)  # fmt: skip


@st.composite
def damaged(draw: st.DrawFn, whole: Mapping[str, Any]) -> dict[str, Any]:
    """A payload as Slack sends it, in which something, somewhere, is something else."""
    found: dict[str, Any] = json.loads(json.dumps(whole))
    for _ in range(draw(st.integers(1, 3))):
        place: Any = found
        while True:
            names = list(place) if isinstance(place, dict) else list(range(len(place)))
            if not names:
                break
            name = draw(st.sampled_from(names))
            if isinstance(place[name], dict | list) and place[name] and draw(st.booleans()):
                place = place[name]
                continue
            place[name] = draw(JSON | TYPES)
            break
    return found


def as_body(path: str, payload: Mapping[str, Any]) -> bytes:
    text = json.dumps(payload)
    if path == "interactions":
        return urlencode({"payload": text}).encode()
    fields = {name: value if isinstance(value, str) else text for name, value in payload.items()}
    kept = {name: value.encode("utf-8", "surrogatepass") for name, value in fields.items()}
    return text.encode() if path == "events" else urlencode(kept).encode()


BODIES = st.one_of(
    st.tuples(st.sampled_from(PATHS), st.binary(max_size=200)),
    *(
        damaged(whole).map(lambda payload, path=path: (path, as_body(path, payload)))  # type: ignore[misc]
        for path, whole in WHOLE.items()
    ),
)


@given(BODIES)
def test_reading_is_total(given: tuple[str, bytes]) -> None:
    read = {
        "interactions": reading.interaction,
        "commands": reading.command,
        "events": reading.event,
    }
    with suppress(Malformed):
        read[given[0]](given[1])


def test_no_payload_is_answered_with_a_500(tmp_path: Path) -> None:
    clock = FakeClock()
    with SlackServer(Workspace(clock=clock.time)) as server, asyncio.Runner() as runner:
        service = at_work(tmp_path, clock, server)
        work = runner.run(service.__aenter__())
        before = failures()

        @settings(max_examples=300, deadline=None)
        @given(BODIES)
        def take(sent: tuple[str, bytes]) -> None:
            path, body = sent
            answer = runner.run(post(work, path, body, **signed(work, body)))
            assert answer.status_code in {200, 400}, answer.text

        try:
            take()
            assert runner.run(work.house.http.get("/readyz")).status_code == 200
            assert failures() == before
        finally:
            runner.run(service.__aexit__(None, None, None))


def failures() -> float | None:
    """How often something went wrong unexpectedly, in this process."""
    return REGISTRY.get_sample_value("plantao_slack_failures_total", {"reason": "error"})
