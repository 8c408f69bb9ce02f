"""Stories about what nobody saw: how a change is told that happened while we were down."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from tests.clock import START, FakeClock
from tests.engine.stage import CHANNEL, stage
from tests.house import House, alert, notification, serving
from tests.neighbours.mlflow import Mlflow
from tests.waiting import soon, tell

pytestmark = pytest.mark.neighbour


@pytest.mark.parametrize(
    ("locale", "shown", "served"),
    [
        (
            "en",
            "champion 2 → 3, between 03:00 and 06:00",
            "v3 (champion, before: v2, by our record",
        ),
        (
            "pt-BR",
            "champion 2 → 3, entre 03:00 e 06:00",
            "v3 (champion, antes: v2, segundo nosso registro",
        ),
    ],
)
async def test_a_move_that_nobody_saw_is_told_with_the_times_between_which_it_was(
    tmp_path: Path, mlflow_server: Mlflow, locale: str, shown: str, served: str
) -> None:
    model = registered(mlflow_server)
    config = (
        f"receivers: {{oncall: {{slack: {{channel: '{CHANNEL}'}}, locale: {locale}}}}}\n"
        f"models: [{{name: {model}, alias: champion, matchers: ['component=\"serving\"']}}]\n"
    )
    first = tmp_path / "plantao.yml"
    first.write_text(config)
    url = mlflow_server.url
    async with serving(tmp_path, clock=FakeClock(), config=first, mlflow_tracking_uri=url) as house:
        await looked(house, mlflow_server)
        await tell(house, notification(alert("WasOpen", component="serving")))
    mlflow_server.set_alias(model, "champion", "3")

    later = FakeClock(START + timedelta(hours=3))
    async with stage(tmp_path, config=config, clock=later, mlflow_tracking_uri=url) as scene:
        moved = f"{model}: champion 2 → 3"
        [change] = await told(scene.house, moved)
        assert (change["at"], change["not_before"]) == (
            "2026-11-23T09:00:00Z",
            "2026-11-23T06:00:00Z",
        )
        entries = (await scene.house.http.get("/incidents/1/timeline")).json()["items"]
        [entry] = [each for each in entries if each["kind"] == "change"]
        assert entry["data"]["title"] == moved
        assert entry["data"]["not_before"].startswith("2026-11-23T06:00:00")

        scene.slack.allow(containing="WasOpen")
        scene.slack.allow(containing="PlantaoDeliveryFailing")  # where Slack was missing before
        await scene.clock.advance(seconds=5)
        await scene.fire(alert("ScoringSlow", component="serving"))
        root = await scene.root("ScoringSlow")
        await scene.shows(root, shown)
        await scene.shows(root, f"{model} {served}")


def registered(mlflow: Mlflow) -> str:
    """A model of three versions, of which the second is champion."""
    name = f"pix-{uuid4().hex[:8]}"
    mlflow.create_model(name)
    for _ in range(3):
        mlflow.create_version(name)
    mlflow.set_alias(name, "champion", "2")
    return name


async def looked(house: House, mlflow: Mlflow) -> None:
    await soon(lambda: house.context.ledger.last_sight(f"registry {mlflow.url}"), what="a look")


async def told(house: House, title: str) -> list[dict[str, str]]:
    async def look() -> list[dict[str, str]]:
        items = (await house.http.get("/changes")).json()["items"]
        return [each for each in items if each["title"] == title]

    return await soon(look, what=title)
