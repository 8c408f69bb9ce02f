"""The log's figures in `/metrics`."""

from __future__ import annotations

from pathlib import Path

from tests.clock import FakeClock
from tests.house import House, alert, notification, serving
from tests.waiting import tell


async def figures(house: House) -> dict[str, float]:
    lines = (await house.http.get("/metrics")).text.splitlines()
    pairs = (line.rsplit(" ", 1) for line in lines if line.startswith("plantao_"))
    return {series: float(value) for series, value in pairs}


async def test_they_are_counted_once_a_minute_and_not_at_each_scrape(tmp_path: Path) -> None:
    clock = FakeClock()
    async with serving(tmp_path, clock=clock) as house:
        for name, severity in (("A", "critical"), ("B", "critical"), ("C", "of my own")):
            await tell(house, notification(alert(name, severity=severity)))
        await clock.advance(seconds=30, settle=0.01)
        await house.http.post("/incidents/1/acknowledge", json={"by": "ana"})
        before = await figures(house)
        assert before['plantao_incidents{severity="critical",status="acknowledged"}'] == 0
        await clock.advance(seconds=31, settle=0.01)
        after = await figures(house)
    assert after['plantao_incidents{severity="critical",status="triggered"}'] == 1
    assert after['plantao_incidents{severity="critical",status="acknowledged"}'] == 1
    assert after['plantao_incidents{severity="other",status="triggered"}'] == 1
    assert after['plantao_incidents_opened{severity="critical"}'] == 2
    assert after['plantao_incidents_opened{severity="other"}'] == 1
    waited = 'plantao_time_to_acknowledge_seconds{quantile="0.5",severity="critical"}'
    assert after[waited] == 30
    assert after['plantao_noise{kind="notifications"}'] == 3
    assert after['plantao_noise{kind="short_lived"}'] == 0
    assert not any("of my own" in series for series in after)
