"""`python -m demo`: starts everything, prints one address, and ends everything on Ctrl-C."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import signal
import socket
import sys
import tempfile
import webbrowser
from collections.abc import Iterator
from pathlib import Path

import httpx
import uvicorn

from demo import servers
from demo.page import create_page
from demo.teller import Teller
from demo.town import PartDied, Town
from demo.words import LOCALES, WORDS
from tests.neighbours.processes import NeighbourFailed
from tests.neighbours.slack.listener import listening_socket

_PORT = 8090


class _Server(uvicorn.Server):
    """Signals are for the demo as a whole."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def main() -> None:
    options = argparse.ArgumentParser(prog="demo", description=__doc__)
    options.add_argument("--port", type=int, default=_PORT, help="of the index page, if it is free")
    options.add_argument("--no-browser", action="store_true", help="only print the address")
    options.add_argument(
        "--recorded",
        action="store_true",
        help="do without Prometheus and Alertmanager, though they are installed",
    )
    chosen = options.parse_args()
    locale = os.environ.get("PLANTAO_LOCALE") or "en"
    if locale not in LOCALES:
        options.error(f"PLANTAO_LOCALE is {locale}: expected one of {', '.join(LOCALES)}")
    sys.exit(asyncio.run(demo(chosen, locale)))


async def demo(chosen: argparse.Namespace, locale: str) -> int:
    """The exit status."""
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    real = servers.installed() and not chosen.recorded
    with _listener(chosen.port) as listener, tempfile.TemporaryDirectory(prefix="plantao-") as own:
        page = f"http://127.0.0.1:{listener.getsockname()[1]}"
        town = Town(Path(own), page=page, locale=locale, real=real)
        try:
            return await _run(town, listener, ended, quiet=chosen.no_browser)
        except (NeighbourFailed, PartDied) as error:
            print(f"The demo ends: {error}", file=sys.stderr)
            return 1
        finally:
            await asyncio.to_thread(town.stop)


async def _run(town: Town, listener: socket.socket, ended: asyncio.Event, *, quiet: bool) -> int:
    """Until somebody ends it; raises NeighbourFailed and PartDied."""
    say = WORDS[town.locale]
    async with httpx.AsyncClient(base_url=town.service_url, trust_env=False, timeout=10) as http:
        teller = Teller(town, http)
        config = uvicorn.Config(
            create_page(town, teller), log_config=None, access_log=False, lifespan="off"
        )
        server = _Server(config)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            print(say["starting"], flush=True)
            if not await _or_ended(town.start(), ended):
                return 0
            print(say["ready"].format(page=town.page), flush=True)
            if not quiet and _has_display():
                webbrowser.open(town.page)
            await _or_ended(town.watch(), ended)
        finally:
            print(say["ending"], flush=True)
            await teller.close()
            server.should_exit = server.force_exit = True
            await serving
    return 0


async def _or_ended(work: object, ended: asyncio.Event) -> bool:
    """Whether the work came to its end before somebody ended the demo; raises what it raises."""
    doing = asyncio.ensure_future(work)  # type: ignore[call-overload]
    waiting = asyncio.ensure_future(ended.wait())
    await asyncio.wait({doing, waiting}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    if not doing.done():
        doing.cancel()
        return False
    await doing
    return True


def _listener(port: int) -> socket.socket:
    """On this port, or where it is taken on any free one."""
    try:
        return listening_socket(port)
    except OSError:
        return listening_socket(0)


def _has_display() -> bool:
    names = ("DISPLAY", "WAYLAND_DISPLAY")
    return sys.platform == "darwin" or any(os.environ.get(name) for name in names)


if __name__ == "__main__":
    main()
