"""A silence in its Slack thread and on PostgreSQL, with a real Alertmanager."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.clock import FakeClock
from tests.engine.stage import DIRECT, playing
from tests.engine.test_silences_real import QUIET, Town, beside, fresh
from tests.neighbours.alertmanager import Alertmanager
from tests.neighbours.postgres import Postgres
from tests.neighbours.slack import SlackServer, Workspace

pytestmark = pytest.mark.neighbour


@pytest.mark.parametrize("locale", ["en", "pt-BR"])
async def test_the_thread_tells_of_a_silence_from_its_making_to_its_end(
    tmp_path: Path, locale: str
) -> None:
    said = {
        "en": (" by Ana · 1 of 2 firing", "silenced until", "1 alert still fires", "ended by Bia"),
        "pt-BR": (
            " por Ana · 1 de 2 alertas",
            "silenciado até",
            "1 alerta ainda está disparado",
            "encerrado por Bia",
        ),
    }[locale]
    clock = FakeClock(datetime.now(UTC))
    workspace = Workspace(clock=clock.time)
    with SlackServer(workspace) as slack, Alertmanager(tmp_path, QUIET) as alertmanager:
        given = {"alertmanager_url": (alertmanager.url,), "locale": locale}
        async with playing(tmp_path, clock, workspace, slack.api_url, DIRECT, **given) as stage:
            town = Town(stage.house, clock, [alertmanager])
            await town.fire(fresh(broker="1"), fresh(broker="2"))
            root = await stage.root("KafkaLag")
            await stage.reply(root, "broker")
            alerts = (await stage.house.incident(1))["alerts"]
            (one,) = [a["fingerprint"] for a in alerts if a["labels"]["broker"] == "1"]
            made = await town.silenced(alerts=[one], duration="1h", comment="moving it")
            await stage.reply(root, [said[1], "moving it", made["link"]])
            await stage.shows(root, said[0])
            assert made["link"] in str(root.attachments)
            await clock.advance(minutes=54, settle=0.01)
            await stage.reply(root, said[2])
            assert (await town.end(made["id"])).status_code == 200
            await stage.reply(root, said[3])
            await stage.shows(root, "KafkaLag", without="Ana")
            await stage.quiet()


async def test_on_postgresql_too(tmp_path: Path) -> None:
    with Postgres() as postgres, Alertmanager(tmp_path, QUIET) as alertmanager:
        given = {"database_url": postgres.new_database()}
        async with beside(tmp_path, alertmanager, **given) as town:
            await town.fire(fresh())
            made = await town.silenced()
            assert (await town.end(made["id"])).status_code == 200
            alertmanager.kill()
            assert (await town.silence(retry=True)).status_code == 202
            alertmanager.start()
            found = await town.until(lambda all_: all_[1]["state"] == "active")
            assert [each["state"] for each in found] == ["ended", "active"]
            town.amtool("silence", "add", "alertname=KafkaLag", "--author=Caio", "--comment=x")
            await town.until(lambda all_: len(all_) == 3)
