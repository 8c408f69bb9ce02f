"""`make demo` as a newcomer uses it: every story is told, shown, and put right."""

from __future__ import annotations

import json
import os
import signal
import socket
from pathlib import Path

import httpx
import pytest

from demo.words import LOCALES, WORDS
from tests.cli.shell import Shell
from tests.demo.play import Demo, marked, playing, said, started
from tests.neighbours.processes import eventually

pytestmark = [pytest.mark.neighbour, pytest.mark.timeout(900)]

NAMES = {
    "model": {"ScoringSlow", "ScoreDrift"},
    "kafka": {"KafkaConsumerLate", "SparkBatchSlow", "PixBudgetBurnsFast", "DeltaCommitsStopped"},
    "storm": {"FeatureStale"},
}


def tell_all(demo: Demo) -> None:
    """Each story, from the first press of its button to green again."""
    for story, names in NAMES.items():
        demo.press(story, "tell")
        found = demo.reaches(story, "open", incidents=len(names))
        assert {name for name in names for each in found if name in each["title"]} == names
        for name in names:
            demo.slack(name)
        if story == "kafka":
            of_kafka(demo)
        demo.press(story, "mend")
        assert {each["status"] for each in demo.reaches(story, "over")} == {"resolved"}
    false_resolve(demo)
    assert {demo.state(story)["phase"] for story in NAMES} == {"over"}


def false_resolve(demo: Demo) -> None:
    demo.press("false-resolve", "tell")
    demo.reaches("false-resolve", "blind")
    eventually(lambda: resolution(demo) == "no longer reported", within=60, what="the doubt")
    demo.slack("No longer reported" if demo.language == "en" else "Deixou de ser reportado")
    demo.press("false-resolve", "mend")
    (known,) = demo.reaches("false-resolve", "over")
    assert (known["status"], known["reopened"]) == ("resolved", 1)


def resolution(demo: Demo) -> str:
    """What the log says of how it ended."""
    (known,) = demo.state("false-resolve")["incidents"]
    return str(known["resolution"])


def test_every_story_with_real_prometheus_and_alertmanager(tmp_path: Path) -> None:
    with playing(tmp_path) as demo:
        assert WORDS["en"]["real"] in demo.get("/").text
        tell_all(demo)
        of_model(demo)
        of_storm(demo)
        work_an_incident(demo, tmp_path)


def of_model(demo: Demo) -> None:
    """What the bad model's incident knows: who serves, and what was changed."""
    (slow,) = demo.ask("GET", "/incidents?alertname=ScoringSlow").json()["items"]
    known = demo.ask("GET", f"/incidents/{slow['id']}").json()
    assert (known["model"]["name"], known["model"]["version"]) == ("pix-fraud", "3")
    assert "pix-fraud: champion v2 → v3" in [each["title"] for each in known["changes"]]


def of_kafka(demo: Demo) -> None:
    """While both are open, what is up the pipeline stands in what suffers from it."""
    (late,) = demo.ask("GET", "/incidents?alertname=SparkBatchSlow").json()["items"]
    context = demo.ask("GET", f"/incidents/{late['id']}").json()["context"]
    assert [each["component"] for each in context["upstream"]] == ["kafka"]
    assert {each["component"] for each in context["downstream"]} == {"delta", "serving"}


def of_storm(demo: Demo) -> None:
    (storm,) = demo.ask("GET", "/incidents?alertname=FeatureStale").json()["items"]
    assert sum(storm["alert_counts"].values()) == 320


def work_an_incident(demo: Demo, directory: Path) -> None:
    """As the index page asks a stranger to."""
    demo.press("model", "tell")
    found = demo.reaches("model", "open", incidents=2)
    number = next(each["id"] for each in found if "ScoringSlow" in each["title"])
    demo.ask("POST", f"/incidents/{number}/acknowledge", json={"by": "Ana"})
    demo.slack("Acknowledged by Ana")
    listed = json.loads(Shell(directory).ok("incidents", "list", "--json", "--url", demo.service))
    items = listed["items"] if isinstance(listed, dict) else listed
    assert number in [each["id"] for each in items]
    taken = demo.ask("GET", "/incidents?status=acknowledged").json()["items"]
    assert [each["id"] for each in taken] == [number]
    demo.press("model", "mend")
    demo.reaches("model", "over")
    eventually(lambda: "ScoringSlow" in demo.get("/mail").text, what="its mails")


def test_without_prometheus_notifications_are_posted_from_here(tmp_path: Path) -> None:
    nowhere = tmp_path / "nothing"
    nowhere.mkdir()
    env = {"PATH": str(nowhere), "PLANTAO_LOCALE": "pt-BR", "SLACK_APP_TOKEN": "somebody's own"}
    with playing(tmp_path, env=env) as demo:
        page = demo.get("/").text
        assert WORDS["pt-BR"]["recorded"] in page
        assert 'lang="pt-BR"' in page
        only_its_own_page_presses_buttons(demo)
        tell_all(demo)
        demo.slack("Resolvido")
        assert resolution(demo) == "resolved"


def only_its_own_page_presses_buttons(demo: Demo) -> None:
    url = f"{demo.page}/stories/storm/tell"
    answer = httpx.post(url, headers={"Origin": "https://evil.example"}, trust_env=False)
    assert answer.status_code == 403
    for path in ("/stories/storm/laugh", "/stories/nothing/tell"):
        assert httpx.post(demo.page + path, trust_env=False).status_code == 404
    assert demo.state("storm")["phase"] == "idle"


def test_a_part_that_dies_ends_it_with_a_word(tmp_path: Path) -> None:
    with started(tmp_path, "--recorded") as (process, mark):
        said(process, "Ctrl-C")
        (service,) = [pid for pid in marked(mark) if pid != process.pid]
        os.kill(service, signal.SIGKILL)
        assert process.wait(within=120) == 1
        assert "Plantão has ended" in process.log_text()
        assert list(marked(mark)) == []


def test_it_can_be_ended_before_it_has_begun_and_takes_another_port(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with started(tmp_path, "--recorded", "--port", port) as (process, mark):
            said(process, "Starting")
            process.signal(signal.SIGTERM)
            assert process.wait(within=120) == 0, process.log_text()
            assert list(marked(mark)) == []


def test_every_language_says_everything() -> None:
    assert len(LOCALES) == 2
    assert {frozenset(words) for words in WORDS.values()} == {frozenset(WORDS["en"])}
    same = [key for key, text in WORDS["en"].items() if WORDS["pt-BR"][key] == text]
    assert same == ["console", "api"]
