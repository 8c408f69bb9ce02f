"""The webhook takes whatever comes with valid credentials, says what became of it, keeps it."""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.house import WEBHOOK, House, alert, notification, serving
from tests.waiting import applied, soon
from tests.web.problems import assert_problem

BODY = json.dumps(notification(alert())).encode()


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with serving(tmp_path) as house:
        yield house


async def send(house: House, body: bytes, **headers: str) -> httpx.Response:
    return await house.http.post(WEBHOOK, content=body, headers=headers)


# What can be read


@pytest.mark.parametrize("path", [WEBHOOK, WEBHOOK + "/"])
async def test_a_notification_is_accepted_at_both_addresses(house: House, path: str) -> None:
    answer = await house.http.post(path, content=BODY)
    assert (answer.status_code, answer.json()) == (202, {"receipt": 1, "state": "accepted"})
    receipt = await applied(house, 1)
    assert receipt["body"].encode() == BODY
    (incident,) = await house.incidents()
    assert incident["alerts"][0]["labels"] == {"alertname": "HighErrorRate"}


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"\xef\xbb\xbf" + BODY, {}),  # a byte order mark
        (gzip.compress(BODY), {"content-encoding": "gzip"}),
        (gzip.compress(BODY), {"content-encoding": "GZip"}),
        (gzip.compress(BODY[:100]) + gzip.compress(BODY[100:]), {"content-encoding": "gzip"}),
        (BODY, {"content-encoding": "gzip"}),  # it says so, and is not
        (BODY, {"content-type": "text/plain; charset=latin-1"}),
        (BODY, {"content-type": "multipart/form-data"}),
        (BODY, {"content-type": ""}),
        (BODY + b"\n\n  ", {}),
    ],
)
async def test_it_is_read_whatever_is_said_about_it(
    house: House, body: bytes, headers: dict[str, str]
) -> None:
    answer = await send(house, body, **headers)
    assert (answer.status_code, answer.json()["state"]) == (202, "accepted")


@pytest.mark.parametrize(
    "change",
    [
        {"alerts": []},
        {"version": "5"},
        {"unheard_of": {"deep": [1, 2]}},
        {"groupLabels": None, "groupKey": 7, "externalURL": None, "receiver": []},
        {"truncatedAlerts": -3},
        {"truncatedAlerts": "many"},
        {"status": "nonsense"},
    ],
)
async def test_what_stands_around_the_alerts_costs_nothing(
    house: House, change: dict[str, Any]
) -> None:
    answer = await house.post(notification(alert()) | change)
    assert answer["state"] == "accepted"


# What cannot be read

UNREADABLE: dict[str, bytes] = {
    "nothing": b"",
    "a cut body": BODY[: len(BODY) // 2],
    "no JSON": b"<html>502 Bad Gateway</html>",
    "two bodies": BODY + BODY,
    "a list": b"[]",
    "null": b"null",
    "a number": b"1e999",
    "no alerts": b'{"version": "4"}',
    "alerts that are none": b'{"alerts": 5}',
    "only unreadable alerts": b'{"alerts": [{}, 1, null]}',
    "deep": b'{"alerts": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "deep objects": b'{"a":' * 100_000,
    "huge number": b'{"alerts": [' + b"9" * 100_000 + b"]}",
    "UTF-16": BODY.decode().encode("utf-16"),
    "UTF-32": BODY.decode().encode("utf-32"),
    "latin-1": '{"alerts": [{"labels": {"a": "plantão"}}]}'.encode("latin-1"),
    "zeros": b"\x00" * 1000,
    "a lone surrogate": json.dumps(notification(alert(pod="\ud800"))).encode(),
    "cut gzip": gzip.compress(BODY)[:-20],
    "gzip unannounced": gzip.compress(BODY),
}


@pytest.mark.parametrize("kind", UNREADABLE)
async def test_what_cannot_be_read_is_kept_and_said_so(house: House, kind: str) -> None:
    body = UNREADABLE[kind]
    headers = {"content-encoding": "gzip"} if kind == "cut gzip" else {}
    answer = await send(house, body, **headers)
    assert answer.status_code == 202
    assert answer.json()["state"] == "quarantined"
    assert answer.json()["problem"]
    kept = (await house.http.get("/receipts/1")).json()
    raw = kept["body"].encode() if "body" in kept else base64.b64decode(kept["body_base64"])
    assert raw == body
    (ours,) = await house.incidents(alertname="PlantaoReceiptQuarantined")
    assert ours["status"] == "triggered"
    assert "Receipt 1" in ours["annotations"]["description"]


async def test_one_bad_alert_loses_only_itself(house: House) -> None:
    bad: list[Any] = [
        {**alert(), "labels": "none"},
        {**alert(), "status": "maybe"},
        {**alert(), "labels": {"a": 5}},
        {**alert(), "startsAt": "yesterday"},
        None,
    ]
    body = notification(alert()) | {"alerts": [*bad, alert(instance="good"), *bad]}
    answer = await house.post(body)
    assert answer["state"] == "accepted"
    assert "alerts[0]" in answer["problem"]
    await applied(house, 1)
    names = {i["labels"].get("alertname") for i in await house.incidents()}
    assert names == {"HighErrorRate", "PlantaoAlertUnreadable"}


@pytest.mark.parametrize(
    "bad",
    [
        r'{"status": "firing", "labels": {"alertname": "\ud800"}}',
        r'{"status": "firing", "labels": {"\udc00": "x"}}',
        r'{"status": "firing", "labels": {}, "fingerprint": "\ud800"}',
        '{"status": "firing", "labels": {"alertname": ' + "9" * 5000 + "}}",
        '{"status": "firing", "labels": {}, "startsAt": -' + "9" * 5000 + "}",
        '{"status": "firing", "labels": {}, "deep": ' + "[" * 300 + "]" * 300 + "}",
    ],
)
async def test_what_no_parser_takes_loses_only_its_alert(house: House, bad: str) -> None:
    good = [alert(emoji="🔥", pod="a"), alert(emoji="🔥", pod="b")]
    whole = json.dumps(notification(*good, groupKey="\ud800", truncatedAlerts=3))
    answer = await house.post(whole.replace("}, {", f"}}, {bad}, {{").encode())
    assert (answer["state"], answer["problem"][:11]) == ("accepted", "alerts[1]: ")
    await applied(house, 1)
    found = {i["labels"].get("alertname"): i for i in await house.incidents()}
    assert set(found) == {"HighErrorRate", "PlantaoAlertUnreadable"}
    ours = found["HighErrorRate"]
    assert ours["labels"] == {"alertname": "HighErrorRate", "emoji": "🔥"}
    assert (ours["alert_counts"]["firing"], ours["truncated"]) == (2, True)


@pytest.mark.parametrize("around", [r'"groupKey": "\ud800"', '"unheard_of": ' + "9" * 5000])
async def test_what_no_parser_takes_around_the_alerts_costs_nothing(
    house: House, around: str
) -> None:
    answer = await house.post(BODY[:-1] + b", " + around.encode() + b"}")
    assert answer == {"receipt": 1, "state": "accepted"}
    await applied(house, 1)
    assert [i["title"] for i in await house.incidents()] == [
        "HighErrorRate: HighErrorRate is happening"
    ]


@pytest.mark.parametrize(
    "body",
    [
        b'{"alerts": [{"status": "firing", "labels": {"alertname": "A", "v": NaN}}]}',
        b'{"alerts": [{"status": "firing", "labels": {"alertname": "A"}}], "x": NaN}',
        b'{"alerts": [{"status": "firing", "labels": {"alertname": "A"}}], "x": -Infinity}',
        b'{"alerts": [], "alerts": [{"status": "firing", "labels": {"alertname": "A"}}]}',
        b'{"alerts": [{"status": "firing", "status": "firing", "labels": {"a": "1", "a": "2"}}]}',
        b'{"alerts": [{"status": "firing", "labels": {"": "", "alertname": ""}}]}',
        b'{"alerts": [{"status": "firing", "labels": {}, "startsAt": "9999-12-31T23:59:59-09"}]}',
        b'{"alerts": [{"status": "firing", "labels": {}, "startsAt": "9999-12-31T23:59-14:00"}]}',
        b'{"alerts": [{"status": "resolved", "labels": {}, "endsAt": "0001-01-01T00:00+14:00"}]}',
        b'{"alerts": [{"status": "firing", "labels": {"a": "\\u0000"}}]}',
        b'{"alerts": [{"status": "firing", "labels": {}, "fingerprint": "' + b"f" * 9999 + b'"}]}',
    ],
)  # fmt: skip
async def test_what_is_odd_gets_a_clear_answer_and_stops_nothing(house: House, body: bytes) -> None:
    answer = await send(house, body)
    assert answer.status_code == 202
    await house.post(notification(alert("After")))

    async def taken() -> bool:
        return bool(await house.incidents(alertname="After"))

    await soon(taken)
    assert (await house.http.get("/incidents")).status_code == 200


# Who may post, how, and how much


async def test_only_post_is_answered(house: House) -> None:
    for path in (WEBHOOK, WEBHOOK + "/"):
        for method in ("GET", "HEAD", "PUT", "DELETE", "PATCH"):
            answer = await house.http.request(method, path)
            assert answer.status_code == 405
            assert "POST" in answer.headers["allow"]
        assert_problem(await house.http.get(path), 405, "does not take that method")


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


async def test_credentials_in_every_form_alertmanager_can_send(tmp_path: Path) -> None:
    token = "s3cret:plantão"
    right = ["Bearer ", "bearer  ", "Token ", "X-Own-Scheme "]
    async with serving(tmp_path, webhook_token=token) as house:
        for given in [*(scheme + token for scheme in right), basic("any", token), basic("", token)]:
            headers = {b"authorization": given.encode()}
            answer = await house.http.post(WEBHOOK, content=BODY, headers=headers)
            assert answer.status_code == 202, given


@pytest.mark.parametrize(
    "given",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Bearer s3cre",
        "Bearer s3crets",
        "s3cret",
        "Basic s3cret",
        "Basic !!!",
        "Basic " + base64.b64encode(b"s3cret").decode(),
        "Basic " + base64.b64encode(b"s3cret:").decode(),
        "Basic " + base64.b64encode(b"\xff:\xfe").decode(),
        basic("any", "wrong"),
    ],
)
async def test_wrong_credentials_keep_nothing(tmp_path: Path, given: str | None) -> None:
    headers = {} if given is None else {"authorization": given}
    async with serving(tmp_path, webhook_token="s3cret") as house:
        answer = await send(house, BODY, **headers)
        assert_problem(answer, 401, "PLANTAO_WEBHOOK_TOKEN")
        assert answer.headers["www-authenticate"]
        assert (await house.http.get("/receipts")).json()["items"] == []


async def test_the_limit_of_size_holds_before_and_after_unpacking(tmp_path: Path) -> None:
    async with serving(tmp_path, max_body_bytes=10_000) as house:
        fits = b" " * (10_000 - len(BODY)) + BODY
        assert (await send(house, fits)).status_code == 202
        assert_problem(await send(house, b" " + fits), 413, "PLANTAO_MAX_BODY_BYTES", "max_alerts")
        packed = gzip.compress(b" " * 10_000 + BODY)
        assert_problem(await send(house, packed, **{"content-encoding": "gzip"}), 413)
        bomb = gzip.compress(gzip.compress(b"0" * 50_000_000))
        answer = await send(house, bomb, **{"content-encoding": "gzip"})
        assert answer.status_code in {202, 413}
        assert len((await house.http.get("/receipts")).json()["items"]) <= 2


# Random bodies

_names = st.text(max_size=8)
_leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
_json = st.recursive(
    _leaves,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_names, inner, max_size=4),
    max_leaves=20,
)
_moments = st.datetimes().map(lambda moment: f"{moment.isoformat()}Z")
_alert = st.fixed_dictionaries(
    {
        "status": st.sampled_from(["firing", "resolved", "x"]) | _json,
        "labels": st.dictionaries(st.text(max_size=10), st.text(max_size=30), max_size=4) | _json,
    },
    optional={
        "annotations": st.dictionaries(st.text(max_size=9), st.text(), max_size=3) | _json,
        "startsAt": _moments | _json,
        "endsAt": _moments | _json,
        "fingerprint": st.text(max_size=20) | _json,
        "generatorURL": st.text(max_size=20) | _json,
    },
)
_AROUND = ("receiver", "groupLabels", "groupKey", "externalURL", "truncatedAlerts")
_body = st.fixed_dictionaries(
    {"alerts": st.lists(_alert | _json, max_size=4) | _json},
    optional=dict.fromkeys(_AROUND, _json),
)


def test_no_body_is_an_error_of_ours(tmp_path: Path) -> None:
    """One service takes them all, and is well afterwards."""
    with asyncio.Runner() as runner:
        service = serving(tmp_path)
        house = runner.run(service.__aenter__())

        @settings(max_examples=200, deadline=None, database=None)
        @given(body=(_body | _json).map(json.dumps))
        def take(body: str) -> None:
            runner.run(_take(house, body.encode("utf-8", "surrogatepass")))

        try:
            take()
            runner.run(_is_well(house))
        finally:
            runner.run(service.__aexit__(None, None, None))


async def _take(house: House, body: bytes) -> None:
    answer = await send(house, body)
    assert answer.status_code == 202, answer.text
    state = {"accepted": "applied"}.get(answer.json()["state"], "quarantined")
    await applied(house, answer.json()["receipt"], state=state)


async def _is_well(house: House) -> None:
    assert (await house.http.get("/incidents", params={"limit": "500"})).status_code == 200
    assert (await house.http.get("/readyz")).status_code == 200
