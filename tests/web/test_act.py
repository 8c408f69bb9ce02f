"""The page behind a mail's link: opening it does nothing, pressing a button does one thing."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi.routing import APIRoute
from structlog.testing import capture_logs

from app.core.signed_links import Right, sign
from tests.clock import FakeClock
from tests.house import House, alert, notification, serving
from tests.neighbours.smtp import SmtpServer
from tests.waiting import soon, tell

BASE = "https://plantao.example.com/p"
A = alert("KafkaLag", severity="critical", component="kafka")
A_OVER = alert("KafkaLag", severity="critical", component="kafka", status="resolved")
CONFIG = """
receivers:
  oncall: {{email: {{to: [{to}]}}, locale: {locale}}}
routes: {{receiver: oncall}}
"""


@dataclass
class Desk:
    """A service that mails, and whoever reads the mails."""

    house: House
    smtp: SmtpServer
    clock: FakeClock

    async def mailed(self, count: int) -> None:
        async def there() -> bool:
            return len(self.smtp.mailbox.messages) >= count

        await soon(there, what=f"{count} mails")

    async def path(self, to: str = "ana@example.com", number: int = 1) -> str:
        """Where the link leads in the newest mail to somebody, on the service itself."""
        await self.mailed(1)

        async def found() -> str:
            for delivery in reversed(self.smtp.mailbox.messages):
                about = f"#{number}]" in delivery.message["Subject"]
                if about and delivery.recipients == (to,):
                    return _link(delivery.message)
            return ""

        return await soon(found, what=f"a mail to {to}")

    async def get(self, path: str) -> str:
        answer = await self.house.http.get(path)
        assert answer.status_code == 200, answer.text
        return shown(answer)

    async def post(self, path: str, do: str, **fields: str) -> httpx.Response:
        return await self.house.http.post(path, data={"do": do, **fields})

    async def press(self, path: str, do: str, **fields: str) -> str:
        """Press a button, as a browser does: the page that is seen then."""
        answer = await self.post(path, do, **fields)
        assert answer.status_code == 303, answer.text
        return await self.get(str(httpx.URL(f"http://x{path}").join(answer.headers["location"])))


def _link(mail: EmailMessage) -> str:
    text = mail.get_body(("plain",))
    assert isinstance(text, EmailMessage)
    found = re.search(rf"{BASE}(/act/\S+)", text.get_content())
    return found[1] if found else ""


def shown(answer: httpx.Response) -> str:
    """A page's text."""
    assert_private(answer)
    return unescape(re.sub(r"<(style|title)>.*?</\1>|<[^>]+>", " ", answer.text, flags=re.DOTALL))


def assert_private(answer: httpx.Response) -> None:
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "noindex" in answer.headers["x-robots-tag"]
    if answer.status_code != 303:
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; style-src 'sha256-")
        assert "frame-ancestors 'none'" in policy
        _Harmless(answer.text)


class _Harmless(HTMLParser):
    """A page that runs nothing and fetches nothing."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag not in {"script", "img", "link", "iframe", "object", "base"}
        for name, value in attrs:
            assert not name.startswith("on")
            assert name not in {"style", "src", "srcset", "action", "formaction"}
            assert name != "href" or str(value).startswith(("http://", "https://"))


@asynccontextmanager
async def mailing(
    path: Path, to: str = "ana@example.com", locale: str = "en", **settings: Any
) -> AsyncIterator[Desk]:
    (path / "plantao.yml").write_text(CONFIG.format(to=to, locale=locale))
    clock = FakeClock()
    with SmtpServer(path) as smtp:
        given = {"config": path / "plantao.yml", "smtp_url": smtp.url, "public_url": BASE}
        async with serving(path, clock=clock, **given, **settings) as house:
            yield Desk(house, smtp, clock)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with mailing(tmp_path) as desk:
        await tell(desk.house, notification(A))
        yield desk


# Looking


async def test_looking_changes_nothing(desk: Desk) -> None:
    """Mail filters and browsers that fetch ahead follow every link, some of them twice."""
    path = await desk.path()
    before = await desk.house.incident(1)
    for method, headers in (
        ("HEAD", {}),
        ("GET", {"Sec-Purpose": "prefetch"}),
        ("GET", {"User-Agent": "SafeLinks"}),
        ("GET", {}),
    ):
        answer = await desk.house.http.request(method, path, headers=headers)
        assert answer.status_code == 200
        assert_private(answer) if method == "GET" else None
    for method in ("PUT", "DELETE", "OPTIONS", "PATCH"):
        assert (await desk.house.http.request(method, path)).status_code == 405
    assert await desk.house.timeline(1) == ["opened"]
    assert (await desk.house.incident(1))["revision"] == before["revision"]


async def test_the_page_tells_the_story(desk: Desk) -> None:
    await desk.house.http.post("/incidents/1/notes", json={"by": "Bia", "text": "the disk?"})
    page = await desk.get(await desk.path())
    for words in (
        "CRITICAL",
        "KafkaLag is happening",
        "1 firing",
        "Opened: 1 alert firing",
        "Note by Bia: the disk?",
        "You act as ana@example.com.",
        "This link works until 30 Nov, 03:00",
        "Acknowledge",
    ):
        assert words in page, words


async def test_hostile_text_stays_text(tmp_path: Path) -> None:
    bad = '"><script>alert(1)</script><img src=x onerror=alert(1)>'
    async with mailing(tmp_path) as desk:
        notes = {"summary": bad, "runbook_url": "javascript:alert(1)", "description": bad * 3}
        await tell(desk.house, notification(alert(bad[:90], annotations=notes)))
        path = await desk.path()
        await desk.press(path, "note", text=bad)
        answer = await desk.house.http.get(path, params={"as": bad})
        assert "<script" not in answer.text
        assert "<img" not in answer.text
        assert "javascript:" not in answer.text
        assert answer.text.count(bad[:10]) == 0
        assert bad in unescape(answer.text)


# Acting


async def test_from_acknowledging_to_resolving(desk: Desk) -> None:
    path = await desk.path()
    assert "Acknowledged by ana@example.com" in await desk.press(path, "acknowledge")
    incident = await desk.house.incident(1)
    assert (incident["status"], incident["acknowledged_by"]) == ("acknowledged", "ana@example.com")
    assert "CRITICAL" in await desk.press(path, "unacknowledge")
    assert "rebooted\nthe broker" in await desk.press(path, "note", text="rebooted\r\nthe broker ")
    await tell(desk.house, notification(A_OVER))
    kinds = ["opened", "acknowledged", "unacknowledged", "note", "alerts_resolved", "resolved"]
    assert (await desk.house.timeline(1))[:4] == kinds[:4]
    page = await desk.get(path)
    assert "Resolved" in page
    assert "Acknowledge " not in page
    assert "thanks" in await desk.press(path, "note", text="thanks")


async def test_resolving_what_still_fires_is_asked_about(desk: Desk) -> None:
    path = await desk.path()
    answer = await desk.post(path, "resolve")
    assert answer.status_code == 409
    assert "1 alert still fires" in shown(answer)
    assert "Resolve all the same" in shown(answer)
    (revision,) = re.findall(r'name="revision" value="(\d+)"', answer.text)
    await desk.house.http.post("/incidents/1/notes", json={"by": "Bia", "text": "wait!"})
    late = await desk.post(path, "resolve", anyway="yes", revision=revision)
    assert late.status_code == 409
    assert "changed meanwhile" in shown(late)
    again = await desk.post(path, "resolve")
    (revision,) = re.findall(r'name="revision" value="(\d+)"', again.text)
    page = await desk.press(path, "resolve", anyway="yes", revision=revision)
    assert "Resolved by ana@example.com" in page


async def test_who_is_late_is_told_and_undoes_nothing(tmp_path: Path) -> None:
    async with mailing(tmp_path, to="ana@example.com, bia@example.com") as desk:
        await tell(desk.house, notification(A))
        ana, bia = await desk.path("ana@example.com"), await desk.path("bia@example.com")
        await desk.press(bia, "acknowledge")
        late = await desk.post(ana, "acknowledge")
        assert late.status_code == 409
        assert "Already acknowledged by bia@example.com, 23 Nov, 03:00" in shown(late)
        await tell(desk.house, notification(A_OVER))
        await desk.clock.advance(minutes=1)
        for do in ("acknowledge", "unacknowledge", "resolve"):
            late = await desk.post(ana, do)
            assert late.status_code == 409
            assert "Already resolved, 23 Nov, 03:00" in shown(late)
        assert (await desk.house.incident(1))["acknowledged_by"] == "bia@example.com"


async def test_twice_is_once(desk: Desk) -> None:
    path = await desk.path()
    for _ in range(3):
        await desk.press(path, "acknowledge")
        await desk.press(path, "note", text="on it")
    assert await desk.house.timeline(1) == ["opened", "acknowledged", "note"]
    await desk.press(path, "note", text="still on it")
    await desk.press(path, "note", text="on it")
    assert (await desk.house.timeline(1)).count("note") == 3


async def test_people_who_share_a_mailbox_are_told_apart(desk: Desk) -> None:
    path = await desk.path()
    ana, bia = f"{path}?as=Ana", f"{path}?as=Bia"
    assert "Acknowledged by Ana (ana@example.com)" in await desk.press(ana, "acknowledge")
    late = await desk.post(bia, "acknowledge")
    assert "Already acknowledged by Ana (ana@example.com)" in shown(late)
    assert "You act as Bia (ana@example.com)." in shown(late)


# What a link grants


async def test_a_link_is_for_one_incident(desk: Desk) -> None:
    """Whatever the form says."""
    await tell(desk.house, notification(alert("Other")))
    path = await desk.path(number=1)
    await desk.press(path, "acknowledge", incident="2", number="2")
    assert (await desk.house.incident(2))["status"] == "triggered"
    answer = await desk.post(path, "end-silence", silence="7")
    assert answer.status_code == 404
    assert "can no longer be done" in shown(answer)


@pytest.mark.parametrize("token", ["x", "x.y", "é", "a" * 5000, "W10.AAAA", "%00"])
async def test_a_link_that_is_not_ours(desk: Desk, token: str) -> None:
    for answer in (
        await desk.house.http.get(f"/act/{token}"),
        await desk.post(f"/act/{token}", "acknowledge"),
    ):
        assert answer.status_code in {403, 404}
        if answer.status_code == 403:
            assert "This link is not valid" in shown(answer)
    assert await desk.house.timeline(1) == ["opened"]


async def test_a_link_ends_after_a_week(desk: Desk) -> None:
    path = await desk.path()
    await desk.clock.advance(days=6, hours=23, settle=0)
    assert "Add a note" in await desk.get(path)
    await desk.clock.advance(hours=1, settle=0)
    for answer in (await desk.house.http.get(path), await desk.post(path, "note", text="x")):
        assert answer.status_code == 410
        assert "Links in mails work for 7 days" in shown(answer)
    assert "note" not in await desk.house.timeline(1)


async def test_an_incident_that_is_no_longer_kept(desk: Desk) -> None:
    key = await _key(desk)
    token = sign(Right(99, "ana@example.com", desk.clock.now().replace(year=2027)), key)
    for answer in (
        await desk.house.http.get(f"/act/{token}"),
        await desk.post(f"/act/{token}", "acknowledge"),
    ):
        assert answer.status_code == 404
        assert "no longer kept" in shown(answer)


async def _key(desk: Desk) -> bytes:
    from app.engine.signed_links import link_key  # noqa: PLC0415

    return await link_key(desk.house.context.db, None, desk.clock)


async def test_links_outlive_the_process_but_not_their_secret(tmp_path: Path) -> None:
    async with mailing(tmp_path) as desk:
        await tell(desk.house, notification(A))
        path = await desk.path()
    async with mailing(tmp_path) as desk:
        assert "KafkaLag" in await desk.get(path)
    async with mailing(tmp_path, link_secret="s" * 32) as desk:
        assert (await desk.house.http.get(path)).status_code == 403


async def test_the_page_needs_no_other_right_and_gives_none(tmp_path: Path) -> None:
    async with mailing(tmp_path, api_tokens="one") as desk:
        await desk.house.post(notification(A))
        path = await desk.path()
        page = await desk.press(path, "acknowledge")
        assert "Acknowledged by ana@example.com" in page
        assert "one" not in page.split()
        assert (await desk.house.http.get("/incidents/1")).status_code == 401


async def test_no_token_gets_into_the_log(desk: Desk) -> None:
    async def fails(token: str) -> None:
        raise RuntimeError

    desk.house.app.router.routes.insert(0, APIRoute("/act/{token}", fails))
    with capture_logs() as logs, pytest.raises(RuntimeError):
        await desk.house.http.get(await desk.path())
    (logged,) = [each for each in logs if "unexpectedly" in each["event"]]
    assert logged["path"] == "/act/…"


async def test_personal_data_is_masked(tmp_path: Path) -> None:
    cpf = "529.982.247-25"
    async with mailing(tmp_path) as desk:
        await tell(desk.house, notification(alert("Payee", payer=cpf, severity="critical")))
        path = await desk.path()
        await desk.press(f"{path}?as=Eva", "acknowledge")
        await desk.press(path, "note", text=f"it is {cpf}, eva@example.net")
        late = await desk.post(path, "acknowledge")
        for page in (await desk.get(path), shown(late)):
            assert "Payee" in page
            assert cpf not in page
            assert "eva@example.net" not in page
        assert "ana@example.com" in await desk.get(path)  # whom we write to, and who reads this


# Forms that are none


@pytest.mark.parametrize(
    "form",
    [
        {"do": ""},
        {"do": "delete"},
        {"do": "note"},
        {"do": "note", "text": " \r\n\t\x00 "},
        {"do": "note", "text": "x" * 10_001},
        {"do": "silence"},
        {"do": "silence", "length": "9000h"},
        {"do": "end-silence", "silence": "-1"},
        {"do": "end-silence", "silence": "²"},
        {"do": "end-silence", "silence": "9" * 30},
        {"do": "end-silence", "silence": "0" * 20 + "9" * 30},
        {"do": "end-silence", "silence": "0" * 5_000},
        {"do": "end-silence", "silence": str(2**63)},
        {"do": "resolve", "anyway": "yes"},
        {"do": "resolve", "anyway": "yes", "revision": "0" * 20 + "9" * 30},
        {f"field{number}": "x" for number in range(50)},
    ],
)
async def test_a_form_that_makes_no_sense(desk: Desk, form: dict[str, str]) -> None:
    answer = await desk.house.http.post(await desk.path(), data=form)
    assert answer.status_code == 400
    assert "Nothing was changed" in shown(answer)
    assert await desk.house.timeline(1) == ["opened"]


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b'{"do": "acknowledge"}', "application/json", 415),
        (b"do=acknowledge", "text/plain", 415),
        (b"do=acknowledge", "", 415),
        (b"do=note&text=\xff\xfe", "application/x-www-form-urlencoded", 400),
        (b"do=note&text=" + b"x" * 300_000, "application/x-www-form-urlencoded", 413),
    ],
)
async def test_a_body_that_is_no_form(desk: Desk, content: bytes, kind: str, status: int) -> None:
    headers = {"content-type": kind} if kind else {}
    answer = await desk.house.http.post(await desk.path(), content=content, headers=headers)
    assert answer.status_code == status
    assert "Nothing was changed" in shown(answer)
    assert await desk.house.timeline(1) == ["opened"]


async def test_a_script_that_presses_on_and_on_is_slowed_down(desk: Desk) -> None:
    path = await desk.path()
    answers = [await desk.post(path, "note", text=f"note {number}") for number in range(25)]
    assert [each.status_code for each in answers] == [303] * 20 + [429] * 5
    assert int(answers[-1].headers["retry-after"]) == 4
    assert "Too many actions" in shown(answers[-1])
    await desk.clock.advance(seconds=4, settle=0)
    assert (await desk.post(path, "note", text="later")).status_code == 303
    assert (await desk.house.timeline(1)).count("note") == 21


# Languages, and what is not there


async def test_in_the_receivers_language(tmp_path: Path) -> None:
    async with mailing(tmp_path, locale="pt-BR") as desk:
        await tell(desk.house, notification(A))
        path = await desk.path()
        page = await desk.press(path, "acknowledge")
        for words in ("Reconhecido por ana@example.com", "Escrever nota", "O que aconteceu"):
            assert words in page, words
        assert "Este link vale até 30/11 03:00" in page


async def test_without_an_alertmanager_nothing_can_be_silenced(desk: Desk) -> None:
    assert "no Alertmanager is set up" in await desk.get(await desk.path())
