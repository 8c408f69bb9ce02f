"""Pages as a headless Chromium shows them."""

import struct
import tempfile
from pathlib import Path

from tests.neighbours.processes import NeighbourFailed, Process, find_program

#: How a headless Chromium is started, whoever drives it.
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--hide-scrollbars",
    "--force-device-scale-factor=1",
)


def screenshot(
    page: str | Path,
    png_path: Path,
    width: int,
    height: int,
    *,
    dark: bool = False,
    settle_ms: int = 0,
    within: float = 60.0,
) -> Path:
    """Write what `page`, an http url or the path of an HTML file, looks like; returns `png_path`.

    `dark` makes the page see a dark colour scheme; `settle_ms` lets its timers run that long, in
    virtual time, before the picture is taken.
    """
    png_path.unlink(missing_ok=True)
    # The profile holds sockets, whose paths must be short: not in pytest's own directory.
    with tempfile.TemporaryDirectory(prefix="plantao-chromium-", ignore_cleanup_errors=True) as own:
        chromium = Process(
            [
                find_chromium(),
                *FLAGS,
                f"--user-data-dir={own}/profile",
                f"--window-size={width},{height}",
                f"--screenshot={png_path}",
                f"--blink-settings=preferredColorScheme={0 if dark else 1}",
                *([f"--virtual-time-budget={settle_ms}"] if settle_ms else []),
                page.resolve().as_uri() if isinstance(page, Path) else page,
            ],
            log=Path(own) / "log",
            env={"HOME": own, "XDG_CONFIG_HOME": own, "XDG_CACHE_HOME": own},
        )
        chromium.start()
        status = chromium.wait(within=within)
        if status or not png_path.exists():
            raise NeighbourFailed(f"no picture of {page} ({status}): {chromium.log_text()}")
    return png_path


def find_chromium() -> str:
    """Debian's, or whichever is there; raises NeighbourFailed without one."""
    return find_program("chromium", "chromium-browser", "google-chrome")


def size(png_path: Path) -> tuple[int, int]:
    """Width and height of a PNG, from its header."""
    width, height = struct.unpack(">II", png_path.read_bytes()[16:24])
    return width, height
