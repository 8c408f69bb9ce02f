"""Who may do what: rights, tokens, a proxy's users; and what is open to whom."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.core.rights import Right
from app.store import tokens
from tests.clock import START, FakeClock
from tests.house import WEBHOOK, House, alert, notification, serving
from tests.waiting import tell
from tests.web.problems import assert_problem
from tests.web.tokens import bearer, bearing, new_token

READS = (
    *("/incidents", "/incidents/1", "/incidents/1/timeline", "/incidents/1/silence"),
    *("/changes", "/receipts"),
)
ACTS = (
    *("/incidents/1/acknowledge", "/incidents/1/notes", "/incidents/1/silence"),
    *("/incidents/1/postings/1/retry", "/changes"),
)
ADMINISTERS = (("GET", "/receipts/1"), ("POST", "/receipts/1/replay"), ("POST", "/-/reload"))

#: What needs no token of the API: it is open, or has credentials of its own.
WITHOUT = {"/healthz", "/readyz", "/metrics", "/runbooks/{alertname}"}
OWN_CREDENTIALS = ("/webhooks/", "/slack/")


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """A house with one incident, still open to everybody."""
    async with serving(tmp_path, clock=FakeClock()) as house:
        await house.post(notification(alert()))
        yield house


async def send(house: House, method: str, path: str, headers: dict[str, str]) -> httpx.Response:
    return await house.http.request(method, path, headers=headers, json={})


@pytest.mark.parametrize("right", Right)
async def test_each_right_opens_what_it_says_and_no_more(house: House, right: Right) -> None:
    headers = await bearer(house, right)
    asked = [
        *((Right.READ, "GET", path) for path in READS),
        *((Right.RESPOND, "POST", path) for path in ACTS),
        *((Right.ADMIN, method, path) for method, path in ADMINISTERS),
    ]
    for needed, method, path in asked:
        answer = await send(house, method, path, headers)
        if right.covers(needed):
            assert answer.status_code not in {401, 403}, (path, answer.text)
        else:
            assert_problem(answer, 403, f"`{needed}`", f"`{right}`", "plantao tokens create")
            assert answer.json()["missing"] == str(needed)


async def test_no_address_was_forgotten(house: House) -> None:
    """Every operation that there is wants a token, but for those that are named above."""
    await bearer(house, Right.READ)  # from now on
    paths: dict[str, dict[str, Any]] = (await house.http.get("/openapi.json")).json()["paths"]
    asked = 0
    for path, operations in paths.items():
        if path in WITHOUT or path.startswith(OWN_CREDENTIALS):
            continue
        for method, operation in operations.items():
            filled = path.replace("{number}", "1").replace("{note}", "1")
            filled = filled.replace("{silence}", "1").replace("{posting}", "1")
            assert "{" not in filled, f"fill {path} here"
            assert_problem(await send(house, method, filled, {}), 401)
            assert operation["security"], path
            asked += 1
    assert asked > 20


async def test_open_until_the_first_token_is_made_and_never_again(house: House) -> None:
    assert (await house.http.get("/receipts/1")).status_code == 200
    await new_token(house, Right.READ)
    assert_problem(await house.http.get("/incidents"), 401, "plantao tokens create")
    await house.context.db.write(tokens.revoke, 1, now=START)
    assert_problem(await house.http.get("/incidents"), 401)


async def test_never_open_to_other_machines(tmp_path: Path) -> None:
    async with serving(tmp_path, host="0.0.0.0") as house:
        assert_problem(await house.http.get("/incidents"), 401)
        assert (await house.http.post(WEBHOOK, json=notification())).status_code == 202


async def test_tokens_of_the_settings_open_everything_beside_others(tmp_path: Path) -> None:
    async with serving(tmp_path, api_tokens="one,two") as house:
        made = await bearer(house, Right.READ)
        for headers in (bearing("one"), bearing("two")):
            assert (await send(house, "POST", "/-/reload", headers)).status_code == 200
        assert (await send(house, "GET", "/incidents", made)).status_code == 200
        assert_problem(await send(house, "POST", "/-/reload", made), 403)


@pytest.fixture
async def either(database_url: str, tmp_path: Path) -> AsyncIterator[House]:
    """A house on each kind of database."""
    async with serving(tmp_path, clock=FakeClock(), database_url=database_url) as house:
        yield house


async def test_a_token_ends_when_it_is_revoked_and_when_its_time_is_over(either: House) -> None:
    clock = either.context.clock
    assert isinstance(clock, FakeClock)
    until = START + timedelta(days=1)
    brief = bearing(await new_token(either, Right.READ, expires_at=until))
    lasting = bearing(await new_token(either, Right.READ))
    for headers in (brief, lasting):
        assert (await send(either, "GET", "/incidents", headers)).status_code == 200
    clock.jump(days=1)
    assert_problem(await send(either, "GET", "/incidents", brief), 401)
    assert (await send(either, "GET", "/incidents", lasting)).status_code == 200
    await either.context.db.write(tokens.revoke, 2, now=clock.now())
    assert_problem(await send(either, "GET", "/incidents", lasting), 401)


async def test_when_a_token_was_used_is_known_to_the_hour(either: House) -> None:
    clock = either.context.clock
    assert isinstance(clock, FakeClock)
    headers = await bearer(either, Right.READ)
    known = []
    for minutes in (0, 59, 1):
        clock.jump(minutes=minutes)
        await send(either, "GET", "/incidents", headers)
        known.append((await either.context.db.read(tokens.get, 1)).used_at)
    assert known == [START, START, START + timedelta(hours=1)]


def stored(directory: Path) -> bytes:
    return b"".join(file.read_bytes() for file in directory.glob("plantao.db*"))


async def test_the_token_itself_is_not_kept(house: House, tmp_path: Path) -> None:
    headers = await bearer(house, Right.READ)
    await send(house, "GET", "/incidents", headers)
    secret = headers["authorization"].removeprefix("Bearer ").encode()
    assert b"Ana" in stored(tmp_path)
    assert secret not in stored(tmp_path)


async def test_who_acts_is_whom_the_call_names_else_whose_token_it_is(house: House) -> None:
    headers = await bearer(house, Right.RESPOND, name="Ana <ana@example.com>")
    taken = await send(house, "POST", "/incidents/1/acknowledge", headers)
    assert taken.json()["acknowledged_by"] == "Ana"
    body = {"by": "Bia", "text": "seen"}
    note = await house.http.post("/incidents/1/notes", headers=headers, json=body)
    assert note.json()["note"]["by"] == "Bia"


async def test_somebody_must_say_who_acts(tmp_path: Path) -> None:
    async with serving(tmp_path, api_tokens="one") as house:
        await house.post(notification(alert()))
        answer = await send(house, "POST", "/incidents/1/acknowledge", bearing("one"))
        assert_problem(answer, 422, "`by`")


# Guessing


async def refused(house: House, count: int, address: str) -> list[int]:
    """The answers to so many wrong tokens from there."""
    transport = httpx.ASGITransport(house.app, client=(address, 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://plantao.test") as http:
        asked = [await http.get("/incidents", headers=bearing("wrong")) for _ in range(count)]
    return [answer.status_code for answer in asked]


async def test_wrong_tokens_slow_down_their_sender_and_nobody_else(tmp_path: Path) -> None:
    clock = FakeClock()
    async with serving(tmp_path, clock=clock, api_tokens="one") as house:
        assert await refused(house, 13, "10.0.0.1") == [401] * 11 + [429] * 2
        assert await refused(house, 1, "10.0.0.2") == [401]
        clock.jump(seconds=1)
        assert await refused(house, 2, "10.0.0.1") == [401, 429]
        clock.jump(seconds=1)
        assert await refused(house, 1, "10.0.0.1") == [429]  # each time twice as long
        clock.jump(minutes=16)
        assert await refused(house, 2, "10.0.0.1") == [401, 401]


async def test_a_made_token_opens_from_where_others_guess(tmp_path: Path) -> None:
    async with serving(tmp_path, clock=FakeClock(), api_tokens="one") as house:
        made = await bearer(house, Right.READ)
        await refused(house, 13, "127.0.0.1")
        slowed = await send(house, "GET", "/incidents", bearing("one"))
        assert_problem(slowed, 429, "wait 1 s")
        assert slowed.headers["retry-after"] == "1"
        assert (await send(house, "GET", "/incidents", made)).status_code == 200


# A proxy

PROXIED: dict[str, Any] = {
    "proxy_user_header": "X-Forwarded-User",
    "trusted_proxies": "10.0.0.0/24, ::1",
}


async def through(
    house: House, peer: str, *headers: tuple[str, str], path: str = "/incidents", **sent: Any
) -> httpx.Response:
    transport = httpx.ASGITransport(house.app, client=(peer, 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://plantao.test") as http:
        return await http.request("POST" if sent else "GET", path, headers=list(headers), **sent)


async def test_a_proxys_user_is_believed_from_named_addresses_only(tmp_path: Path) -> None:
    user = ("x-forwarded-user", "ana@example.com")
    async with serving(tmp_path, **PROXIED) as house:
        for peer in ("10.0.0.7", "::ffff:10.0.0.7", "::1"):
            assert (await through(house, peer, user)).status_code == 200
        for peer in ("10.0.1.7", "127.0.0.1", "::2", "somewhere"):
            assert_problem(await through(house, peer, user), 401)
            claims = ("x-forwarded-for", "10.0.0.7")
            assert_problem(await through(house, peer, user, claims), 401)
        assert_problem(await through(house, "10.0.0.7"), 401)
        assert_problem(await through(house, "10.0.0.7", user, user), 401)


async def test_what_a_proxys_users_may(tmp_path: Path) -> None:
    user = ("x-forwarded-user", "ana@example.com")
    async with serving(tmp_path, **PROXIED) as house:
        assert_problem(await through(house, "10.0.0.7", user, path="/receipts/1"), 403)
    async with serving(tmp_path, proxy_user_right="admin", **PROXIED) as house:
        assert (await through(house, "10.0.0.7", user, path="/receipts/1")).status_code == 404


async def test_a_proxys_user_acts_from_our_own_pages_only(tmp_path: Path) -> None:
    """The proxy lets the browser in, whichever site it is on: the page's token proves ours."""
    user = ("x-forwarded-user", "ana@example.com")
    async with serving(tmp_path, **PROXIED) as house:
        told: dict[str, Any] = {
            "json": {"source": "ci", "kind": "deploy", "title": "x"},
            "path": "/changes",
        }
        assert_problem(await through(house, "10.0.0.7", user, **told), 403)
        forged = ("x-csrf-token", "0" * 64)
        assert_problem(await through(house, "10.0.0.7", user, forged, **told), 403)


async def test_behind_a_proxy_each_client_is_slowed_down_for_itself(tmp_path: Path) -> None:
    async with serving(tmp_path, api_tokens="one", **PROXIED) as house:
        wrong = ("authorization", "Bearer wrong")

        async def asked(forwarded: str) -> int:
            header = ("x-forwarded-for", forwarded)
            return (await through(house, "10.0.0.7", wrong, header)).status_code

        # What a client writes into the header itself stands before what the proxy appends.
        made_up = (f"192.0.2.{number}, 203.0.113.5" for number in itertools.count())
        assert [await asked(next(made_up)) for _ in range(12)] == [401] * 11 + [429]
        assert await asked("203.0.113.6") == 401


# Browsers


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"sec-fetch-site": "same-origin"}, 200),
        ({"sec-fetch-site": "none"}, 200),
        ({"origin": "http://plantao.test"}, 200),
        ({"origin": "https://plantao.example.com"}, 200),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"sec-fetch-site": "cross-site", "origin": "http://plantao.test"}, 403),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://[nonsense"}, 403),
    ],
)
async def test_no_other_sites_page_acts_on_an_open_service(
    tmp_path: Path, headers: dict[str, str], status: int
) -> None:
    async with serving(tmp_path, public_url="https://plantao.example.com") as house:
        await tell(house, notification(alert()))
        answer = await house.http.post(
            "/incidents/1/acknowledge", json={"by": "Ana"}, headers=headers
        )
        assert answer.status_code == status, answer.text


async def test_a_token_may_be_sent_from_any_page(house: House) -> None:
    headers = await bearer(house, Right.RESPOND) | {"origin": "https://tools.example.com"}
    assert (await send(house, "POST", "/incidents/1/acknowledge", headers)).status_code == 200


async def test_every_answer_says_how_browsers_must_take_it(house: House) -> None:
    paths = ("/incidents", "/incidents/99", "/nowhere", "/healthz", "/metrics", "/openapi.json")
    pages = ("/docs", "/console/sign-in", "/runbooks/PlantaoDeliveryFailing")
    for path in (*paths, *pages):
        said = (await house.http.get(path)).headers
        assert said["x-content-type-options"] == "nosniff"
        assert said["referrer-policy"] == "same-origin"
        policy = said["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert len(said.get_list("content-security-policy")) == 1
