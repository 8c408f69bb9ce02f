"""`plantao check`: each neighbour well, absent, broken, and refusing us."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Beside
from tests.cli.shell import Shell
from tests.neighbours.alertmanager import Alertmanager, webhook_config
from tests.neighbours.processes import free_port
from tests.neighbours.prometheus import Prometheus
from tests.neighbours.recorder import Recorder
from tests.neighbours.serving import Answer, LoopbackServer, Request
from tests.neighbours.slack import APP_TOKEN, BOT_TOKEN, SlackServer, Workspace
from tests.neighbours.smtp import SmtpServer

PASSWORD = "hunter22-secret"


class Mlflow(LoopbackServer):
    """Its version, and its registry for whoever has the password."""

    def answer(self, request: Request) -> Answer:
        if request.path == "/version":
            return Answer(body=b"3.4.0")
        known = request.headers.get("Authorization", "").startswith("Basic ")
        return Answer(body=b"{}") if known else Answer(status=401)


@pytest.fixture
def slack() -> Iterator[SlackServer]:
    with SlackServer(Workspace(rate_limits=False)) as server:
        yield server


def _line(shell: Shell, what: str, code: int) -> str:
    done = shell.run("check")
    assert done.returncode == code, done.stdout + done.stderr
    (line,) = [line for line in done.stdout.splitlines() if f" {what}: " in line]
    return line


def test_nothing_but_the_service(shell: Shell) -> None:
    assert shell.ok("check").splitlines() == [
        "ok   Configuration: no plantao.yml; receivers: default",
        "ok   Database: sqlite:///data/plantao.db is not there yet: plantao serve makes it",
        "-    Slack: not set (SLACK_BOT_TOKEN)",
        "-    Slack requests: not set (SLACK_SIGNING_SECRET or SLACK_APP_TOKEN, for buttons and "
        "commands)",
        "-    SMTP: not set (PLANTAO_SMTP_URL)",
        "-    Prometheus: not set (PLANTAO_PROMETHEUS_URL)",
        "-    Alertmanager: not set (PLANTAO_ALERTMANAGER_URL)",
        "-    MLflow: not set (MLFLOW_TRACKING_URI)",
    ]
    assert list(shell.directory.iterdir()) == [], "looking changes nothing"


def test_unknown_settings_are_warned_of(shell: Shell) -> None:
    line = _line(shell.at(PLANTAO_SMTP_URI="smtp://x"), "Settings", 0)
    assert line.startswith("warn Settings: PLANTAO_SMTP_URI")
    assert "'PLANTAO_SMTP_URL'" in line


def test_every_problem_of_the_configuration_and_the_rest_all_the_same(shell: Shell) -> None:
    (shell.directory / "plantao.yml").write_text("reopen_within: soon\nrouts: {}\n")
    done = shell.run("check")
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert lines[0].startswith("FAIL Configuration: plantao.yml:1: reopen_within")
    assert lines[1].startswith("FAIL Configuration: plantao.yml:2: routs")
    assert any(line.startswith("ok   Database") for line in lines)


def test_receivers_that_need_what_is_not_set(shell: Shell) -> None:
    (shell.directory / "plantao.yml").write_text(
        'receivers: {oncall: {slack: {channel: "#plantao"}}}'
    )
    line = _line(shell, "Slack", 1)
    assert line.startswith("FAIL")
    assert "SLACK_BOT_TOKEN" in line
    assert "oncall" in line


def test_slack(shell: Shell, slack: SlackServer) -> None:
    there = shell.at(SLACK_BOT_TOKEN=BOT_TOKEN, PLANTAO_SLACK_API_URL=slack.api_url)
    assert _line(there, "Slack", 0).startswith("ok   Slack: ")
    slack.workspace.set_scopes("channels:history")
    assert "missing scopes: chat:write" in _line(there, "Slack", 1)
    stranger = there.at(SLACK_BOT_TOKEN=f"xoxb-{PASSWORD}")
    line = _line(stranger, "Slack", 1)
    assert "SLACK_BOT_TOKEN" in line
    assert PASSWORD not in line


def test_the_scopes_that_buttons_and_groups_need(shell: Shell, slack: SlackServer) -> None:
    there = shell.at(
        SLACK_BOT_TOKEN=BOT_TOKEN, PLANTAO_SLACK_API_URL=slack.api_url, SLACK_SIGNING_SECRET="s"
    )
    slack.workspace.set_scopes("chat:write", "channels:history", "files:write", "commands")
    line = _line(there, "Slack", 1)
    assert "reactions:read (without it, no message becomes a note by a reaction)" in line
    assert "users:read (without it, people are called by their handles" in line
    assert "usergroups:read" not in line
    config = "slack: {allowed_usergroups: [oncall]}"
    (shell.directory / "plantao.yml").write_text(config)
    assert "usergroups:read (without it, nobody may act" in _line(there, "Slack", 1)


def test_how_slack_reaches_us(shell: Shell, slack: SlackServer) -> None:
    there = shell.at(SLACK_BOT_TOKEN=BOT_TOKEN, PLANTAO_SLACK_API_URL=slack.api_url)
    assert "not set" in _line(there, "Slack requests", 0)
    over_http = there.at(SLACK_SIGNING_SECRET="s", PLANTAO_PUBLIC_URL="https://plantao.example.com")
    assert "https://plantao.example.com/slack/interactions" in _line(over_http, "Slack requests", 0)
    slack.workspace.app.socket_mode = True
    assert "over Socket Mode" in _line(there.at(SLACK_APP_TOKEN=APP_TOKEN), "Slack requests", 0)
    line = _line(there.at(SLACK_APP_TOKEN=f"xapp-{PASSWORD}"), "Slack requests", 1)
    assert "SLACK_APP_TOKEN" in line
    assert PASSWORD not in line


def test_slack_that_is_not_there(shell: Shell) -> None:
    gone = f"http://127.0.0.1:{free_port()}/api/"
    line = _line(shell.at(SLACK_BOT_TOKEN="xoxb-1", PLANTAO_SLACK_API_URL=gone), "Slack", 1)
    assert line.startswith("FAIL Slack: ")


def test_smtp(shell: Shell, tmp_path: Path) -> None:
    with SmtpServer(tmp_path, user="plantao", password=PASSWORD) as server:
        there = shell.at(PLANTAO_SMTP_URL=server.url)
        assert _line(there, "SMTP", 0).startswith("ok   SMTP: ")
        wrong = there.at(PLANTAO_SMTP_URL=server.url.replace(PASSWORD, f"not-{PASSWORD}"))
        line = _line(wrong, "SMTP", 1)
        assert server.mailbox.messages == []
    assert line.startswith("FAIL SMTP: ")
    assert "PLANTAO_SMTP_URL" in line
    assert PASSWORD not in line
    assert _line(there, "SMTP", 1).startswith("FAIL SMTP: ")


@pytest.mark.neighbour
def test_prometheus_and_alertmanagers(shell: Shell, tmp_path: Path) -> None:
    hook = webhook_config("http://127.0.0.1:9/webhooks/alertmanager")
    with Prometheus(tmp_path) as prometheus, Alertmanager(tmp_path, hook) as alertmanager:
        gone = f"http://127.0.0.1:{free_port()}"
        there = shell.at(
            PLANTAO_PROMETHEUS_URL=prometheus.url,
            PLANTAO_ALERTMANAGER_URL=f"{alertmanager.url},{gone}",
        )
        done = there.run("check")
    lines = [line for line in done.stdout.splitlines() if "127.0.0.1" in line]
    assert done.returncode == 1
    assert lines[0] == f"ok   Prometheus: {prometheus.url} answers queries"
    assert lines[1].startswith(f"ok   Alertmanager: {alertmanager.url} version 0.")
    assert lines[2].startswith(f"FAIL Alertmanager: nothing answers at {gone}")


@pytest.mark.parametrize("status", [200, 401, 500])
def test_neighbours_that_are_something_else(shell: Shell, status: int) -> None:
    with Recorder(status=status) as stranger:
        url = stranger.url.replace("//", f"//ana:{PASSWORD}@")
        there = shell.at(
            PLANTAO_PROMETHEUS_URL=url, PLANTAO_ALERTMANAGER_URL=url, MLFLOW_TRACKING_URI=url
        )
        done = there.run("check")
    assert PASSWORD not in done.stdout + done.stderr
    failed = [line for line in done.stdout.splitlines() if line.startswith("FAIL")]
    assert done.returncode == 1
    # Any address may be an MLflow's: it does not say who it is.
    assert len(failed) == (2 if status == 200 else 3)
    assert all(stranger.url in line for line in failed)


def test_mlflow(shell: Shell) -> None:
    with Mlflow() as server:
        there = shell.at(MLFLOW_TRACKING_URI=server.url)
        assert "check the credentials" in _line(there, "MLflow", 1)
        known = there.at(MLFLOW_TRACKING_USERNAME="ana", MLFLOW_TRACKING_PASSWORD=PASSWORD)
        line = _line(known, "MLflow", 0)
        assert line == f"ok   MLflow: {server.url} version 3.4.0, its model registry answers"
        nowhere = known.at(MLFLOW_TRACKING_SERVER_CERT_PATH="nowhere.pem").run("check")
        assert nowhere.returncode == 1
        assert "MLFLOW_TRACKING_SERVER_CERT_PATH" in nowhere.stderr
        assert "nowhere.pem: No such file" in nowhere.stderr


def test_a_database_in_use(service: Beside) -> None:
    assert " at schema 0" in _line(service.shell, "Database", 0)


def test_a_database_that_cannot_be_used(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("not a database, but long enough to be looked at\n" * 100)
    text = shell.at(PLANTAO_DATABASE_URL=f"sqlite:///{tmp_path}/text")
    assert _line(text, "Database", 1).startswith("FAIL Database: ")
    gone = f"postgresql+psycopg://ana:{PASSWORD}@127.0.0.1:{free_port()}/plantao"
    line = _line(shell.at(PLANTAO_DATABASE_URL=gone), "Database", 1)
    assert "PLANTAO_DATABASE_URL" in line
    assert PASSWORD not in line


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_directory_that_cannot_be_written_to(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "locked").mkdir(mode=0o500)
    locked = shell.at(PLANTAO_DATABASE_URL=f"sqlite:///{tmp_path}/locked/plantao.db")
    assert "cannot be written to" in _line(locked, "Database", 1)


def test_colour_on_a_terminal_only(shell: Shell) -> None:
    assert "\x1b[32mok" in shell.on_terminal("check")
    assert "\x1b" not in shell.at(NO_COLOR="1").on_terminal("check")
    assert "\x1b" not in shell.ok("check")
