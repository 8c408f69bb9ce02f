"""One incident, worked in Slack alone: from its first alert to its reopening."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.house import alert
from tests.neighbours.alertmanager import Alertmanager
from tests.slack.workplace import PORTUGUESE, Workplace, workplace

pytestmark = pytest.mark.neighbour

QUIET = {"route": {"receiver": "nobody"}, "receivers": [{"name": "nobody"}]}
LABELS = {"severity": "critical", "topic": "pix"}


def at(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


async def until_top(work: Workplace, person: Any, containing: str) -> Any:
    def shown() -> bool:
        view = work.slack.views.top(person.id)
        return view is not None and containing in view

    await work.play(shown, seconds=10, step=0.25)
    return await person.expect_modal_soon(containing)


async def test_an_incident_from_firing_to_reopened(tmp_path: Path) -> None:
    start = datetime.now(UTC)
    lag = alert("KafkaLag", starts=at(start), **LABELS)  # type: ignore[arg-type]
    with Alertmanager(tmp_path, QUIET) as alertmanager:
        alertmanager.post_alerts([{"labels": lag["labels"], "startsAt": lag["startsAt"]}])
        asked = (alertmanager.url,)
        async with workplace(
            tmp_path, config=PORTUGUESE, start=start, alertmanager_url=asked
        ) as work:
            ana, bruno = work.slack.person("ana"), work.slack.person("bruno")
            await work.fire(lag)
            root = await work.root("CRÍTICO")
            work.slack.allow(thread_of=root)

            await ana.click(root, "incident.acknowledge")
            await work.shows(root, "Reconhecido por Ana Souza")

            said = bruno.say("o broker 3 está sem disco", thread_of=root)
            await ana.react(said, "pushpin")
            await work.play(lambda: bool(work.slack.calls("chat.getPermalink")))

            await ana.click(root, "incident.silence")
            modal = await ana.expect_modal_soon("Por quanto tempo?")
            modal.fill("why", "trocando o disco")
            await modal.submit()
            (await until_top(work, ana, "está silenciado até")).close()
            await work.said(root, "silenciado até")
            await work.shows(root, "Encerrar silêncio")

            await bruno.click(root, "silence.end")
            await work.said(root, "Silêncio encerrado por Bruno Lima")
            await work.shows(root, "CRÍTICO", without="Encerrar silêncio")

            await ana.click(root, "incident.resolve")
            asks = await ana.expect_modal_soon("ainda está disparado")
            await asks.submit()
            await work.shows(root, "Resolvido por Ana Souza")
            assert "Reconhecido por Ana Souza" in root  # who did what stays to be read

            again = at(work.clock.now())
            await work.fire(alert("KafkaLag", starts=again, **LABELS))  # type: ignore[arg-type]
            await work.said(root, "Reaberto")
            await work.shows(root, "CRÍTICO", without="Resolvido")

            kinds = await work.house.timeline(1)
            wanted = ["acknowledged", "note", "silenced", "silence_ended", "resolved", "reopened"]
            assert [kind for kind in kinds if kind in wanted] == wanted
            assert work.slack.roots() == [root]
