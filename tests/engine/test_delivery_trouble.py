"""A destination that is dead until a person repairs it: go elsewhere, say so, keep trying."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.clock import FakeClock
from tests.engine.stage import CHANNEL, DIRECT, Stage, playing, stage
from tests.house import alert
from tests.neighbours.slack import Fault as Slow
from tests.neighbours.slack import SlackServer, Workspace
from tests.neighbours.smtp import Fault, SmtpServer
from tests.waiting import soon

A = alert("KafkaLag", instance="a", severity="critical")
B = alert("KafkaLag", instance="b", severity="critical")
A_OVER = alert("KafkaLag", instance="a", severity="critical", status="resolved")
EMAIL_ONLY = "receivers: {o: {email: {to: [%s]}}}\nroutes: {receiver: o}\n"
OURS = "PlantaoDeliveryFailing"

Deed = Callable[[Workspace], None]
DEATHS: dict[str, tuple[Deed, Deed]] = {
    "is_archived": (
        lambda slack: slack.archive(CHANNEL),
        lambda slack: slack.archive(CHANNEL, archived=False),
    ),
    "not_in_channel": (
        lambda slack: slack.set_member(CHANNEL, member=False),
        lambda slack: slack.set_member(CHANNEL, member=True),
    ),
    "token_revoked": (
        lambda slack: slack.refuse_token("token_revoked"),
        lambda slack: slack.refuse_token(None),
    ),
}


@asynccontextmanager
async def with_mail(path: Path, **settings: Any) -> AsyncIterator[tuple[Stage, SmtpServer]]:
    """Slack for the incidents, and an email address to fall back on."""
    given = {"email_from": "plantao@example.com", "email_to": "oncall@example.com"} | settings
    with SmtpServer(path) as smtp:
        async with stage(path, smtp_url=smtp.url, **given) as play:
            yield play, smtp


def subjects(smtp: SmtpServer) -> list[str]:
    return [str(each.message["Subject"]) for each in smtp.mailbox.messages]


def tells(smtp: SmtpServer, words: str) -> bool:
    return any(words in subject for subject in subjects(smtp))


@pytest.mark.parametrize("code", DEATHS)
async def test_a_dead_channel_falls_back_to_email_until_it_lives(tmp_path: Path, code: str) -> None:
    die, live = DEATHS[code]
    async with with_mail(tmp_path) as (play, smtp):
        die(play.slack)
        await play.fire(A)
        await play.play(lambda: tells(smtp, "KafkaLag") and tells(smtp, OURS))
        assert "delivery" in await play.house.timeline(1)
        (ours,) = await play.house.incidents(alertname=OURS)
        assert (ours["severity"], ours["status"]) == ("critical", "triggered")
        assert ours["labels"]["destination"] == f"slack:{CHANNEL}"
        posting = await play.posting()
        assert posting["state"] == "failing"
        assert code in posting["last_error"]
        live(play.slack)
        await play.play(lambda: len(play.slack.roots()) == 2, seconds=700)
        root = await play.root("CRITICAL · KafkaLag")
        await play.reply(root, "instance=a")
        play.slack.allow(containing=(), matching=lambda m: m.thread_ts != root.ts)
        await play.quiet()
        assert [i["status"] for i in await play.house.incidents(alertname=OURS)] == ["resolved"]
        assert any(OURS in each and "Resolved" in each for each in play.slack.roots())
        assert (await play.posting())["state"] == "shown"


async def test_a_channel_that_dies_later_leaves_the_incident_to_email(tmp_path: Path) -> None:
    async with with_mail(tmp_path) as (play, smtp):
        await play.fire(A)
        root = await play.root("CRITICAL")
        await play.reply(root)
        await play.quiet()
        play.slack.archive(CHANNEL)
        await play.fire(A_OVER)
        await play.play(lambda: tells(smtp, "Resolved · KafkaLag"))
        play.slack.archive(CHANNEL, archived=False)
        await play.play(lambda: "Resolved" in root, seconds=700)
        play.slack.allow(containing=())
        await play.quiet()


def news(smtp: SmtpServer, number: int = 1) -> list[str]:
    """What the mails about one incident say, oldest first."""
    mails = [m.message for m in smtp.mailbox.messages if f"#{number}]" in m.message["Subject"]]
    return [str(each.get_body(("plain",))) for each in mails]


async def test_the_stand_in_takes_its_leave_and_comes_back_when_it_is_needed(
    tmp_path: Path,
) -> None:
    async with with_mail(tmp_path, email_to="ana@example.com") as (play, smtp):
        play.slack.archive(CHANNEL)
        await play.fire(A)
        await play.play(lambda: len(news(smtp)) == 1)
        assert (await play.posting(kind="email"))["stands_in_for"] == f"slack:{CHANNEL}"

        play.slack.archive(CHANNEL, archived=False)
        await play.play(lambda: len(news(smtp)) == 2, seconds=700)
        assert f"Shown in slack:{CHANNEL} again" in news(smtp)[-1]
        (root,) = [each for each in play.slack.roots() if "KafkaLag" in each]
        play.slack.allow(containing=())
        await play.fire(A, B)
        await play.play(lambda: "2 firing" in root)
        await play.clock.advance(minutes=5)
        assert len(news(smtp)) == 2
        assert (await play.posting(kind="email"))["state"] == "relieved"

        play.slack.archive(CHANNEL)
        await play.fire(A_OVER)
        await play.play(lambda: len(news(smtp)) == 3)
        assert "1 alert resolved" in news(smtp)[-1]
        told = await play.house.timeline(1)
        assert told.count("delivery") == 3  # gone, back, gone again


async def test_a_place_of_its_own_is_no_stand_in(tmp_path: Path) -> None:
    """The receiver's own mail goes on whatever becomes of its channel."""
    config = (
        f"receivers: {{o: {{slack: {{channel: '{CHANNEL}'}}, email: {{to: [ana@example.com]}}}}}}"
        "\nroutes: {receiver: o}\n"
    )
    async with with_mail(tmp_path, config=config) as (play, smtp):
        play.slack.archive(CHANNEL)
        await play.fire(A)
        await play.play(lambda: len(news(smtp)) == 1)
        play.slack.archive(CHANNEL, archived=False)
        play.slack.allow(containing=())
        await play.play(lambda: any("KafkaLag" in each for each in play.slack.roots()), seconds=700)
        await play.fire(A_OVER)
        await play.play(lambda: len(news(smtp)) == 2)
        assert "Resolved" in news(smtp)[-1]


async def test_each_receiver_is_told_in_its_language(tmp_path: Path) -> None:
    """Also where it is told at a place that is not its own."""
    config = """
receivers:
  equipe: {slack: {channel: "#fraude-plantao"}, locale: pt-BR}
  team: {email: {to: [ana@example.com]}}
  dados: {email: {to: [dados@example.com]}, locale: pt-BR}
routes:
  receiver: equipe
  routes:
    - {matchers: ['component="storage"'], receiver: team}
    - {matchers: ['component="delta"'], receiver: dados}
"""
    async with with_mail(tmp_path, config=config, email_to="ana@example.com") as (play, smtp):
        play.slack.archive(CHANNEL)
        await play.fire(alert("Disk", component="storage"))
        await play.fire(alert("Files", component="delta"))
        await play.fire(A)
        await play.play(lambda: tells(smtp, "Disk") and tells(smtp, "Files") and tells(smtp, "Lag"))
        assert ["1 firing" in news(smtp, number)[0] for number in (1, 2, 3)] == [True, False, False]
        assert ["1 disparado" in news(smtp, n)[0] for n in (1, 2, 3)] == [False, True, True]


async def test_tries_grow_rarer_and_never_end(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        play.slack.archive(CHANNEL)
        await play.fire(A)
        await play.clock.advance(hours=3, settle=0.01)
        tries = [call.at for call in play.slack.calls("chat.postMessage")]
        first_hour = sum(at < tries[0] + 3600 for at in tries)
        assert first_hour < 60
        last_hour = sum(at > tries[0] + 7200 for at in tries)
        assert 6 <= last_hour <= 20  # two incidents: the alert's, and the one about ourselves


async def test_a_person_stops_a_posting_and_takes_it_back(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        play.slack.archive(CHANNEL)
        await play.fire(A)
        await play.clock.advance(seconds=3)

        async def both_open() -> bool:
            return len(await play.house.incidents()) == 2  # the second is about ourselves

        await soon(both_open)
        for number in (1, 2):
            await change_posting(play, number, "stop")
        before = len(play.slack.calls())
        await play.fire(A, B)
        await play.clock.advance(minutes=30)
        assert len(play.slack.calls()) == before
        assert (await play.posting())["state"] == "stopped"
        play.slack.archive(CHANNEL, archived=False)
        assert (await change_posting(play, 1, "retry"))["state"] == "pending"
        root = await play.root("KafkaLag")
        await play.reply(root, "Labels and alerts")
        await play.reply(root, "1 more alert firing")
        await play.quiet()
        assert (await play.posting(1))["state"] == "shown"
        assert (await play.posting(2))["state"] == "stopped"


async def stopped_in_a_call(play: Stage) -> None:
    """A person says stop while the root is on its way; it arrives, and nobody notes where."""
    slow = Slow("record_then_hang", method="chat.postMessage", seconds=2)
    play.slack.faults.add(slow)
    await play.fire(A)

    async def under_way() -> bool:
        return bool(play.slack.roots())

    await soon(under_way)
    await change_posting(play, 1, "stop")


async def test_a_stop_in_the_middle_of_a_call_loses_nothing(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        await stopped_in_a_call(play)
        await play.clock.advance(minutes=5)
        assert len(play.slack.calls()) == 1
        await change_posting(play, 1, "retry")
        root = await play.root("CRITICAL")
        await play.play(lambda: len(play.slack.all_messages()) == 2)
        await play.reply(root, "instance=a")
        await play.quiet()


async def test_what_was_stopped_stays_so_over_a_restart(tmp_path: Path) -> None:
    clock = FakeClock()
    slack = Workspace(clock=clock.time)
    with SlackServer(slack) as server:
        async with playing(tmp_path, clock, slack, server.api_url, DIRECT) as play:
            await stopped_in_a_call(play)
        async with playing(tmp_path, clock, slack, server.api_url, DIRECT) as play:
            await play.clock.advance(minutes=5)
            assert (await play.posting())["state"] == "stopped"
            assert len(slack.calls()) == 1


async def change_posting(play: Stage, incident: int, how: str) -> dict[str, Any]:
    number = (await play.posting(incident))["id"]
    answer = await play.house.http.post(f"/incidents/{incident}/postings/{number}/{how}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()["postings"][0]
    return found


@pytest.mark.parametrize("how", ["stop", "retry"])
async def test_there_is_nothing_to_change_of_what_is_not_there(tmp_path: Path, how: str) -> None:
    async with stage(tmp_path) as play:
        for place in ("/incidents/9/postings/1", "/incidents/1/postings/9"):
            answer = await play.house.http.post(f"{place}/{how}")
            assert answer.status_code == 404
            assert "posting" in answer.json()["detail"]


async def test_a_transport_that_is_not_set_up_is_named(tmp_path: Path) -> None:
    async with stage(tmp_path, config=EMAIL_ONLY % "a@example.com") as play:
        await play.fire(A)

        async def failing() -> dict[str, Any] | None:
            # The fake clock does not wait for the database: under load it may not be there yet.
            answer = (await play.house.http.get("/incidents/1")).json()
            postings: list[dict[str, Any]] = answer.get("postings", [])
            return next((each for each in postings if each["state"] == "failing"), None)

        posting = await soon(failing, what="a posting that fails")
        assert posting["destination"].startswith("email")
        assert posting["attempts"] >= 1
        assert "not set up" in posting["last_error"]


@pytest.mark.parametrize(
    ("fault", "copies"),
    [
        (Fault.GREYLISTED, 1),
        (Fault.UNAVAILABLE, 1),
        (Fault.DROPPED_UNRECORDED, 1),
        (Fault.DROPPED_AFTER_RECORDING, 2),  # nobody can look: the same Message-ID, once more
    ],
)
async def test_a_mail_that_is_not_taken_comes_again(
    tmp_path: Path, fault: Fault, copies: int
) -> None:
    with SmtpServer(tmp_path) as smtp:
        config = EMAIL_ONLY % "a@example.com"
        async with stage(tmp_path, config=config, smtp_url=smtp.url) as play:
            smtp.fail(fault)
            await play.fire(A)
            await play.play(lambda: len(smtp.mailbox.messages) == copies)
            await play.quiet()
            posting = await play.posting(kind="email")
            assert (posting["state"], posting["last_error"]) == ("shown", None)
            assert smtp.happened[fault] == 1
            assert len(smtp.mailbox.messages) == copies
            assert len({each.message["Message-ID"] for each in smtp.mailbox.messages}) == 1


async def test_one_refused_address_does_not_keep_the_mail_from_the_others(tmp_path: Path) -> None:
    with SmtpServer(tmp_path) as smtp:
        config = EMAIL_ONLY % "gone@example.com, here@example.com"
        async with stage(tmp_path, config=config, smtp_url=smtp.url) as play:
            smtp.fail(Fault.REFUSED, recipient="gone@example.com", times=100)
            await play.fire(A)
            await play.play(lambda: len(smtp.mailbox.messages) == 1)
            await play.quiet()
            assert smtp.mailbox.messages[0].recipients == ("here@example.com",)
            posting = await play.posting(kind="email")
            assert posting["state"] == "shown"
            assert posting["last_error"].startswith("gone@example.com: The mail server refused")


async def test_who_takes_no_mail_for_now_gets_it_later_and_holds_up_nobody(tmp_path: Path) -> None:
    with SmtpServer(tmp_path) as smtp:
        config = EMAIL_ONLY % "slow@example.com, here@example.com"

        def got(recipient: str) -> int:
            return sum(each.recipients == (recipient,) for each in smtp.mailbox.messages)

        async with stage(tmp_path, config=config, smtp_url=smtp.url) as play:
            smtp.fail(Fault.GREYLISTED, recipient="slow@example.com", times=3)
            await play.fire(A)
            await play.play(lambda: got("here@example.com") == 1)

            async def told() -> str | None:
                error: str | None = (await play.posting(kind="email"))["last_error"]
                return error

            assert (await soon(told)).startswith("slow@example.com: The mail server refused")
            await play.fire(B)
            await play.play(lambda: got("here@example.com") == 2, seconds=20, step=0.1)
            await play.play(lambda: got("slow@example.com") == 2, seconds=300)
            await play.quiet()
            assert got("here@example.com") == 2
            assert (await play.posting(kind="email"))["last_error"] is None


async def test_a_server_that_has_had_enough_gets_no_mail_twice(tmp_path: Path) -> None:
    with SmtpServer(tmp_path) as smtp:
        config = EMAIL_ONLY % "a@example.com, b@example.com, c@example.com"

        def got() -> list[str]:
            return [each.recipients[0][0] for each in smtp.mailbox.messages]

        async with stage(tmp_path, config=config, smtp_url=smtp.url) as play:
            smtp.takes = 1
            await play.fire(A)
            await play.play(lambda: got() == ["a"])
            await play.clock.advance(minutes=1, settle=0.02)
            assert got() == ["a"]
            smtp.heal()
            await play.play(lambda: len(got()) == 3, seconds=300)
            await play.quiet()
            assert got() == ["a", "b", "c"]
            assert (await play.posting(kind="email"))["last_error"] is None


async def test_a_refused_address_is_an_incident_about_ourselves(tmp_path: Path) -> None:
    with SmtpServer(tmp_path) as smtp:
        config = EMAIL_ONLY % "gone@example.com"
        async with stage(tmp_path, config=config, smtp_url=smtp.url) as play:
            smtp.fail(Fault.REFUSED, times=1000)
            await play.fire(A)
            await play.clock.advance(minutes=5)
            assert (await play.posting(kind="email"))["state"] == "failing"
            assert [i["status"] for i in await play.house.incidents(alertname=OURS)] == [
                "triggered"
            ]
            smtp.heal()
            await play.play(lambda: tells(smtp, "KafkaLag"), seconds=700)
            await play.play(lambda: tells(smtp, OURS), seconds=700)
            await play.clock.advance(minutes=1)
            assert [i["status"] for i in await play.house.incidents(alertname=OURS)] == ["resolved"]
