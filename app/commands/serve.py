"""`plantao serve`: the service itself."""

from __future__ import annotations

import asyncio
import gc
import resource
import signal
import socket
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.commands.database import has_token, in_database
from app.commands.options import Config, settings_with
from app.commands.spared import spared
from app.errors import ConfigError, PlantaoError
from app.values import in_url

if TYPE_CHECKING:
    import uvicorn

    from app.settings import Settings

_BACKLOG = 4096  # a storm opens thousands of connections at once


def serve(
    host: Annotated[
        str | None, typer.Option(help="Address to listen on.", metavar="ADDRESS")
    ] = None,
    port: Annotated[
        int | None, typer.Option(help="Port to listen on.", min=0, max=65535, metavar="PORT")
    ] = None,
    config: Config = None,
) -> None:
    """Migrate the database, then serve.

    Until stopped; SIGHUP reads plantao.yml again.
    """
    settings = settings_with(config=config, host=host, port=port)
    refusal = settings.refusal_to_start()
    if refusal and not asyncio.run(has_token(settings)):
        raise PlantaoError(refusal)
    sockets = _bound(settings.host, settings.port)
    with spared():
        server = _prepared(settings, sockets[0].getsockname()[1])
    spare_the_collector()
    with suppress(KeyboardInterrupt, SystemExit):
        server.run(sockets)
    if not server.started:  # uvicorn has said why
        raise typer.Exit(1)


def _bound(host: str, port: int) -> list[socket.socket]:
    """Sockets at every address of the host, nobody listening yet: what cannot serve here must not
    touch the database. Raises PlantaoError."""
    sockets = []
    try:
        for family, kind, _, _, address in socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        ):
            sockets.append(each := socket.socket(family, kind))
            each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                each.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            each.bind(address)
    except OSError as error:
        for each in sockets:
            each.close()
        place = f"{in_url(host)}:{port}"
        raise PlantaoError(f"cannot listen on {place}: {error.strerror or error}") from None
    return sockets


def _prepared(settings: Settings, port: int) -> uvicorn.Server:
    """The service on its migrated database, about to listen."""
    import structlog  # noqa: PLC0415
    import uvicorn  # noqa: PLC0415

    from app.engine.privacy import hide  # noqa: PLC0415
    from app.main import create_app  # noqa: PLC0415
    from app.telemetry import set_up_logging  # noqa: PLC0415

    set_up_logging(settings.log_format, hide)
    log = structlog.get_logger()
    for name in settings.unknown:
        log.warning("this setting means nothing to Plantão", variable=name)
    _allow_many_connections()
    service = create_app(settings)
    asyncio.run(in_database(settings, lambda _: None))
    signal.signal(signal.SIGHUP, lambda *_: _reload(service.state))
    log.info("serving", address=f"http://{in_url(settings.host)}:{port}")

    class Server(uvicorn.Server):
        async def shutdown(self, *args: Any, **kwargs: Any) -> None:
            """Open streams never end by themselves, and it waits for every answer to end."""
            _end_streams(service.state)
            await super().shutdown(*args, **kwargs)

    return Server(
        uvicorn.Config(
            service,
            loop="uvloop",
            http="httptools",
            backlog=_BACKLOG,
            access_log=False,
            log_config=None,
            server_header=False,
            proxy_headers=False,  # whom we trust to say where a request comes from, settings say
            timeout_graceful_shutdown=5,
        )
    )


def _end_streams(state: object) -> None:
    context = getattr(state, "context", None)
    if context is not None:
        context.feed.close()


def _reload(state: object) -> None:
    context = getattr(state, "context", None)
    if context is not None:
        # Said in the log; the old configuration stays in force.
        with suppress(ConfigError):
            context.reload()


def spare_the_collector() -> None:
    """What is loaded by now stays: to look through it for garbage, over and over, would cost
    a storm a third of its speed."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 10, 10)


def _allow_many_connections() -> None:
    """Raise this process' limit of open files to the most it may have."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
