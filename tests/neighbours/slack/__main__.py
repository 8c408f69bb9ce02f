"""`python -m tests.neighbours.slack --port N --journal FILE`: prints its address, then serves."""

from __future__ import annotations

import argparse
from pathlib import Path

import uvicorn

from .listener import listening_socket
from .manifest import Manifest
from .server import uvicorn_config
from .workspace import Workspace


def main() -> None:
    options = argparse.ArgumentParser(prog="tests.neighbours.slack", description=__doc__)
    options.add_argument("--port", type=int, default=0, help="0: any free one")
    options.add_argument("--journal", type=Path, help="append every request here, one JSON a line")
    options.add_argument("--no-rate-limits", action="store_true")
    options.add_argument(
        "--unthread", action="store_true", help="a reply without its root becomes a root message"
    )
    options.add_argument("--seed", type=int, default=0, help="for faults with a probability")
    options.add_argument("--app", metavar="URL", help="where the app is: it gets clicks and events")
    options.add_argument("--manifest", type=Path, help="how the app is configured")
    options.add_argument("--socket-mode", action="store_true")
    chosen = options.parse_args()
    workspace = Workspace(
        rate_limits=not chosen.no_rate_limits,
        missing_thread="unthread" if chosen.unthread else "error",
        journal_file=chosen.journal,
        seed=chosen.seed,
    )
    if chosen.manifest:
        Manifest.read(chosen.manifest).install(workspace, chosen.app)
    elif chosen.app:
        workspace.app.is_at(chosen.app)
    workspace.app.socket_mode |= chosen.socket_mode
    with listening_socket(chosen.port) as listener:
        workspace.hooks.base = f"http://127.0.0.1:{listener.getsockname()[1]}"
        print(workspace.hooks.base, flush=True)
        uvicorn.Server(uvicorn_config(workspace)).run(sockets=[listener])
    workspace.close()


if __name__ == "__main__":
    main()
