"""Charts in Slack: uploaded in three steps, found again by their name."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime

import pytest

from app.errors import Ambiguous, ContentRefused, DeliveryFailed, DestinationDead, TryLater
from app.notifiers.notifier import CHART, ROOT, Mark, Message, Shown, Sought
from app.notifiers.slack import SlackNotifier
from tests.neighbours.slack import BOT_TOKEN, Fault, SlackServer, Workspace
from tests.notifiers import known
from tests.notifiers.samples import ZONE, notice, with_context

CHANNEL = "#fraude-plantao"
TOKEN = "a1b2c3"
URL, COMPLETE = "files.getUploadURLExternal", "files.completeUploadExternal"
KNOWN = with_context(known.full())


@pytest.fixture
def server() -> Iterator[SlackServer]:
    with SlackServer(Workspace(rate_limits=False)) as server:
        yield server


@pytest.fixture
def workspace(server: SlackServer) -> Workspace:
    return server.workspace


@pytest.fixture
async def slack(server: SlackServer) -> AsyncIterator[SlackNotifier]:
    notifier = SlackNotifier(BOT_TOKEN, zone=ZONE, api_url=server.api_url)
    yield notifier
    await notifier.close()


def mark(entry: int = ROOT, token: str = TOKEN) -> Mark:
    return Mark(12, token, entry)


async def post_root(slack: SlackNotifier) -> str:
    return await slack.post(CHANNEL, slack.root(KNOWN, locale="en", plain=False), mark())


async def look(slack: SlackNotifier, *, root: str | None = None) -> Shown | None:
    return await slack.survey(Sought(CHANNEL, TOKEN, since=datetime.now(UTC), root=root))


def chart_of(slack: SlackNotifier) -> Message:
    chart = slack.chart(KNOWN, locale="en")
    assert chart is not None
    return chart


async def test_a_chart_stands_in_the_thread(slack: SlackNotifier, workspace: Workspace) -> None:
    root = await post_root(slack)
    file = await slack.post_chart(CHANNEL, chart_of(slack), mark(CHART), root=root)
    (message,) = workspace.roots()
    picture = workspace.replies(message)[-1]
    assert [each["name"] for each in picture.files] == [f"incident-12-{TOKEN}.png"]
    shown = workspace.files[file]
    assert shown.data[:8] == b"\x89PNG\r\n\x1a\n"
    assert shown.alt_text.startswith("Chart of ScoringLatencyHigh: 830 ms, above 500 ms")
    assert await look(slack, root=root) == Shown(root, None, 0, file)
    assert await look(slack) == Shown(root, None, 0, file)


async def test_no_chart_as_long_as_nothing_was_measured(slack: SlackNotifier) -> None:
    assert slack.chart(notice(), locale="en") is None


async def test_another_postings_chart_is_not_ours(slack: SlackNotifier) -> None:
    root = await post_root(slack)
    await slack.post_chart(CHANNEL, chart_of(slack), mark(CHART, "another"), root=root)
    assert await look(slack, root=root) == Shown(root, None, 0, None)


@pytest.mark.parametrize(
    ("fault", "kind", "shown"),
    [
        (Fault("error", URL, error="missing_scope"), DestinationDead, 0),
        (Fault("ratelimited", URL, retry_after=7), TryLater, 0),
        (Fault("drop", URL), TryLater, 0),
        (Fault("error", COMPLETE, error="not_in_channel"), DestinationDead, 0),
        (Fault("drop", COMPLETE), Ambiguous, 0),
        (Fault("record_then_drop", COMPLETE), Ambiguous, 1),
    ],
    ids=str,
)
async def test_a_chart_that_goes_wrong(
    slack: SlackNotifier,
    workspace: Workspace,
    fault: Fault,
    kind: type[DeliveryFailed],
    shown: int,
) -> None:
    root = await post_root(slack)
    workspace.faults.add(fault)
    with pytest.raises(DeliveryFailed) as caught:
        await slack.post_chart(CHANNEL, chart_of(slack), mark(CHART), root=root)
    assert type(caught.value) is kind
    assert len(workspace.replies(workspace.roots()[0])) == shown


async def test_a_chart_that_cannot_be_drawn_is_no_chart(slack: SlackNotifier) -> None:
    root = await post_root(slack)
    with pytest.raises(ContentRefused):
        await slack.post_chart(CHANNEL, Message({"title": "", "alt": ""}), mark(), root=root)
