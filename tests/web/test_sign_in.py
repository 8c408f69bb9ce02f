"""Signing in at the console, with a token, and out again."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import Response

from app.core.rights import Right
from app.core.signing import KEY_LENGTH
from app.store import tokens
from app.web import csrf, sessions
from app.web.sessions import LIFE, Session
from app.web.sign_in import own_path
from tests.clock import FakeClock
from tests.house import House, alert, notification, serving
from tests.web.problems import assert_problem
from tests.web.tokens import new_token

DOOR = "/console/sign-in"


async def sign_in(house: House, token: str, **fields: str) -> httpx.Response:
    return await house.http.post(DOOR, data={"token": token, "next": "/console", **fields})


def session_of(house: House) -> Session:
    """Whose session the browser has, as the service reads it."""
    cookies = "; ".join(f"{name}={value}" for name, value in house.http.cookies.items())
    headers = [(b"cookie", cookies.encode())]
    request = Request({"type": "http", "headers": headers})
    found = sessions.read(request, house.context.guard.key, now=house.context.clock.now())
    assert found is not None
    return found


def page_token(house: House) -> dict[str, str]:
    """What a page of the console would hold for this browser."""
    tie = session_of(house).secret
    return {"x-csrf-token": csrf.token(tie, house.context.guard.key)}


async def act(house: House, **headers: str) -> httpx.Response:
    return await house.http.post("/incidents/1/acknowledge", json={}, headers=headers)


async def test_from_the_door_to_the_page_and_out_again(tmp_path: Path) -> None:
    async with serving(tmp_path) as house:
        token = await new_token(house, Right.READ)
        assert DOOR in (await house.http.get(DOOR)).text
        answer = await sign_in(house, token, next="/console/incidents?status=triggered")
        assert answer.status_code == 303
        assert answer.headers["location"] == "/console/incidents?status=triggered"
        assert (await house.http.get("/incidents")).status_code == 200
        left = await house.http.post("/console/sign-out", headers=page_token(house))
        assert left.headers["location"] == DOOR
        assert not house.http.cookies
        assert_problem(await house.http.get("/incidents"), 401)


@pytest.mark.parametrize(
    ("public_url", "name", "secure"),
    [
        (None, "plantao_session", False),
        ("https://plantao.example.com", "__Host-plantao_session", True),
    ],
)
async def test_the_cookie(tmp_path: Path, public_url: str | None, name: str, secure: bool) -> None:
    async with serving(tmp_path, public_url=public_url) as house:
        token = await new_token(house, Right.READ)
        cookie = (await sign_in(house, token)).headers["set-cookie"]
    value, *attributes = cookie.split("; ")
    assert value.startswith(f"{name}=")
    assert token not in cookie
    assert {"HttpOnly", "Path=/", "SameSite=lax", f"Max-Age={7 * 86400}"} <= set(attributes)
    assert ("Secure" in attributes) is secure
    assert not any(each.startswith("Domain") for each in attributes)


async def test_acting_takes_the_page_and_its_token(tmp_path: Path) -> None:
    async with serving(tmp_path) as house:
        await house.post(notification(alert()))
        await sign_in(house, await new_token(house, Right.RESPOND), name="Bia")
        assert_problem(await act(house), 403, "reload the page")
        assert_problem(await act(house, **{"x-csrf-token": "0" * 64}), 403)
        proof = page_token(house)
        assert_problem(await act(house, **proof, origin="https://evil.example"), 403)
        assert_problem(await act(house, **proof, **{"sec-fetch-site": "cross-site"}), 403)
        answer = await act(house, **proof, **{"sec-fetch-site": "same-origin"})
        assert answer.json()["acknowledged_by"] == "Bia"


async def test_another_sessions_page_proves_nothing(tmp_path: Path) -> None:
    async with serving(tmp_path) as house:
        token = await new_token(house, Right.RESPOND)
        await sign_in(house, token)
        others = page_token(house)
        await sign_in(house, token)
        assert_problem(await act(house, **others), 403)


async def test_a_session_ends_with_its_token_at_once(tmp_path: Path) -> None:
    async with serving(tmp_path) as house:
        await sign_in(house, await new_token(house, Right.READ))
        assert (await house.http.get("/incidents")).status_code == 200
        await house.context.db.write(tokens.revoke, 1, now=house.context.clock.now())
        assert_problem(await house.http.get("/incidents"), 401)


async def test_a_session_ends_after_a_week(tmp_path: Path) -> None:
    clock = FakeClock()
    async with serving(tmp_path, clock=clock) as house:
        await sign_in(house, await new_token(house, Right.READ))
        kept = "; ".join(f"{name}={value}" for name, value in house.http.cookies.items())
        house.http.cookies.clear()  # what a browser would do by itself
        headers = {"cookie": kept}
        clock.jump(seconds=LIFE.total_seconds() - 1)
        assert (await house.http.get("/incidents", headers=headers)).status_code == 200
        clock.jump(seconds=1)
        assert_problem(await house.http.get("/incidents", headers=headers), 401)


async def test_a_token_of_the_settings_signs_in_until_it_is_taken_away(tmp_path: Path) -> None:
    async with serving(tmp_path, api_tokens="one,two") as house:
        await sign_in(house, "two")
        cookies = house.http.cookies
        assert (await house.http.get("/receipts")).status_code == 200
    async with serving(tmp_path, api_tokens="one") as house:
        house.http.cookies = cookies
        assert_problem(await house.http.get("/receipts"), 401)


async def test_a_cookie_that_we_did_not_sign(tmp_path: Path) -> None:
    async with serving(tmp_path) as house:
        await new_token(house, Right.ADMIN)
        forged = Response()
        session = sessions.begin("token:1", "", now=house.context.clock.now() + timedelta(days=1))
        sessions.keep(forged, session, b"x" * KEY_LENGTH, secure=False)
        value = forged.headers["set-cookie"].partition(";")[0]
        for cookie in (value, "plantao_session=a.b", "plantao_session=", f"{value}x"):
            answer = await house.http.get("/incidents", headers={"cookie": cookie})
            assert_problem(answer, 401)


async def test_a_wrong_token_is_told_and_slowed_down(tmp_path: Path) -> None:
    async with serving(tmp_path, clock=FakeClock(), locale="pt-BR") as house:
        token = await new_token(house, Right.READ)
        refused = await sign_in(house, "wrong", name="<b>Ana", next='/console/"><script>')
        assert refused.status_code == 403
        assert "Este token não abre nada" in refused.text
        assert "<b>" not in refused.text
        assert "<script" not in refused.text
        for _ in range(10):
            assert (await sign_in(house, "wrong")).status_code == 403
        slowed = await sign_in(house, "wrong")
        assert (slowed.status_code, slowed.headers["retry-after"]) == (429, "1")
        assert "Espere" in slowed.text
        assert (await sign_in(house, token)).status_code == 303


async def test_another_site_signs_nobody_in(tmp_path: Path) -> None:
    async with serving(tmp_path) as house:
        token = await new_token(house, Right.READ)
        data = {"token": token}
        for headers in ({"sec-fetch-site": "cross-site"}, {"origin": "https://evil.example"}):
            answer = await house.http.post(DOOR, data=data, headers=headers)
            assert_problem(answer, 403)
            assert "set-cookie" not in answer.headers


async def test_what_is_no_form(tmp_path: Path) -> None:
    async with serving(tmp_path) as house:
        assert_problem(await house.http.post(DOOR, json={"token": "x"}), 415)
        kind = {"content-type": "application/x-www-form-urlencoded"}
        many = "&".join(f"a{number}=1" for number in range(100)).encode()
        for body, status in ((b"\xff", 400), (many, 400), (b"a" * 300_000, 413)):
            assert_problem(await house.http.post(DOOR, content=body, headers=kind), status)


@pytest.mark.parametrize(
    "wanted",
    [
        *("", "/", "//evil.example", "https://evil.example", "/\\evil.example", "/incidents"),
        *("/console\\evil", "/console/\r\nSet-Cookie: a=b", "/consoles", "javascript:alert(1)"),
        "/console/\u2028",
    ],
)
def test_the_way_back_leads_to_no_other_site(wanted: str) -> None:
    assert own_path(wanted) == "/console"


async def test_where_no_token_is_needed_it_asks_for_a_name(tmp_path: Path) -> None:
    async with serving(tmp_path) as house:
        await house.post(notification(alert()))
        page = (await house.http.get(DOOR)).text
        assert "Who are you?" in page
        assert 'name="token"' not in page
        await sign_in(house, "", name="Ana <ana@example.com>")
        taken = await act(house, **page_token(house))
        assert taken.json()["acknowledged_by"] == "Ana"
        await new_token(house, Right.READ)
        assert_problem(await house.http.get("/incidents"), 401)


async def test_numbers_that_are_none_in_the_console_s_forms(tmp_path: Path) -> None:
    address = "/console/incidents/1"
    async with serving(tmp_path) as house:
        await house.post(notification(alert()))
        await sign_in(house, "", name="Ana")
        for number in ("0" * 20 + "9" * 30, "0" * 5_000, "9" * 19, "²"):
            for form in (
                {"do": "end-silence", "silence": number},
                {"do": "stop-posting", "posting": number},
                {"do": "remove-note", "note": number, "revision": number, "seen": number},
            ):
                answer = await house.http.post(address, data=form, headers=page_token(house))
                assert answer.status_code in {400, 404, 409}
            assert (await house.http.get(address, params={"done": number})).status_code == 200


async def test_strangers_are_led_to_the_door_and_back(tmp_path: Path) -> None:
    async with serving(tmp_path) as house:
        await new_token(house, Right.READ)
        answer = await house.http.post(
            "/console/sign-out", headers={"referer": "http://x/console/a?b=c"}
        )
        assert answer.status_code == 303
        door = urlsplit(answer.headers["location"])
        assert (door.path, parse_qs(door.query)) == (DOOR, {"next": ["/console/a?b=c"]})
        htmx: dict[str, Any] = {"hx-request": "true", "hx-current-url": "http://x/console/a"}
        answer = await house.http.post("/console/sign-out", headers=htmx)
        assert (answer.status_code, answer.text) == (401, "")
        assert answer.headers["hx-redirect"] == f"{DOOR}?next=/console/a"
