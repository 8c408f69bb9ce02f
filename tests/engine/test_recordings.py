"""Every recorded body, byte for byte, has its right effect."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.clock import FakeClock
from tests.house import WEBHOOK, House, serving
from tests.waiting import applied, tell

RECORDINGS = Path(__file__).parents[1] / "recordings"
AFTERWARDS = datetime(2026, 11, 23, 19, 0, tzinfo=UTC)  # every recording was made before
NAMES = sorted(
    path.stem
    for path in RECORDINGS.glob("*.json")
    if not path.name.endswith(".headers.json") and path.stem != "retry_timelines"
)


def body(name: str) -> bytes:
    return (RECORDINGS / f"{name}.json").read_bytes()


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with serving(tmp_path, clock=FakeClock(AFTERWARDS)) as house:
        yield house


async def the_incident(house: House) -> dict[str, Any]:
    (found,) = await house.incidents()
    return await house.incident(found["id"])


@pytest.mark.parametrize("name", NAMES)
async def test_each_alone_is_kept_and_means_what_its_alerts_say(house: House, name: str) -> None:
    receipt = await tell(house, body(name))
    said = json.loads(body(name))
    firing = {each["fingerprint"] for each in said["alerts"] if each["status"] == "firing"}
    resolved = {each["fingerprint"] for each in said["alerts"]} - firing

    assert receipt["body"].encode() == body(name)
    assert (receipt["receiver"], receipt["problem"]) == (said["receiver"], None)
    if not firing:
        assert await house.incidents() == []  # the end of what nobody was told of
        return
    shown = await the_incident(house)
    assert shown["status"] == "triggered"
    assert {a["fingerprint"] for a in shown["alerts"] if a["status"] == "firing"} == firing
    assert {a["fingerprint"] for a in shown["alerts"] if a["status"] == "resolved"} == resolved
    assert (shown["group_labels"], shown["unconfirmed"]) == (said["groupLabels"], False)


class After(NamedTuple):
    """What stands after one more recording; `told` are the timeline's entries that it added."""

    recording: str
    status: str
    firing: int
    resolved: int
    told: str = ""


SEQUENCES = [
    [
        After("single_firing", "triggered", 1, 0, "opened"),
        After("single_resolved", "resolved", 0, 1, "resolved"),
    ],
    [
        After("group5_1_firing", "triggered", 5, 0, "opened"),
        After("group5_2_mixed", "triggered", 3, 2, "alerts_resolved"),
        # Two old resolved alerts stand in the body again: only the new one is news.
        After("group5_3_joins_old_resolved_again", "triggered", 4, 2, "alerts_firing"),
        After("group5_4_all_resolved", "resolved", 0, 6, "resolved"),
    ],
    [
        After("repeat_1_first", "triggered", 1, 0, "opened"),
        After("repeat_2_repeat", "triggered", 1, 0),
        After("repeat_3_resolved", "resolved", 0, 1, "resolved"),
    ],
    [
        After("flap_1_firing", "triggered", 1, 0, "opened"),
        After("flap_2_resolved", "resolved", 0, 1, "resolved"),
        After("flap_3_reopened", "triggered", 1, 0, "reopened"),
        After("flap_4_resolved", "resolved", 0, 1, "resolved"),
    ],
    [
        After("annotation_1", "triggered", 1, 0, "opened"),
        After("annotation_2_changed", "triggered", 1, 0),
    ],
    [
        After("watchdog_1", "triggered", 1, 0, "opened"),
        After("watchdog_2", "triggered", 1, 0),
    ],
    [
        # Without anybody to ask, the seven that were cut off may still be firing.
        After("truncated_firing", "triggered", 3, 0, "opened"),
        After("truncated_resolved", "triggered", 0, 3, "alerts_resolved truncated"),
    ],
    [
        After("group1000_firing", "triggered", 1000, 0, "opened"),
        After("group1000_resolved", "resolved", 0, 1000, "resolved"),
    ],
    [
        After("am033_1_first_notification", "triggered", 1, 0, "opened"),
        After("am033_2_new_alerts_added", "triggered", 2, 0, "alerts_firing"),
        After("am033_3_some_alerts_resolved", "triggered", 1, 1, "alerts_resolved"),
        After("am033_4_repeat_interval_elapsed", "triggered", 1, 1),
        After("am033_5_all_alerts_resolved", "resolved", 0, 2, "resolved"),
        After("am033_6_reopened_first_notification", "triggered", 1, 1, "reopened"),
    ],
    [
        After("am033_timeout3s_attempt_1", "triggered", 1, 0, "opened"),
        After("am033_timeout3s_attempt_2", "triggered", 1, 0),
    ],
    [
        After("hang_mintimeout_1", "triggered", 1, 0, "opened"),
        After("hang_mintimeout_2", "triggered", 1, 0),
    ],
    [
        After("retry_500_attempt_1", "triggered", 1, 0, "opened"),
        After("retry_500_attempt_2", "triggered", 1, 0),
    ],
    [
        After("retry_hang_1", "triggered", 1, 0, "opened"),
        After("retry_hang_2", "triggered", 1, 0),
    ],
]


@pytest.mark.parametrize("sequence", SEQUENCES, ids=lambda sequence: str(sequence[0].recording))
async def test_sequences(house: House, sequence: list[After]) -> None:
    told: list[str] = []
    for after in sequence:
        await tell(house, body(after.recording))
        shown = await the_incident(house)
        counts = (shown["alert_counts"]["firing"], shown["alert_counts"]["resolved"])
        assert (shown["status"], *counts) == after[1:4], after.recording
        told += after.told.split()
        assert await house.timeline(shown["id"]) == told, after.recording


async def test_all_recordings_together_lose_and_double_nothing(house: House) -> None:
    said: dict[str, str] = {}
    for name in NAMES:
        await house.post(body(name))
        said |= {a["fingerprint"]: a["status"] for a in json.loads(body(name))["alerts"]}
    await applied(house, len(NAMES))
    incidents = [await house.incident(each["id"]) for each in await house.incidents(limit="500")]
    held = [(a["fingerprint"], a["status"]) for each in incidents for a in each["alerts"]]
    assert dict(held) == said
    assert len(held) == len(said)


async def test_one_notification_per_alert_is_one_incident_per_alert(house: House) -> None:
    for number in (1, 2, 3):
        await tell(house, body(f"ungrouped_{number}"))
    incidents = await house.incidents()
    assert len(incidents) == 3
    assert {each["alert_counts"]["firing"] for each in incidents} == {1}
    assert {each["labels"]["instance"] for each in incidents} == {
        "10.0.3.1:8080",
        "10.0.3.2:8080",
        "10.0.3.3:8080",
    }


async def test_a_changed_annotation_is_shown(house: House) -> None:
    await tell(house, body("annotation_1"))
    before = await the_incident(house)
    await tell(house, body("annotation_2_changed"))
    after = await the_incident(house)
    assert after["revision"] == before["revision"] + 1
    assert after["annotations"]["summary"] != before["annotations"]["summary"]
    assert after["alerts"][0]["annotations"] == after["annotations"]


async def test_a_repeat_counts_and_shows_nothing_new(house: House) -> None:
    await tell(house, body("repeat_1_first"))
    before = await the_incident(house)
    await tell(house, body("repeat_2_repeat"))
    after = await the_incident(house)
    assert (before["occurrences"], after["occurrences"]) == (1, 2)
    assert after["revision"] == before["revision"]


async def test_truncation_is_said(house: House) -> None:
    await tell(house, body("truncated_firing"))
    shown = await the_incident(house)
    assert (shown["truncated"], shown["hidden_alerts"]) == (True, 7)
    await tell(house, body("truncated_resolved"))
    shown = await the_incident(house)
    assert (shown["status"], shown["unconfirmed"], shown["hidden_alerts"]) == ("triggered", True, 7)


async def test_an_alert_without_a_name_has_a_title(house: House) -> None:
    await tell(house, body("no_alertname"))
    shown = await the_incident(house)
    assert shown["title"] == "Alert without a name team=x"
    assert shown["severity"] == "unknown"
    assert shown["alerts"][0]["starts_at"] == "2026-11-23T18:20:43.901257Z"  # sent in nanoseconds


async def test_odd_content_is_kept_whole(house: House) -> None:
    await tell(house, body("long_annotation_firing"))
    shown = await the_incident(house)
    assert max(len(text) for text in shown["annotations"].values()) > 60_000
    assert len(shown["title"]) <= 200


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("bad_template", "<error expanding template"),
        ("am033_utf8_label_names", "emoji 🔥"),
        ("amtool_no_generatorURL", '"generator_url":""'),
    ],
)
async def test_odd_content_is_shown_as_it_came(house: House, name: str, found: str) -> None:
    await tell(house, body(name))
    shown = json.dumps(await the_incident(house), ensure_ascii=False, separators=(",", ":"))
    assert found in shown


async def test_a_connection_reset_before_the_body_is_quarantine(house: House) -> None:
    answer = await house.post((RECORDINGS / "retry_rst_early_head_only.body").read_bytes())
    assert answer["state"] == "quarantined"
    assert answer["problem"]
    shown = await the_incident(house)
    assert shown["labels"]["alertname"] == "PlantaoReceiptQuarantined"
    assert shown["severity"] == "warning"


AUTHENTICATED = {
    "auth_basic": "p@ss wörd",
    "auth_bearer": "fixture-bearer-token",
    "auth_custom_scheme": "k1",
    "auth_oauth2": "fixture-oauth2-token",
}


def authorization(name: str) -> str:
    head = json.loads((RECORDINGS / f"{name}.headers.json").read_text())
    found: str = dict(head["headers"])["Authorization"]
    return found


@pytest.mark.parametrize("name", AUTHENTICATED)
async def test_recorded_credentials_open_the_door(tmp_path: Path, name: str) -> None:
    sent = {"Authorization": authorization(name)}
    async with serving(tmp_path, webhook_token=AUTHENTICATED[name]) as house:
        answer = await house.http.post(WEBHOOK, content=body(name), headers=sent)
        assert answer.status_code == 202
        await applied(house, answer.json()["receipt"])
        assert len(await house.incidents()) == 1


@pytest.mark.parametrize("name", AUTHENTICATED)
@pytest.mark.parametrize("token", ["another", "p@ss w", "bot"])
async def test_recorded_credentials_open_no_other_door(
    tmp_path: Path, name: str, token: str
) -> None:
    async with serving(tmp_path, webhook_token=token) as house:
        for sent in ({"Authorization": authorization(name)}, {}):
            answer = await house.http.post(WEBHOOK, content=body(name), headers=sent)
            assert answer.status_code == 401
        receipts = await house.http.get("/receipts")
        assert receipts.json()["items"] == []
