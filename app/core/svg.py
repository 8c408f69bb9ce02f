"""What charts are drawn with: two sets of colours, and SVG elements with fixed decimals.

The colours are Okabe and Ito's (https://jfly.uni-koeln.de/color/), made darker on white and
lighter on black until their contrast with the ground is at least 3 to 1.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from app.core.facts import Sample
from app.core.plots import Plot

#: Families as wide as what the layout counts with, or narrower.
FONT = "DejaVu Sans, Verdana, sans-serif"


THIN = 'stroke-width="2"'
DASHED = 'stroke-width="3" stroke-dasharray="12 7"'
DOTTED = 'stroke-width="3" stroke-dasharray="3 5"'


@dataclass(frozen=True, slots=True)
class Colours:
    ground: str
    text: str
    faint: str
    grid: str
    line: str
    threshold: str
    firing: str
    shade: str
    change: str


LIGHT = Colours(
    ground="#ffffff",
    text="#1f2328",
    faint="#57606a",
    grid="#d8dee4",
    line="#0072b2",
    threshold="#d55e00",
    firing="#b37a00",
    shade="#fbeacb",
    change="#007a5a",
)
DARK = Colours(
    ground="#0d1117",
    text="#f0f3f6",
    faint="#9ea7b3",
    grid="#2b323b",
    line="#56b4e9",
    threshold="#f0824a",
    firing="#e69f00",
    shade="#33270f",
    change="#2fc295",
)


@dataclass(frozen=True, slots=True)
class Pen:
    """Writes single elements; every text that is drawn goes through it and is escaped."""

    size: float
    colours: Colours

    def text(self, x: float, y: float, text: str, anchor: str = "start", fill: str = "") -> str:
        where = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
        return f'<text {where} fill="{fill or self.colours.text}">{escape(text)}</text>'

    def over(self, x: float, y: float, text: str, anchor: str) -> str:
        """Text that stays readable on top of lines, by a rim in the colour of the ground."""
        rim = f'stroke="{self.colours.ground}" stroke-width="5" stroke-linejoin="round"'
        return self.text(x, y, text, anchor).replace("<text ", f'<text paint-order="stroke" {rim} ')

    def stroke(
        self, start: tuple[float, float], end: tuple[float, float], colour: str, style: str
    ) -> str:
        (x1, y1), (x2, y2) = start, end
        ends = f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
        return f'<line {ends} stroke="{colour}" {style}/>'

    def arrow(self, x: float, y: float, way: int) -> str:
        """With its tip at that point, 1 up or -1 down, in the colour of the threshold."""
        start, end = (x, y + 0.4 * way * self.size), (x, y + 1.1 * way * self.size)
        colour = self.colours.threshold
        stem = self.stroke(start, end, colour, 'stroke-width="4"')
        return f"{stem}\n{self.head(x, y, colour, way=way)}"

    def head(self, x: float, y: float, colour: str, *, way: int = -1) -> str:
        """A triangle whose tip is at that point, 1 up or -1 down."""
        side, tall = 0.28 * self.size, 0.4 * self.size * way
        corners = f"{x:.1f},{y:.1f} {x - side:.1f},{y + tall:.1f} {x + side:.1f},{y + tall:.1f}"
        return f'<polygon points="{corners}" fill="{colour}"/>'


def svg_size(width: int, height: int) -> str:
    """The attributes of an `<svg>` of so many pixels, which are its own units, too."""
    return f'width="{width}" height="{height}" viewBox="0 0 {width} {height}"'


def line_of(
    pieces: Sequence[Sequence[Sample]], plot: Plot, *, thickness: float, colour: str
) -> Iterator[str]:
    """The pieces as one path; a sample between two gaps, and the last one, as dots."""
    drawn = [plot.points(piece) for piece in pieces]
    runs = [points for points in drawn if len(points) > 1]
    path = " ".join("M" + " L".join(f"{x:.1f} {y:.1f}" for x, y in points) for points in runs)
    if path:
        yield (
            f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="{thickness}" '
            'stroke-linejoin="round" stroke-linecap="round"/>'
        )
    dots = [points[0] for points in drawn if len(points) == 1]
    dots += [drawn[-1][-1]] if drawn and len(drawn[-1]) > 1 else []
    for x, y in dots:
        yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{1.4 * thickness:.1f}" fill="{colour}"/>'
