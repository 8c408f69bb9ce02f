"""What the crash tests share: the service and Slack as processes, and what must hold at the end."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.neighbours.processes import eventually
from tests.neighbours.slack import BOT_TOKEN, SlackProcess
from tests.service import Service

#: The kinds of timeline entry that become replies.
TOLD = {
    "alerts_firing",
    "alerts_resolved",
    "alerts_no_longer_reported",
    "reopened",
    "resolved",
    "no_longer_reported",
    "note",
}


@dataclass(slots=True)
class Town:
    """The service, and the Slack it speaks to."""

    service: Service
    slack: SlackProcess
    struck: list[dict[str, Any]] = field(default_factory=list)

    def trust(self) -> None:
        """Slack makes no more mistakes; `struck` keeps those that it made."""
        self.struck = self.slack.get("faults")
        self.slack.control("clear_faults")

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What the database holds; it may be read while the service writes."""
        path = f"file:{self.service.database}?mode=ro"
        with closing(sqlite3.connect(path, uri=True, timeout=10)) as database:
            return list(database.execute(query))

    def settle(self, *, within: float) -> None:
        """Wait until every receipt is applied and every posting shows all there is."""
        eventually(lambda: not self._waiting(), within=within, what=f"rest, {self._waiting()} wait")

    def _waiting(self) -> int:
        (receipts,) = self.rows("SELECT count(*) FROM receipts WHERE state != 'applied'")
        (postings,) = self.rows(
            "SELECT count(*) FROM postings WHERE due_at IS NOT NULL OR state != 'shown'"
        )
        return int(receipts[0] + postings[0])

    def messages(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.slack.get("messages")
        return found

    def assert_true(self) -> None:
        """Each incident has one root at each place, which shows how it is, and each reply once."""
        marked = [(mark, each) for each in self.messages() if (mark := _mark(each))]
        twice = [mark for mark, times in Counter(mark for mark, _ in marked).items() if times > 1]
        assert not twice, f"shown twice: {twice}"
        shown = dict(marked)
        for incident in self.service.incidents():
            for posting in incident["postings"]:
                self._assert_shown(incident, posting, shown)

    def _assert_shown(
        self,
        incident: Mapping[str, Any],
        posting: Mapping[str, Any],
        shown: Mapping[tuple[str, int], Mapping[str, Any]],
    ) -> None:
        (token,) = self.rows(f"SELECT token FROM postings WHERE id = {int(posting['id'])}")  # noqa: S608
        mine = {entry: each for (mark, entry), each in shown.items() if mark == token[0]}
        root = mine[0]
        assert posting["reference"] == f"{root['channel']}:{root['ts']}"
        assert posting["shown_revision"] == incident["revision"]
        over = incident["status"] == "resolved"
        assert ("Resolved" in root["visible_text"]) is over, (incident, root["visible_text"])
        counts = incident["alert_counts"]
        said = f"{counts['resolved']} resolved" if over else f"{counts['firing']} firing"
        assert said in root["visible_text"], (said, incident["id"], root["visible_text"])
        assert -1 in mine, "no details"
        threads = {each.get("thread_ts") for entry, each in mine.items() if entry}
        assert threads == {root["ts"]}
        assert max(mine) == max([0, *self._to_be_told(incident["id"])])

    def _to_be_told(self, incident: int) -> Iterable[int]:
        items = self.service.get(f"/incidents/{incident}/timeline")["items"]
        return [entry["number"] for entry in items if entry["kind"] in TOLD]


def _mark(message: Mapping[str, Any]) -> tuple[str, int] | None:
    metadata = message.get("metadata") or {}
    payload = metadata.get("event_payload")
    return (payload["posting"], payload["entry"]) if payload else None


@contextmanager
def town(directory: Path, *, channels: int) -> Iterator[Town]:
    """Slack runs; the service is ready to be started. Channel `n` takes the label `channel="n"`."""
    with SlackProcess(limits=False) as slack:
        for number in range(channels):
            slack.control("channel", name=f"torture-{number}")
        settings = {"PLANTAO_SLACK_API_URL": slack.api_url, "SLACK_BOT_TOKEN": BOT_TOKEN}
        service = Service(directory, config=_config(channels), env=settings)
        try:
            yield Town(service, slack)
        finally:
            service.kill()


def _config(channels: int) -> str:
    numbers = range(channels)
    receivers = "\n".join(f"  r{n}: {{slack: {{channel: '#torture-{n}'}}}}" for n in numbers)
    routes = "\n".join(f"    - {{matchers: ['channel=\"{n}\"'], receiver: r{n}}}" for n in numbers)
    return f"receivers:\n{receivers}\nroutes:\n  receiver: r0\n  routes:\n{routes}\n"
