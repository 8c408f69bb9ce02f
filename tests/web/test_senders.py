"""Senders that behave badly, over real sockets: a clear answer, bounded memory, others unharmed."""

from __future__ import annotations

import asyncio
import gzip
import json
import socket
from collections.abc import Iterator

import pytest
from starlette.exceptions import HTTPException
from starlette.types import Message

from app.web.bodies import read_body
from tests.house import alert, notification
from tests.neighbours.processes import eventually
from tests.service import Service

LIMIT = 1_000_000
BODY = json.dumps(notification(alert())).encode()
HEAD = b"POST /webhooks/alertmanager HTTP/1.1\r\nHost: plantao\r\n"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    directory = tmp_path_factory.mktemp("service")
    service = Service(directory, env={"PLANTAO_MAX_BODY_BYTES": str(LIMIT)})
    service.start()
    yield service
    service.process.stop()


def connected(service: Service) -> socket.socket:
    return socket.create_connection(("127.0.0.1", service.port), timeout=20)


def answer_to(service: Service, *parts: bytes) -> bytes:
    """What comes back for these bytes; a sender that is cut off hears what was said before."""
    with connected(service) as sender:
        try:
            for part in parts:
                sender.sendall(part)
        except (BrokenPipeError, ConnectionResetError):
            pass
        return _heard(sender)


def _heard(sender: socket.socket) -> bytes:
    heard = b""
    try:
        while b"\r\n\r\n" not in heard and (part := sender.recv(65536)):
            heard += part
    except ConnectionResetError:
        pass
    return heard


def chunk(data: bytes) -> bytes:
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


def head(*lines: str) -> bytes:
    return HEAD + "".join(f"{line}\r\n" for line in lines).encode() + b"\r\n"


def assert_well(service: Service) -> None:
    assert service.post(notification(alert("StillWell"))).status_code == 202


def receipts(service: Service) -> int:
    """The number of the newest receipt."""
    items = service.get("/receipts", limit="1")["items"]
    return int(items[0]["receipt"]) if items else 0


def test_chunks_within_the_limit_are_taken(service: Service) -> None:
    parts = [chunk(BODY[:10]), chunk(BODY[10:]), b"0\r\n\r\n"]
    answer = answer_to(service, head("Transfer-Encoding: chunked"), *parts)
    assert answer.startswith(b"HTTP/1.1 202")


def test_chunks_over_the_limit_are_refused_as_they_come(service: Service) -> None:
    before = receipts(service)
    parts = [chunk(b" " * 100_000)] * 11
    answer = answer_to(service, head("Transfer-Encoding: chunked"), *parts)
    assert answer.startswith(b"HTTP/1.1 413")
    assert b"application/problem+json" in answer
    assert receipts(service) == before
    assert_well(service)


def test_a_length_over_the_limit_is_refused_before_the_body(service: Service) -> None:
    answer = answer_to(service, head(f"Content-Length: {LIMIT + 1}"))
    assert answer.startswith(b"HTTP/1.1 413")


@pytest.mark.parametrize("length", ["-5", "ten", "1e3"])
def test_a_length_that_is_none(service: Service, length: str) -> None:
    assert answer_to(service, head(f"Content-Length: {length}")).startswith(b"HTTP/1.1 400")
    assert_well(service)


def test_a_sender_that_hangs_up_midway_leaves_nothing(service: Service) -> None:
    before = receipts(service)
    for cut in (0, 1, len(BODY) - 1):
        with connected(service) as sender:
            sender.sendall(head(f"Content-Length: {len(BODY)}") + BODY[:cut])
    assert_well(service)
    assert receipts(service) == before + 1


def test_slow_senders_hold_up_nobody(service: Service) -> None:
    slow = [connected(service) for _ in range(50)]
    for sender in slow:
        sender.sendall(head(f"Content-Length: {len(BODY)}") + BODY[:10])
    assert_well(service)
    for sender in slow:
        sender.sendall(BODY[10:])
        assert _heard(sender).startswith(b"HTTP/1.1 202")
        sender.close()


def test_a_storm_of_bombs_costs_little_memory(service: Service) -> None:
    """Each would unpack to a thousand times its size, and holds no more than the limit."""
    bomb = gzip.compress(b"0" * 300_000_000)
    length = f"Content-Length: {len(bomb)}"
    assert len(bomb) < LIMIT
    before = service.resident
    for _ in range(10):
        answer = answer_to(service, head(length, "Content-Encoding: gzip"), bomb)
        assert answer.startswith(b"HTTP/1.1 413")
    assert service.resident - before < 40_000_000
    assert_well(service)


def test_deep_and_huge_bodies_cost_little_memory(service: Service) -> None:
    before = service.resident
    half = LIMIT // 2
    for body in (b"[" * LIMIT, b'{"a":' * (LIMIT // 5), b"[" * half + b"]" * half, b"9" * LIMIT):
        answer = answer_to(service, head(f"Content-Length: {len(body)}"), body)
        assert answer.startswith(b"HTTP/1.1 202")
    assert service.resident - before < 100_000_000
    assert_well(service)


@pytest.mark.parametrize("line", [b"\x16\x03\x01\x02\x00", b"GET", b"\x00" * 1000, b"x" * 200_000])
def test_what_is_no_http_ends_with_its_connection(service: Service, line: bytes) -> None:
    assert b" 500 " not in answer_to(service, line + b"\r\n\r\n")
    assert_well(service)


def test_it_never_fell_over(service: Service) -> None:
    assert_well(service)
    eventually(lambda: service.get("/readyz")["status"] == "ready", what="ready")
    assert "Traceback" not in service.process.log_text()


async def test_a_body_that_does_not_come_in_time() -> None:
    sent = [b"first"]

    async def receive() -> Message:
        if sent:
            return {"type": "http.request", "body": sent.pop(), "more_body": True}
        return await never()

    with pytest.raises(HTTPException, match="did not arrive within") as raised:
        await read_body(receive, {}, limit=100, seconds=0.02)
    assert raised.value.status_code == 503, "after which Alertmanager sends again"


async def test_who_ends_a_request_is_not_told_that_its_body_was_late() -> None:
    begun = asyncio.Event()

    async def receive() -> Message:
        begun.set()
        return await never()

    reading = asyncio.create_task(read_body(receive, {}, limit=100, seconds=60))
    await begun.wait()
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading


async def never() -> Message:
    await asyncio.Event().wait()
    raise AssertionError
