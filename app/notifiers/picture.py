"""SVG to PNG, for places that show no SVG: Slack and email.

resvg holds the interpreter lock while it draws, so a thread would stop the event loop for those
35 ms as surely as a plain call does. Each picture gets a process of its own instead: some
10 ms more, on another core, and what goes wrong in there (or hangs) stays there.
"""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import resvg_py

from app.errors import PlantaoError
from app.notifiers import resvg
from app.notifiers.resvg import SCALE, png

__all__ = ["PictureFailed", "png", "render"]

_DEADLINE = timedelta(seconds=10)
#: -P: with the script's folder on the path, `email` would be our own email.py. -S: what else is
#: installed is of no use there, and to look for it takes 13 ms.
_FLAGS = ("-P", "-s", "-S")
_KEPT = ("LD_LIBRARY_PATH", "PYTHONHOME")


class PictureFailed(PlantaoError):
    """There is no picture: go on without it. Trying again with the same SVG does not help."""


async def render(
    svg: str,
    *,
    scale: float = SCALE,
    deadline: timedelta = _DEADLINE,
    interpreter: str = sys.executable,
) -> bytes:
    """The SVG document as a PNG image with `scale` times its pixels, off the event loop.

    One process and some 30 MB for each call that is under way. Raises PictureFailed.
    """
    try:
        process = await asyncio.create_subprocess_exec(
            *(interpreter, *_FLAGS, resvg.__file__, str(scale)),
            env=_environment(),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
    except OSError as error:
        raise PictureFailed(f"no process for the picture: {error}") from error
    return await _finish(process, svg, deadline)


def _environment() -> dict[str, str]:
    """Where resvg is, what the interpreter itself may need, and none of the service's secrets."""
    needed = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return needed | {"PYTHONPATH": str(Path(resvg_py.__file__).parents[1])}


async def _finish(process: asyncio.subprocess.Process, svg: str, deadline: timedelta) -> bytes:
    try:
        async with asyncio.timeout(deadline.total_seconds()):
            image, complaint = await process.communicate(svg.encode())
    except TimeoutError as error:
        raise PictureFailed(f"the picture was not drawn within {deadline}") from error
    finally:
        await _end(process)
    if process.returncode or not image:
        last = complaint.decode(errors="replace").strip().rpartition("\n")[2]
        raise PictureFailed(f"the picture could not be drawn: {last[:200]}")
    return image


async def _end(process: asyncio.subprocess.Process) -> None:
    """Leave nothing running, whether the deadline passed or the caller was cancelled."""
    if process.returncode is None:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
