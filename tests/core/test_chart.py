"""Charts: as recorded, and for any samples whole, legible and the same each time.

After a change that is meant, write the recorded ones anew and look at them:
`PLANTAO_WRITE_SNAPSHOTS=1 python -m pytest tests/core/test_chart.py`.
"""

from __future__ import annotations

import math
import os
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import combinations
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.chart import Chart, Language, Marker, draw, spark
from app.core.facts import Sample, Threshold
from app.core.labels import fit, plain, text_width
from app.core.scales import time_range

SNAPSHOTS = Path(__file__).parent / "snapshots"
NOW = datetime(2026, 11, 23, 6, 20, tzinfo=UTC)
SAO_PAULO = ZoneInfo("America/Sao_Paulo")
SVG = "{http://www.w3.org/2000/svg}"
ENGLISH = Language(
    zone=SAO_PAULO,
    clock=lambda at: at.strftime("%H:%M"),
    day=lambda at: at.strftime("%d %b"),
    zone_label="UTC-3",
)
PORTUGUESE = replace(
    ENGLISH,
    day=lambda at: at.strftime("%d/%m"),
    firing="disparando",
    no_data="sem dados",
    decimal=",",
)


def minutes(ago: float) -> datetime:
    return NOW - timedelta(minutes=ago)


def line(value: Callable[[int], float], count: int = 121, step: float = 1) -> list[Sample]:
    """So many samples until NOW, `step` minutes apart; `value` by their number from 0."""
    return [Sample(minutes(step * (count - 1 - i)), value(i)) for i in range(count)]


def latency(i: int) -> float:
    return 0.09 + 0.012 * math.sin(i / 3) + (0.24 / (1 + math.exp((100 - i) / 2)))


def lag(i: int) -> float:
    return math.nan if 40 < i < 50 else 3e6 + 2e6 * math.sin(i / 9)


PROMOTION = Chart(
    line(latency),
    NOW,
    ENGLISH,
    "p99 latency · pix-fraud",
    "seconds",
    Threshold(">", 0.25),
    (minutes(18), None),
    [Marker(minutes(22), "champion → v3"), Marker(minutes(70), "OPTIMIZE transactions")],
)
CHARTS = {
    "promotion": PROMOTION,
    "promotion-pt": replace(PROMOTION, language=PORTUGUESE, title="latência p99 · pix-fraud"),
    "just-now": replace(
        PROMOTION,
        line=line(latency)[:106],
        now=minutes(15),
        firing=(minutes(15.2), None),
        markers=[Marker(minutes(19), "champion → v3"), Marker(minutes(17), "config reloaded")],
    ),
    "gaps": Chart(
        [each for i, each in enumerate(line(lag)) if not 80 < i < 95],
        NOW,
        ENGLISH,
        "consumer lag of <transactions> & more than there is any room for",
        "records",
        Threshold(">=", 4e6),
        (minutes(60), minutes(30)),
    ),
    "far-above": Chart(
        line(lambda i: 5 + math.sin(i / 4)),
        NOW,
        ENGLISH,
        "threshold far above",
        "bytes",
        Threshold(">", 5e6),
        None,
        [Marker(minutes(ago), f"change {ago}") for ago in (3, 5, 10, 40, 41, 100, 119)],
    ),
    "far-below": Chart(
        line(lambda i: 5e3 + 1e3 * math.sin(i / 4)),
        NOW,
        ENGLISH,
        "threshold far below",
        "seconds",
        Threshold("<", -5e6),
        (minutes(600), None),
    ),
    "availability": Chart(
        line(lambda i: 0.9999 - 0.0008 * max(0, i - 90) / 30),
        NOW,
        PORTUGUESE,
        "disponibilidade",
        "ratio",
        Threshold("<", 0.9995),
        (minutes(10), None),
        [Marker(minutes(35), "deploy 41c2")],
    ),
    "flat": Chart(line(lambda _: 0.0), NOW, ENGLISH, "up", "", Threshold("==", 0)),
    "no-data": Chart([], NOW, PORTUGUESE, "erros", "ratio", Threshold(">", 0.05)),
    "single": Chart(
        line(lambda _: -42, 1),
        NOW,
        ENGLISH,
        "one sample",
        "celsius",
        Threshold("<", -40),
        (minutes(2), None),
        [Marker(minutes(1), "a label " * 20)],
    ),
    "week": Chart(
        line(lambda i: 7e9 + i * 2e8, 169, 60),
        NOW,
        ENGLISH,
        "disk",
        "bytes",
        Threshold(">", 30 * 2**30),
        (minutes(600), None),
        [Marker(minutes(3000), "OPTIMIZE")],
    ),
}


def recorded(name: str, svg: str) -> str:
    """What is recorded under that name; first records it if asked to."""
    file = SNAPSHOTS / f"{name}.svg"
    if os.environ.get("PLANTAO_WRITE_SNAPSHOTS"):
        SNAPSHOTS.mkdir(exist_ok=True)
        file.write_text(svg, encoding="utf-8")
    return file.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", CHARTS)
def test_it_is_drawn_as_recorded(name: str) -> None:
    svg = draw(CHARTS[name])
    assert svg == recorded(name, svg)
    check(svg, 640, 280)


def test_the_dark_one_and_the_small_ones_are_as_recorded() -> None:
    drawn = {
        "promotion-dark": draw(PROMOTION, dark=True),
        "promotion-small": draw(PROMOTION, width=360, height=200),
        "spark": spark(CHARTS["gaps"].line),
    }
    for name, svg in drawn.items():
        assert svg == recorded(name, svg)


# What holds for every picture


def check(svg: str, width: int, height: int) -> None:
    """Well-formed, everything inside, no text on another."""
    root = ET.fromstring(svg)  # noqa: S314 - our own
    assert root.get("viewBox") == f"0 0 {width} {height}"
    for x, y in spots(root):
        assert -0.1 <= x <= width + 0.1, x
        assert -0.1 <= y <= height + 0.1, y
    boxes = [text_box(each, float(root.get("font-size", "0"))) for each in root.iter(f"{SVG}text")]
    for left, top, right, bottom in boxes:
        assert left >= -0.1, (left, svg)
        assert right <= width + 0.1, (right, svg)
        assert 0 <= top <= bottom <= height, svg
    for one, other in combinations(boxes, 2):
        apart = one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]
        assert apart, (one, other, svg)


def spots(root: ET.Element) -> list[tuple[float, float]]:
    """Every point that something is drawn at, but for text."""
    found = []
    for each in root.iter():
        number = {key: float(v) for key, v in each.items() if re.fullmatch(r"-?\d+(\.\d+)?", v)}
        if each.tag == f"{SVG}line":
            found += [(number["x1"], number["y1"]), (number["x2"], number["y2"])]
        if each.tag == f"{SVG}circle":
            found += [(number["cx"] + s * number["r"], number["cy"]) for s in (-1, 1)]
        if each.tag == f"{SVG}rect":
            x, y = number.get("x", 0), number.get("y", 0)
            found += [(x, y), (x + number["width"], y + number["height"])]
        pairs = re.findall(r"(-?[\d.]+)[ ,](-?[\d.]+)", each.get("d", "") + each.get("points", ""))
        found += [(float(x), float(y)) for x, y in pairs]
    return found


def text_box(each: ET.Element, size: float) -> tuple[float, float, float, float]:
    x, y = float(each.get("x", "nan")), float(each.get("y", "nan"))
    wide = text_width(each.text or "", size)
    left = x - wide * {"start": 0, "middle": 0.5, "end": 1}[each.get("text-anchor", "start")]
    return left + 0.1, y - 0.76 * size, left + wide - 0.1, y + 0.2 * size


times = st.datetimes(
    min_value=datetime(1, 1, 1),  # noqa: DTZ001
    max_value=datetime(9999, 12, 31),  # noqa: DTZ001
    timezones=st.just(UTC),
)
near = st.floats(-600, 60).map(minutes)
values = st.floats() | st.floats(0, 1) | st.integers(-5, 5).map(float)
thresholds = st.builds(Threshold, st.sampled_from([">", "<=", "==", "!=", "<&"]), values)
charts = st.builds(
    Chart,
    line=st.lists(st.builds(Sample, near | times, values), max_size=40),
    now=near | times,
    language=st.sampled_from(
        [ENGLISH, PORTUGUESE, replace(ENGLISH, zone=ZoneInfo("Asia/Kolkata"))]
    ),
    title=st.text(max_size=60),
    unit=st.sampled_from(["", "seconds", "bytes", "ratio", "percent", "celsius", "records", "\0<"]),
    threshold=st.none() | thresholds,
    firing=st.none() | st.tuples(near | times, st.none() | near | times),
    markers=st.lists(st.builds(Marker, near | times, st.text(max_size=30)), max_size=8),
)


@given(charts, st.booleans(), st.sampled_from([(640, 280), (360, 200), (1000, 300), (240, 160)]))
def test_any_chart_is_whole_legible_and_the_same_again(
    chart: Chart, dark: bool, size: tuple[int, int]
) -> None:
    width, height = size
    svg = draw(chart, dark=dark, width=width, height=height)
    check(svg, width, height)
    assert svg == draw(chart, dark=dark, width=width, height=height)
    check(spark(chart.line), 120, 28)


# One thing at a time


def test_an_old_firing_does_not_push_the_line_aside() -> None:
    week_ago = NOW - timedelta(days=7)
    samples = [each.at for each in line(latency)]
    assert time_range(samples, also=[NOW, week_ago], now=NOW) == (samples[0], NOW)
    assert time_range(samples[:90], also=[NOW], now=NOW) == (samples[0], NOW)


def test_gaps_break_the_line() -> None:
    svg = draw(CHARTS["gaps"])
    path = re.search(r'<path d="([^"]+)"', svg)
    assert path
    assert path[1].count("M") == 3


def test_eleven_thousand_samples_stay_a_small_picture_with_its_peaks() -> None:
    many = line(lambda i: 900.0 if i == 5432 else 1.0 + i % 7, 11_000, 0.1)
    svg = draw(replace(PROMOTION, line=many, unit="", threshold=None, markers=()))
    assert len(svg) < 40_000
    plain_line = draw(replace(PROMOTION, line=many[:5000], unit="", threshold=None, markers=()))
    assert plain_line != svg
    assert ">1000<" not in plain_line
    ys = [float(y) for y in re.findall(r"[ML][\d.]+ ([\d.]+)", svg)]
    assert max(ys) - min(ys) > 100


def test_the_change_before_the_firing_keeps_its_label() -> None:
    for name in ("promotion", "just-now"):
        assert ">champion → v3<" in draw(CHARTS[name])
        assert ">firing<" in draw(CHARTS[name])


def test_of_many_changes_just_before_the_firing_the_most_telling_keeps_its_label() -> None:
    since = PROMOTION.now - timedelta(seconds=2)
    moves = [f"champion {number} → {number + 1}" for number in range(5)]
    markers = [
        Marker(since - timedelta(seconds=2 + place), label) for place, label in enumerate(moves)
    ]
    assert f">{moves[0]}<" in draw(replace(PROMOTION, firing=(since, None), markers=markers))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x00b\x1b[31mc", "ab[31mc"),
        ("evil\u202egnp.exe", "evilgnp.exe"),
        ("two\n lines\t here", "two lines here"),
        ("\ud800x", "x"),
        ("z\u0335\u0321a\u0335\u0321lgo", "zalgo"),
        ("promoção", "promoção"),
    ],
)
def test_labels_are_made_harmless(text: str, shown: str) -> None:
    assert plain(text) == shown


def test_labels_are_escaped_and_cut() -> None:
    chart = replace(PROMOTION, markers=[Marker(minutes(70), "<script>&" + "x" * 999)], title='"><')
    svg = draw(chart)
    assert "&lt;script&gt;&amp;x" in svg
    assert "<script" not in svg
    assert "…</text>" in svg
    assert fit("champion", 24, 60) == "ch…"
    assert fit("champion", 24, 1) == ""


def test_nothing_is_said_by_colour_alone() -> None:
    svg = draw(PROMOTION)
    assert 'stroke-dasharray="12 7"' in svg
    assert 'stroke-dasharray="3 5"' in svg
    for word in ("firing", "&gt; 250 ms", "champion → v3"):
        assert f">{word}</text>" in svg


def test_text_is_thirteen_pixels_high_on_a_phone() -> None:
    for width in (240, 360, 640):
        size = re.search(r'font-size="([\d.]+)"', draw(PROMOTION, width=width))
        assert size
        shown = (
            float(size[1]) * min(360 / width, 1) if width > 360 else float(size[1]) * 360 / width
        )
        assert shown >= 13


def test_a_spark_without_samples_is_empty() -> None:
    assert len(ET.fromstring(spark([]))) == 0  # noqa: S314
    assert len(ET.fromstring(spark([Sample(NOW, math.nan)]))) == 0  # noqa: S314
