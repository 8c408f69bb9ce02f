"""`plantao incidents …`, against a real service."""

import json
import re
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from tests.cli.conftest import Beside
from tests.cli.shell import Shell
from tests.neighbours.recorder import Recorder

HOSTILE = "up\x1b[2J\x1b]0;owned\x07 \x9b31m\u202eback\nsecond line"


def _hostile_body(alertname: str) -> dict[str, object]:
    alert = {
        "status": "firing",
        "labels": {"alertname": alertname, "severity": "\x1b[31mbad", "x\x1b[0m": HOSTILE},
        "annotations": {"summary": HOSTILE},
        "startsAt": "2026-11-23T03:00:00Z",
    }
    return {"version": "4", "receiver": "\x1b[5m", "alerts": [alert], "groupLabels": {}}


def _has_controls(text: str) -> bool:
    return re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", text) is not None


def test_the_life_of_an_incident(service: Beside) -> None:
    shell, number = service.shell, str(service.open_incident("WholeLife"))
    assert "is acknowledged by maria" in shell.ok("incidents", "ack", number)
    assert "waits for somebody again" in shell.ok("incidents", "unack", number)
    assert "is assigned to joão" in shell.ok("incidents", "assign", number, "joão")
    assert "is assigned to maria" in shell.ok("incidents", "assign", number)
    assert "is assigned to nobody" in shell.ok("incidents", "assign", number, "--nobody")
    shell.ok("incidents", "assign", number, "Bia <bia@example.com>", "--by", "joão")
    assert "one more note" in shell.ok("incidents", "note", number, "olha isso")
    assert "has note 1 edited" in shell.ok("incidents", "note", number, "isto", "--edit", "1")
    assert "one more note, 2" in shell.ok("incidents", "note", number, "engano")
    assert "no longer has note 2" in shell.ok("incidents", "note", number, "--remove", "2")
    assert "replies muted" in shell.ok("incidents", "mute", number)
    assert "turned on again" in shell.ok("incidents", "unmute", number)
    assert "resolved by joão" in shell.ok("incidents", "resolve", number, "--force", "--by", "joão")
    text = shell.ok("incidents", "show", number)
    assert re.search(r"note, maria: isto; edited$", text, re.MULTILINE)
    assert re.search(r"^  1: maria, \S+ \S+ -03, edited: isto$", text, re.MULTILINE)
    assert re.search(r"note removed, maria: note 2; author maria$", text, re.MULTILINE)
    assert "engano" not in text
    assert re.search(r"^Assigned +\S+ \S+ -03 to Bia$", text, re.MULTILINE)
    assert re.search(r" assigned, joão: to Bia$", text, re.MULTILINE)
    assert re.search(r"^Resolved +\S+ \S+ -03 by joão$", text, re.MULTILINE)


def test_its_page_is_the_one_for_people(service: Beside) -> None:
    number = str(service.open_incident("Paged"))
    links = json.loads(service.shell.ok("incidents", "show", number, "--json"))["links"]
    text = service.shell.ok("incidents", "show", number)
    assert re.search(rf"^Page +{re.escape(links['console'])}$", text, re.MULTILINE)


def test_what_does_not_apply_is_told_in_the_service_s_words(service: Beside) -> None:
    number = str(service.open_incident("Firing"))
    assert "still has 1 firing alert" in service.shell.error("incidents", "resolve", number)
    service.shell.ok("incidents", "ack", number, "--by", "ana")
    assert "already acknowledged by ana" in service.shell.error("incidents", "ack", number)


def test_it_is_somebody_s_or_nobody_s(service: Beside) -> None:
    line = service.shell.error("incidents", "assign", "1", "ana", "--nobody", code=2)
    assert "not both" in line


@pytest.mark.parametrize("arguments", [[], [" "], ["x", "--remove", "1"], ["--edit", "1"]])
def test_a_note_that_makes_no_sense(service: Beside, arguments: list[str]) -> None:
    service.shell.error("incidents", "note", "1", *arguments, code=2)


def test_an_incident_that_is_not_there(service: Beside) -> None:
    assert "no incident 99999" in service.shell.error("incidents", "show", "99999")


def test_a_number_beyond_all_numbers(service: Beside) -> None:
    service.shell.error("incidents", "show", "9" * 30, code=2)


def test_a_query_that_makes_no_sense_is_wrong_usage(service: Beside) -> None:
    for wrong in (("--matcher", "foo"), ("--opened-after", "xyz")):
        service.shell.error("incidents", "list", *wrong, code=2)


def test_a_note_from_standard_input(service: Beside) -> None:
    number = str(service.open_incident("Piped"))
    service.shell.ok("incidents", "note", number, "-", stdin="from a\npipe\n")
    assert "from a pipe" in service.shell.ok("incidents", "show", number)


def test_the_list_and_its_filters(service: Beside) -> None:
    number = service.open_incident("Filtered")
    shell = service.shell
    header, line = shell.ok("incidents", "list", "--alertname", "Filtered").splitlines()
    assert header.split() == ["ID", "STATUS", "SEVERITY", "OPENED", "FIRING", "TITLE"]
    assert line.startswith(str(number))
    assert " 1/1 " in line
    only = ["incidents", "list", "--alertname", "Filtered"]
    for found in (
        ["--status", "triggered", "--status", "resolved"],
        ["--severity", "critical"],
        ["--receiver", "default"],
        ["--q", "Filtered"],
    ):
        assert shell.ok(*only, *found)
    for missed in (["--status", "resolved"], ["--severity", "info"], ["--q", "nobody says so"]):
        done = shell.run(*only, *missed)
        assert (done.returncode, done.stdout) == (0, "")
        assert done.stderr == "No incident matches.\n"


def test_more_than_the_limit(service: Beside) -> None:
    service.open_incident("LimitedOne")
    service.open_incident("LimitedTwo")
    done = service.shell.run("incidents", "list", "--limit", "1")
    assert len(done.stdout.splitlines()) == 2
    assert "--limit" in done.stderr


def test_json_is_the_api_s(service: Beside) -> None:
    number = str(service.open_incident("Parsed"))
    shown = json.loads(service.shell.ok("incidents", "show", number, "--json"))
    assert shown["labels"]["alertname"] == "Parsed"
    acked = json.loads(service.shell.ok("incidents", "ack", number, "--json"))
    assert acked["status"] == "acknowledged"
    page = json.loads(service.shell.ok("incidents", "list", "--json", "--alertname", "Parsed"))
    assert [item["id"] for item in page["items"]] == [int(number)]
    assert page["next"] is None


def test_times_are_in_the_zone(service: Beside) -> None:
    service.open_incident("Zoned")
    at = datetime.fromisoformat(service.incident("Zoned")["opened_at"])
    for zone in ("Asia/Tokyo", "America/Sao_Paulo"):
        local = at.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M")
        there = service.shell.at(PLANTAO_TIMEZONE=zone)
        assert local in there.ok("incidents", "list", "--alertname", "Zoned")


def test_tables_fit_the_terminal(service: Beside) -> None:
    service.open_incident("Wide")
    for columns in (80, 60, 30):
        text = service.shell.at(NO_COLOR="1").on_terminal(
            "incidents", "list", "--alertname", "Wide", columns=columns
        )
        assert max(map(len, text.splitlines())) <= columns
    assert "…" not in service.shell.ok("incidents", "list", "--alertname", "Wide")


def test_colour_is_for_terminals_that_want_it(service: Beside) -> None:
    service.open_incident("Coloured")
    arguments = ["incidents", "list", "--alertname", "Coloured"]
    assert "\x1b[31m" in service.shell.on_terminal(*arguments)
    assert "\x1b" not in service.shell.at(NO_COLOR="1").on_terminal(*arguments)
    assert "\x1b" not in service.shell.at(TERM="dumb").on_terminal(*arguments)
    assert "\x1b" not in service.shell.ok(*arguments)


def test_hostile_text_does_not_reach_the_terminal(service: Beside) -> None:
    service.post(_hostile_body("Hostile"))
    incident = service.incident("Hostile")
    assert HOSTILE in incident["labels"].values()
    shell, number = service.shell.at(NO_COLOR="1"), str(incident["id"])
    receipts = json.loads(shell.ok("receipts", "list", "--json", "--limit", "500"))["items"]
    shell.ok("incidents", "note", number, HOSTILE, "--by", "\x1b[1mmaria")
    for arguments in (
        ["incidents", "list", "--alertname", "Hostile"],
        ["incidents", "show", number],
        ["incidents", "show", number, "--json"],
        ["incidents", "list", "--alertname", "Hostile", "--json"],
        ["incidents", "ack", number, "--by", "\x1b[1mmaria"],
        ["incidents", "ack", number, "--by", "ana"],
        ["receipts", "show", str(receipts[-1]["receipt"])],
    ):
        text = shell.on_terminal(*arguments)
        assert text
        assert not _has_controls(text), text


@pytest.mark.parametrize("token", ["", "wrong"])
def test_a_missing_or_wrong_token(service: Beside, token: str) -> None:
    stranger = service.shell.at(PLANTAO_API_TOKENS=token)
    assert "PLANTAO_API_TOKENS" in stranger.error("incidents", "list")


def test_a_token_and_an_address_as_options(service: Beside, shell: Shell) -> None:
    shell.ok("incidents", "list", "--url", service.url + "/", "--token", "api-token-2a")


def test_the_public_address(service: Beside, shell: Shell) -> None:
    there = shell.at(PLANTAO_PUBLIC_URL=service.url, PLANTAO_API_TOKENS="api-token-2a")
    there.ok("incidents", "list")


@pytest.mark.parametrize("status", [200, 302, 404, 500])
def test_what_is_not_plantao_is_told_so(shell: Shell, status: int) -> None:
    with Recorder(status=status) as stranger:
        line = shell.error("incidents", "list", "--url", stranger.url)
    assert f"(HTTP {status}): is the address right?" in line


def test_a_proxy_is_not_asked_about_this_machine(service: Beside) -> None:
    service.shell.at(HTTP_PROXY="http://127.0.0.1:1", ALL_PROXY="http://127.0.0.1:1").ok(
        "incidents", "list"
    )
