"""The `plantao` command."""

from __future__ import annotations

import os
import resource
import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

from app.errors import ConfigError, PlantaoError
from app.settings import Settings, read_settings

app = typer.Typer(
    name="plantao",
    help="Plantão: alert routing and incidents for a real-time Pix fraud-detection pipeline.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

_BACKLOG = 4096  # a storm opens thousands of connections at once


def main() -> None:
    """Run the command; errors are one readable line each on standard error, exit code 1."""
    try:
        app()
    except ConfigError as error:
        for problem in error.problems:
            print(f"plantao: {problem}", file=sys.stderr)
        sys.exit(1)
    except PlantaoError as error:
        print(f"plantao: {error}", file=sys.stderr)
        sys.exit(1)


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.", min=0, max=65535)] = None,
    config: Annotated[Path | None, typer.Option(help="plantao.yml to use.")] = None,
) -> None:
    """Migrate the database, then serve until stopped. SIGHUP reads plantao.yml again."""
    settings = _settings(host, port, config)
    refusal = settings.refusal_to_start()
    if refusal:
        raise PlantaoError(refusal)
    _serve(settings)


def _settings(host: str | None, port: int | None, config: Path | None) -> Settings:
    given = {"PLANTAO_HOST": host, "PLANTAO_PORT": port, "PLANTAO_CONFIG": config}
    stated = {name: str(value) for name, value in given.items() if value is not None}
    return read_settings({**os.environ, **stated})


def _serve(settings: Settings) -> None:
    # Imported here so that the other commands start fast.
    import structlog  # noqa: PLC0415
    import uvicorn  # noqa: PLC0415

    from app.main import create_app  # noqa: PLC0415
    from app.telemetry import set_up_logging  # noqa: PLC0415

    set_up_logging(settings.log_format)
    log = structlog.get_logger()
    for name in settings.unknown:
        log.warning("this setting means nothing to Plantão", variable=name)
    _allow_many_connections()
    service = create_app(settings)
    signal.signal(signal.SIGHUP, lambda *_: _reload(service.state))
    log.info("serving", address=f"http://{settings.host}:{settings.port}")
    uvicorn.run(
        service,
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        http="httptools",
        backlog=_BACKLOG,
        access_log=False,
        log_config=None,
        server_header=False,
        timeout_graceful_shutdown=5,
    )


def _reload(state: object) -> None:
    context = getattr(state, "context", None)
    if context is not None:
        try:
            context.reload()
        except ConfigError:
            pass  # said in the log; the old configuration stays in force


def _allow_many_connections() -> None:
    """Raise this process' limit of open files to the most it may have."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
