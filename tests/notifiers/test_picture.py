"""Charts as PNG: whole, the same each time, and never in the event loop's way."""

from __future__ import annotations

import asyncio
import os
import struct
from datetime import timedelta
from pathlib import Path

import pytest

from app.core.chart import draw
from app.core.labels import text_width
from app.notifiers.picture import PictureFailed, png, render
from app.notifiers.resvg import FONT_FILE
from tests.core.test_chart import CHARTS, PROMOTION
from tests.waiting import soon

SVG = draw(PROMOTION)
SIGNATURE = b"\x89PNG\r\n\x1a\n"


def size(image: bytes) -> tuple[int, int]:
    width, height = struct.unpack(">II", image[16:24])
    return width, height


@pytest.mark.parametrize(
    ("scale", "expected"), [(1.0, (640, 280)), (1.5, (960, 420)), (2.0, (1280, 560))]
)
def test_it_is_a_png_of_that_many_pixels(scale: float, expected: tuple[int, int]) -> None:
    image = png(SVG, scale=scale)
    assert image.startswith(SIGNATURE)
    assert size(image) == expected
    assert len(image) < 200_000


@pytest.mark.parametrize("name", CHARTS)
def test_the_same_chart_gives_the_same_bytes(name: str) -> None:
    svg = draw(CHARTS[name], dark=True)
    assert png(svg, scale=0.5) == png(svg, scale=0.5)


def test_its_text_is_set_in_the_bundled_font() -> None:
    """Without it resvg draws no text, and says nothing."""
    other = SVG.replace("DejaVu Sans, Verdana, sans-serif", "No Such Font, sans-serif")
    assert png(other) == png(SVG)
    assert png(SVG.replace("firing", "")) != png(SVG)


async def test_render_gives_what_png_gives_and_leaves_the_loop_alone() -> None:
    longest, task = 0.0, asyncio.create_task(render(SVG))
    loop = asyncio.get_running_loop()
    while not task.done():
        before = loop.time()
        await asyncio.sleep(0.001)
        longest = max(longest, loop.time() - before)
    assert await task == png(SVG)
    assert longest < 0.5, "generous: a busy machine is slow too"


async def test_what_is_no_svg_is_an_error_with_its_reason() -> None:
    with pytest.raises(PictureFailed, match="could not be drawn: ValueError"):
        await render("<svg")
    with pytest.raises(ValueError, match="root node"):
        png("<svg")


async def test_a_picture_that_takes_too_long_is_given_up() -> None:
    with pytest.raises(PictureFailed, match="not drawn within"):
        await render(SVG, deadline=timedelta(microseconds=1))


async def test_cancelling_leaves_no_process(tmp_path: Path) -> None:
    """The interpreter is one that says its number and then hangs."""
    said = tmp_path / "pid"
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\necho $$ > {said}\nexec sleep 60\n")
    python.chmod(0o755)
    task = asyncio.create_task(render(SVG, interpreter=str(python)))

    async def started() -> str:
        return said.read_text().strip() if said.exists() else ""

    pid = int(await soon(started, what="the interpreter"))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_no_interpreter_is_an_error() -> None:
    with pytest.raises(PictureFailed, match="no process"):
        await render(SVG, interpreter="/nowhere/python")


# The widths that the layout counts with


def advances(font: bytes) -> dict[str, float]:
    """Each character's advance width as a part of the font's size."""
    count = struct.unpack(">H", font[4:6])[0]
    tables = {
        font[at : at + 4]: struct.unpack(">I", font[at + 8 : at + 12])[0]
        for at in range(12, 12 + 16 * count, 16)
    }
    em = struct.unpack(">H", font[tables[b"head"] + 18 :][:2])[0]
    metrics = struct.unpack(">H", font[tables[b"hhea"] + 34 :][:2])[0]
    widths = struct.unpack(f">{2 * metrics}H", font[tables[b"hmtx"] :][: 4 * metrics])[::2]
    return {
        character: widths[min(glyph, metrics - 1)] / em
        for character, glyph in glyphs(font, tables[b"cmap"]).items()
    }


def glyphs(font: bytes, cmap: int) -> dict[str, int]:
    """From the table in format 12, which has all of Unicode."""
    found: dict[str, int] = {}
    for number in range(struct.unpack(">H", font[cmap + 2 :][:2])[0]):
        start = cmap + struct.unpack(">I", font[cmap + 8 + 8 * number :][:4])[0]
        if struct.unpack(">H", font[start:][:2])[0] != 12:
            continue
        for group in range(struct.unpack(">I", font[start + 12 :][:4])[0]):
            first, last, glyph = struct.unpack(">III", font[start + 16 + 12 * group :][:12])
            found.update({chr(c): glyph + c - first for c in range(first, last + 1)})
    return found


def test_no_text_is_wider_than_the_layout_believes() -> None:
    widths = advances(Path(FONT_FILE).read_bytes())
    assert len(widths) > 5000
    narrow = {c for c, width in widths.items() if width > text_width(c, 1) + 0.001}
    assert narrow == set()
