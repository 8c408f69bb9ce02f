"""The switch for masking, and what stays readable because it is ours."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from app.config import load
from app.core.privacy import NAMES
from app.engine import ourselves
from app.engine.clock import SystemClock
from app.engine.policy import Policy
from app.errors import ConfigError
from app.store.database import Transaction
from tests.house import House, alert, notification, serving
from tests.waiting import tell

SUMMARY = "529.982.247-25 wrote to Ana@Banco.example, bia@outro.example and caio@outro.example"
ROUTES = "routes: {receiver: o}\n"
RECEIVERS = "receivers: {o: {email: {to: [ana@banco.example]}, console: true}}\n" + ROUTES


async def summary(house: House) -> str:
    incident: dict[str, Any] = await house.incident(1)
    text: str = incident["annotations"]["summary"]
    return text


async def test_the_switch_and_what_is_kept_follow_a_reload(tmp_path: Path) -> None:
    config = tmp_path / "plantao.yml"
    config.write_text(RECEIVERS)
    async with serving(tmp_path, config=config) as house:
        await tell(house, notification(alert(annotations={"summary": SUMMARY})))
        masked = "***.982.247-** wrote to Ana@Banco.example, b***@outro.example and"
        assert await summary(house) == f"{masked} c***@outro.example"

        config.write_text(f'{RECEIVERS}privacy: {{keep: ["bia@outro.example"]}}\n')
        await house.http.post("/-/reload")
        kept = masked.replace("b***", "bia")
        assert await summary(house) == f"{kept} c***@outro.example"

        config.write_text(f'{RECEIVERS}privacy: {{keep: ["@Outro.example"]}}\n')
        await house.http.post("/-/reload")
        assert await summary(house) == f"{kept} caio@outro.example"

        config.write_text(f"{RECEIVERS}privacy: {{mask: false}}\n")
        await house.http.post("/-/reload")
        assert await summary(house) == SUMMARY


async def test_a_dead_destination_is_named_whole(tmp_path: Path) -> None:
    config = tmp_path / "plantao.yml"
    config.write_text(RECEIVERS)
    async with serving(tmp_path, config=config) as house:
        policy = house.context.policy.current

        def fail(tx: Transaction) -> None:
            now = SystemClock().now()
            trouble = ourselves.delivery_failing("email:ana@banco.example", "no", at=now)
            ourselves.report(tx, [trouble], policy, now=now)

        await house.context.db.write(fail)
        incident = await house.incident(1)
        assert incident["labels"]["destination"] == "email:ana@banco.example"
        assert "email:ana@banco.example" in incident["title"]


async def test_who_acted_is_never_masked(tmp_path: Path) -> None:
    async with serving(tmp_path) as house:
        await tell(house, notification(alert()))
        for act, more in (("acknowledge", {}), ("notes", {"text": "caio@outro.example called"})):
            body = {"by": "caio@outro.example", **more}
            await house.http.post(f"/incidents/1/{act}", json=body)
        assert (await house.incident(1))["acknowledged_by"] == "caio@outro.example"
        items = (await house.http.get("/incidents/1/timeline")).json()["items"]
        assert items[-1]["actor"] == "caio@outro.example"
        assert items[-1]["data"]["text"] == "c***@outro.example called"


async def test_every_kind_is_counted_from_the_start(tmp_path: Path) -> None:
    async with serving(tmp_path) as house:
        figures = (await house.http.get("/metrics")).text
        for name in NAMES:
            assert f'plantao_masked_total{{kind="{name}"}}' in figures


async def test_what_cannot_be_read_is_told_masked(tmp_path: Path) -> None:
    async with serving(tmp_path) as house:
        answer = await house.post({"alerts": [{"status": "firing", "labels": {"52998224725": 1}}]})
        assert answer["state"] == "quarantined"
        assert "labels.***982247**" in answer["problem"]


def test_masking_is_on_unless_the_file_says_otherwise(tmp_path: Path) -> None:
    file = tmp_path / "plantao.yml"
    file.write_text(RECEIVERS)
    assert Policy(load(file)).privacy.on
    file.write_text("privacy: {mask: sometimes, keep: [1]}\n")
    with pytest.raises(ConfigError) as raised:
        load(file)
    assert {problem.key for problem in raised.value.problems} == {"privacy.mask", "privacy.keep[0]"}
