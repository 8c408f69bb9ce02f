"""Links grant what we signed, as long as we said, and nothing else."""

from __future__ import annotations

import base64
import json
import re
import string
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.signed_links import KEY_LENGTH, Right, sign, verify
from app.errors import LinkExpired, LinkRefused

NOW = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
KEY = b"k" * KEY_LENGTH
RIGHT = Right(12, "ana@example.com", NOW + timedelta(days=7))
TOKEN = sign(RIGHT, KEY)


def refused(token: str, key: bytes = KEY, now: datetime = NOW) -> type[Exception] | None:
    try:
        verify(token, key, now=now)
    except LinkRefused as error:
        return type(error)
    return None


@given(st.integers(1, 2**63 - 1), st.text(max_size=254))
def test_what_was_signed_is_granted(incident: int, recipient: str) -> None:
    right = Right(incident, recipient.encode("utf-8", "replace").decode(), RIGHT.until)
    token = sign(right, KEY)
    assert verify(token, KEY, now=NOW) == right
    assert re.fullmatch(r"[\w.-]+", token, re.ASCII)


@pytest.mark.parametrize("place", range(len(TOKEN)))
def test_no_character_can_be_changed(place: int) -> None:
    """But for the last of the signature's, whose lowest bits mean nothing to Base64."""
    others = set(string.ascii_letters + string.digits + "-_.") - {TOKEN[place]}
    changed = {TOKEN[:place] + other + TOKEN[place + 1 :] for other in others}
    granted = [each for each in changed if refused(each) is None]
    assert len(granted) <= (3 if place == len(TOKEN) - 1 else 0)
    assert all(verify(each, KEY, now=NOW) == RIGHT for each in granted)


@pytest.mark.parametrize(
    "token",
    [
        *("", ".", "..", "a.b", "é.é", "\ud800.x", "A" * 100_000),
        *(TOKEN[:-1], TOKEN + "A", f" {TOKEN}", f"{TOKEN}\n"),
        *(TOKEN.partition(".")[0], TOKEN.replace(".", "")),
    ],
)
def test_what_is_no_token(token: str) -> None:
    assert refused(token) is LinkRefused


def test_another_key_signs_nothing_for_us() -> None:
    assert refused(sign(RIGHT, b"x" * KEY_LENGTH)) is LinkRefused
    assert refused(TOKEN, key=b"x" * KEY_LENGTH) is LinkRefused


def test_a_link_ends_to_the_second() -> None:
    assert refused(TOKEN, now=RIGHT.until - timedelta(seconds=1)) is None
    assert refused(TOKEN, now=RIGHT.until) is LinkExpired
    assert refused(TOKEN, now=RIGHT.until + timedelta(days=9_000)) is LinkExpired


def test_claims_cannot_be_made_by_whoever_can_read_them() -> None:
    body, _, mac = TOKEN.partition(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    assert claims[1:3] == [12, "ana@example.com"]
    for changed in ([*claims[:1], 13, *claims[2:]], [*claims[:3], claims[3] + 1]):
        forged = base64.urlsafe_b64encode(json.dumps(changed).encode()).decode().rstrip("=")
        assert refused(f"{forged}.{mac}") is LinkRefused
