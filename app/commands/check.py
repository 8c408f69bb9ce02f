"""`plantao check`: does everything around the service answer? How each is asked: `attempts`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import typer

from app.commands.database import has_token
from app.commands.options import Config, settings_with
from app.commands.redaction import without_secrets
from app.commands.terminal import coloured
from app.documents import nearest
from app.errors import ConfigError, PlantaoError
from app.notifiers.text import one_line
from app.settings import VARIABLES, Settings

if TYPE_CHECKING:
    from app.config import Config as Configuration

_HEARING = "SLACK_SIGNING_SECRET or SLACK_APP_TOKEN, for buttons and commands"
_COLOURS = {"ok": "green", "FAIL": "red", "warn": "yellow", "-": None}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the answer. `verdict` is ok, FAIL, warn, or - for what is not set up."""

    verdict: str
    what: str
    text: str


def check(config: Config = None) -> None:
    """Try everything around the service.

    Reads the settings and plantao.yml, and asks each neighbour: one line each. Exits with 1 if
    any of them fails. Nothing is sent and nothing is changed.
    """
    settings = settings_with(config=config)
    failed = asyncio.run(_check(settings))
    if failed:
        raise typer.Exit(1)


async def _check(settings: Settings) -> bool:
    """Print the lines as the answers come in, in a fixed order; whether any of them is bad."""
    configuration, lines = _configuration(settings)
    lines = [*await _settings(settings), *lines]
    answers = [asyncio.ensure_future(each) for each in _attempts(settings, configuration)]
    for line in lines:
        _print(line, settings)
    for answer in answers:
        lines.append(await answer)
        _print(lines[-1], settings)
    return any(line.verdict == "FAIL" for line in lines)


def _print(line: Line, settings: Settings) -> None:
    verdict = coloured(f"{line.verdict:<4}", _COLOURS[line.verdict])
    typer.echo(f"{verdict} {line.what}: {one_line(without_secrets(line.text, settings))}")


async def _settings(settings: Settings) -> list[Line]:
    unknown = [
        Line("warn", "Settings", f"{name} means nothing to Plantão{nearest(name, VARIABLES)}")
        for name in settings.unknown
    ]
    refusal = settings.refusal_to_start()
    if refusal is None or await _has_token(settings):
        return unknown
    return [*unknown, Line("FAIL", "Settings", refusal)]


async def _has_token(settings: Settings) -> bool:
    with suppress(PlantaoError):  # that the database does not answer, its own line says
        return await has_token(settings)
    return False


def _configuration(settings: Settings) -> tuple[Configuration | None, list[Line]]:
    from app.configured import read_config  # noqa: PLC0415

    what, file = "Configuration", settings.config_file
    try:
        found = read_config(settings)
    except ConfigError as error:
        return None, [Line("FAIL", what, str(problem)) for problem in error.problems]
    names = ", ".join(found.receivers)
    return found, [Line("ok", what, f"{file or 'no plantao.yml'}; receivers: {names}")]


def _attempts(settings: Settings, configuration: Configuration | None) -> list[Awaitable[Line]]:
    from app.commands import attempts  # noqa: PLC0415

    named = _transports(configuration)
    alertmanagers = [
        _line("Alertmanager", attempts.alertmanager(url)) for url in settings.alertmanager_url
    ]
    return [
        _line("Database", attempts.database(settings)),
        _line(
            "Slack",
            attempts.slack(settings, groups=_groups(configuration)),
            needs="SLACK_BOT_TOKEN",
            by=named["slack"],
        ),
        _line("Slack requests", attempts.slack_requests(settings), needs=_HEARING),
        _line("SMTP", attempts.smtp(settings), needs="PLANTAO_SMTP_URL", by=named["email"]),
        _line("Prometheus", attempts.prometheus(settings), needs="PLANTAO_PROMETHEUS_URL"),
        *(alertmanagers or [_not_set("Alertmanager", "PLANTAO_ALERTMANAGER_URL", [])]),
        _line("MLflow", attempts.mlflow(settings), needs="MLFLOW_TRACKING_URI"),
    ]


def _groups(configuration: Configuration | None) -> bool:
    """Whether user groups decide who may act in Slack."""
    return bool(configuration and configuration.slack.allowed_usergroups)


def _transports(configuration: Configuration | None) -> dict[str, list[str]]:
    """The receivers that cannot do without Slack, and without email."""
    receivers = configuration.receivers.items() if configuration else ()
    return {
        "slack": [name for name, receiver in receivers if receiver.slack],
        "email": [name for name, receiver in receivers if receiver.email],
    }


async def _line(
    what: str,
    attempt: Awaitable[str | None],
    *,
    needs: str = "",
    by: Sequence[str] = (),
) -> Line:
    from app.commands.attempts import Failed  # noqa: PLC0415

    try:
        told = await attempt
    except Failed as error:
        return Line("FAIL", what, str(error))
    return Line("ok", what, told) if told is not None else await _not_set(what, needs, by)


async def _not_set(what: str, variable: str, by: Sequence[str]) -> Line:
    if by:
        told = f"not set ({variable}), and plantao.yml needs it for {', '.join(by)}: set it"
        return Line("FAIL", what, told)
    return Line("-", what, f"not set ({variable})")
