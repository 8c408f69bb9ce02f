"""A chart of the measured value as SVG: what it was, what its threshold is, what changed.

One writer for every place a chart is shown in. The same chart gives the same bytes. Nothing is
said by colour alone (the threshold is dashed, changes are dotted, the firing period is shaded
and named).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, tzinfo
from xml.sax.saxutils import quoteattr

from app.core.facts import Sample, Threshold
from app.core.labels import ROWS, Box, Flag, fit, place_flags, plain, text_width
from app.core.plots import Plot, between, finite, pieces_of, usable
from app.core.scales import (
    Values,
    has_symbol,
    in_full,
    time_range,
    time_ticks,
    values_axis,
)
from app.core.svg import DARK, DASHED, DOTTED, FONT, LIGHT, THIN, Colours, Pen, line_of, svg_size


@dataclass(frozen=True, slots=True)
class Marker:
    """Something that changed at `at`; the label is untrusted text of any length."""

    at: datetime
    label: str


@dataclass(frozen=True, slots=True)
class Language:
    """How a reader writes what is on a chart. The callables are given times in `zone`.

    `clock` writes the time of day, `day` the date without the year. `zone_label` names the
    zone (`UTC-3`), `firing` and `no_data` are the words for that, `decimal` the decimal sign.
    """

    zone: tzinfo
    clock: Callable[[datetime], str]
    day: Callable[[datetime], str]
    zone_label: str = ""
    firing: str = "firing"
    no_data: str = "no data"
    decimal: str = "."


@dataclass(frozen=True, slots=True)
class Chart:
    """What to draw. Times are aware, values in the base unit `unit` (see facts.Measured).

    `line` is broken where a value is not finite or samples are missing. `firing` is from when
    until when, None for until `now`. Of `markers` the first are the first to get their label;
    those outside the line's time are left out.
    """

    line: Sequence[Sample]
    now: datetime
    language: Language
    title: str = ""
    unit: str = ""
    threshold: Threshold | None = None
    firing: tuple[datetime, datetime | None] | None = None
    markers: Sequence[Marker] = field(default=())


def draw(chart: Chart, *, dark: bool = False, width: int = 640, height: int = 280) -> str:
    """The chart as an SVG document of that many pixels (at least 240 by 160).

    Its text is 13 pixels high where a picture of up to 640 is shown 360 wide, as on a phone.
    """
    return _document(chart, DARK if dark else LIGHT, max(width, 240), max(height, 160))


def spark(line: Sequence[Sample], width: int = 120, height: int = 28) -> str:
    """The line alone, for lists, in the colour of the text around it; empty without samples."""
    kept = usable(line)
    parts: list[str] = []
    if kept:
        plot = Plot(3, 3, width - 3, height - 3, kept[0].at, kept[-1].at, *_extent(kept))
        parts = list(line_of(pieces_of(kept), plot, thickness=1.5, colour="currentColor"))
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {svg_size(width, height)} aria-hidden="true">'
    return "\n".join([head, *parts, "</svg>"]) + "\n"


def _extent(line: Sequence[Sample]) -> tuple[float, float]:
    axis = values_axis(finite(line), None, "", most=2)
    return axis.low, axis.high


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where everything goes. `flags` go with `firing` (if shown) and then the markers.

    `limit` is where the threshold's line is, without meaning if there is none.
    """

    size: float
    title: str
    plot: Plot
    axis: Values
    ticks: Sequence[tuple[float, str]]
    pieces: Sequence[Sequence[Sample]]
    firing: tuple[float, float] | None
    markers: Sequence[float]
    flags: Sequence[Flag | None]
    limit: float


def _lay_out(chart: Chart, width: int, height: int) -> _Layout:
    size = round(min(24.0, width * 13.5 / 360), 1)
    line = usable(chart.line)
    title = fit(_caption(chart), size, width - size)
    rows_top = size * (1.5 if title else 0.3)
    bottom = height - 1.75 * size
    most = max(2, min(5, round((bottom - rows_top - 2.5 * size) / size) - 1))
    axis = values_axis(finite(line), chart.threshold, chart.unit, most=most)
    ticks = [(tick, plain(axis.label(tick, chart.language.decimal))) for tick in axis.ticks]
    left = size * 0.8 + max(text_width(text, size) for _, text in ticks)
    first, last = _times(chart, line)
    wide = Plot(left, 0, width - size * 0.8, bottom, first, last, axis.low, axis.high)
    firing, markers = _period(chart, wide), _markers(chart, wide)
    flags = _flags(chart, [firing[0]] if firing else [], markers, size, width)
    rows = 1 + max((flag.row for flag in flags if flag), default=-1)
    plot = replace(wide, top=rows_top + size * (1.15 * rows + (0.45 if rows else 0.3)))
    shown = [x for x, _ in markers]
    limit = plot.y(chart.threshold.value) if chart.threshold else plot.top
    return _Layout(size, title, plot, axis, ticks, pieces_of(line), firing, shown, flags, limit)


def _caption(chart: Chart) -> str:
    title = plain(chart.title)
    unit = "" if has_symbol(chart.unit) else plain(chart.unit)
    return f"{title} ({unit})" if title and unit else title or unit


def _times(chart: Chart, line: Sequence[Sample]) -> tuple[datetime, datetime]:
    start, end = chart.firing or (None, None)
    also = [at for at in (end or chart.now, start) if at is not None] if chart.firing else []
    return time_range([each.at for each in line], also=also, now=chart.now)


def _period(chart: Chart, plot: Plot) -> tuple[float, float] | None:
    """From where to where the alert fired, as far as it is in the picture."""
    if chart.firing is None:
        return None
    start, end = chart.firing[0], chart.firing[1] or max(chart.now, plot.last)
    if start > plot.last or end < plot.first or end < start:
        return None
    return plot.x(start), plot.x(end)


def _markers(chart: Chart, plot: Plot) -> list[tuple[float, str]]:
    shown = (marker for marker in chart.markers if plot.first <= marker.at <= plot.last)
    return [(plot.x(marker.at), marker.label) for marker in shown]


def _flags(
    chart: Chart,
    firing: Sequence[float],
    markers: Sequence[tuple[float, str]],
    size: float,
    width: int,
) -> list[Flag | None]:
    """One for each in order; None for what finds no room, and then its line stands alone.

    What changed is mostly just before the firing: where the word for that is in the way of a
    label, it goes up one row. If that does not help, the change that tells most comes first:
    where the firing began can be seen.
    """
    named = [*((x, chart.language.firing) for x in firing), *markers]
    texts = [(x, fit(plain(text), size, 0.45 * width)) for x, text in named]
    ways = [place_flags(texts, size, width, first_row=row) for row in range(ROWS)]
    if firing:
        *others, word = place_flags([*texts[1:], texts[0]], size, width)
        ways.append([word, *others])

    def found(flags: list[Flag | None]) -> list[bool]:
        most_telling_first = [*flags[1:2], *flags[:1], *flags[2:]] if firing else flags
        return [flag is not None for flag in most_telling_first]

    return max(ways, key=found)


# Drawing


def _document(chart: Chart, colours: Colours, width: int, height: int) -> str:
    layout = _lay_out(chart, width, height)
    pen = Pen(layout.size, colours)
    label = f'role="img" aria-label={quoteattr(layout.title or "chart")}'
    font = f'font-family="{FONT}" font-size="{layout.size}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {svg_size(width, height)} {label} {font}>',
        f'<rect width="{width}" height="{height}" fill="{colours.ground}"/>',
        *_frame(chart, layout, pen, width),
        *_verticals(layout, pen),
        *line_of(layout.pieces, layout.plot, thickness=3.5, colour=colours.line),
        *_words(chart, layout, pen),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _frame(chart: Chart, layout: _Layout, pen: Pen, width: int) -> Iterator[str]:
    """The shaded period, the title, the grid and both axes."""
    plot, size, colours = layout.plot, layout.size, pen.colours
    if layout.firing:
        x, wide = layout.firing[0], max(layout.firing[1] - layout.firing[0], 2)
        box = f'x="{x:.1f}" y="{plot.top:.1f}" width="{wide:.1f}"'
        yield f'<rect {box} height="{plot.bottom - plot.top:.1f}" fill="{colours.shade}"/>'
    if layout.title:
        yield pen.text(size / 3, 1.1 * size, layout.title, fill=colours.faint)
    lowest = math.inf
    for tick, text in layout.ticks:
        y = plot.y(tick)
        style = 'stroke-width="1.5"'
        yield pen.stroke((plot.left, y), (plot.right, y), colours.grid, style)
        if lowest - y >= size:
            lowest = y
            yield pen.text(plot.left - size * 0.4, y + 0.36 * size, text, "end")
    yield from _time_axis(chart, layout, pen, width)


def _time_axis(chart: Chart, layout: _Layout, pen: Pen, width: int) -> Iterator[str]:
    plot, size, language = layout.plot, layout.size, chart.language
    y, taken = plot.bottom + 1.4 * size, -math.inf
    ground = pen.colours.faint
    yield pen.stroke((plot.left, plot.bottom), (plot.right, plot.bottom), ground, THIN)
    zone = fit(plain(language.zone_label), size, 0.3 * width)
    zone_end = size / 3 + text_width(zone, size) + size / 2
    for tick in time_ticks(plot.first, plot.last, language.zone):
        x = plot.x(tick.at)
        yield pen.stroke((x, plot.bottom), (x, plot.bottom + 0.25 * size), ground, THIN)
        text = plain(language.day(tick.local) if tick.midnight else language.clock(tick.local))
        half = text_width(text := fit(text, size, 0.3 * width), size) / 2
        middle = min(max(x, half + size / 4), width - half - size / 4)
        if middle - half >= taken and text:
            zone = zone if taken > -math.inf or middle - half >= zone_end else ""
            taken = middle + half + size / 3
            yield pen.text(middle, y, text, "middle")
    if zone:
        yield pen.text(size / 3, y, zone, fill=pen.colours.faint)


def _verticals(layout: _Layout, pen: Pen) -> Iterator[str]:
    """Where the firing began (solid) and where something changed (dotted), with their labels."""
    plot, size, flags = layout.plot, layout.size, list(layout.flags)
    if layout.firing:
        flag = flags.pop(0)
        seen = layout.firing[0] > plot.left  # else it began before the picture does
        look = (pen.colours.firing, THIN) if seen else None
        yield from _vertical(layout, pen, layout.firing[0], flag, look)
    for x, flag in zip(layout.markers, flags, strict=True):
        yield from _vertical(layout, pen, x, flag, (pen.colours.change, DOTTED))
        if flag:  # among lines that found no room for theirs, this tells whose the label is
            yield pen.head(x, plot.top + 0.1 * size, pen.colours.change)


def _vertical(
    layout: _Layout, pen: Pen, x: float, flag: Flag | None, look: tuple[str, str] | None
) -> Iterator[str]:
    plot, size = layout.plot, layout.size
    start = plot.top
    if flag:
        baseline = plot.top - (0.62 + 1.15 * flag.row) * size
        start = baseline + 0.25 * size
        yield pen.text(flag.left, baseline, flag.text)
    if look:
        yield pen.stroke((x, start), (x, plot.bottom), *look)


def _words(chart: Chart, layout: _Layout, pen: Pen) -> Iterator[str]:
    """What is written into the plot: the threshold's value, and that there is no data."""
    plot, size = layout.plot, layout.size
    taken: list[Box] = []
    if not layout.pieces:
        text = fit(plain(chart.language.no_data), size, plot.right - plot.left)
        x, y = (plot.left + plot.right) / 2, (plot.top + plot.bottom) / 2
        half = text_width(text, size) / 2
        taken.append(Box(x - half, y - size, x + half, y + size))
        yield pen.over(x, y + 0.36 * size, text, "middle")
    if chart.threshold and math.isfinite(chart.threshold.value):
        yield from _threshold(chart.threshold, chart, layout, pen, taken)


def _threshold(
    threshold: Threshold, chart: Chart, layout: _Layout, pen: Pen, taken: Sequence[Box]
) -> Iterator[str]:
    """Dashed, where it is; an arrow at the edge where it is far beyond; with its value."""
    plot, size, beyond = layout.plot, layout.size, layout.axis.beyond
    text = _limit(threshold, layout.axis, chart)
    place = _place(layout, text_width(text, size), taken)
    if beyond:
        x = place.right + 0.55 * size if place else plot.right - 0.5 * size
        yield pen.arrow(x, plot.top if beyond > 0 else plot.bottom, beyond)
    else:
        ends = (plot.left, layout.limit), (plot.right, layout.limit)
        yield pen.stroke(*ends, pen.colours.threshold, DASHED)
    if place:
        yield pen.over(place.left, place.top + 0.9 * size, text, "start")


def _limit(threshold: Threshold, axis: Values, chart: Chart) -> str:
    """`> 250 ms`: what makes it fire."""
    sign = {">=": "≥", "<=": "≤", "==": "=", "!=": "≠"}.get(threshold.operator, threshold.operator)
    value = in_full(threshold.value, chart.unit, axis.measure, chart.language.decimal)
    return plain(f"{sign} {value}")


def _place(layout: _Layout, wide: float, taken: Sequence[Box]) -> Box | None:
    """Beside the threshold, where the text hides the least of the line; None without room."""
    boxes = [box for box in _places(layout, wide) if not any(map(box.meets, taken))]
    points = [p for piece in layout.pieces for p in between(layout.plot.points(piece))]
    lines = [*layout.markers, *(layout.firing or ())[:1]]
    points += [(x, y) for x in lines for y in range(0, int(layout.plot.bottom), 12)]
    return min(boxes, key=lambda box: box.hides(points), default=None)


def _places(layout: _Layout, wide: float) -> list[Box]:
    """Above and below the threshold, from the right to the left."""
    plot, size, beyond = layout.plot, layout.size, layout.axis.beyond
    if beyond:
        tops = [plot.top if beyond > 0 else plot.bottom - 1.2 * size]
        right = plot.right - size
    else:
        y, right = layout.limit, plot.right - size / 4
        tops = [y - 1.3 * size, y + 0.1 * size]
    left = plot.left + size / 4
    rights = [right + (left + wide - right) * part / 4 for part in range(5)]
    inside = Box(plot.left, plot.top, plot.right, plot.bottom)
    boxes = [Box(end - wide, top, end, top + 1.2 * size) for end in rights for top in tops]
    return [box for box in boxes if box.within(inside)]
