"""The common emoji, drawn: the pictures must not depend on an emoji font being installed."""

from __future__ import annotations

import html
import re

_COLORS = {
    "red": "#dd2e44",
    "orange": "#f4900c",
    "yellow": "#fdcb58",
    "green": "#78b159",
    "blue": "#55acee",
    "purple": "#aa8ed6",
    "white": "#e6e7e8",
    "black": "#31373d",
}


def _circle(color: str) -> str:
    return f'<circle cx="18" cy="18" r="17" fill="{color}"/>'


_CHECK = (
    '<path d="M9 19l6 6 12-15" stroke="#fff" stroke-width="4.5" fill="none" '
    'stroke-linecap="round" stroke-linejoin="round"/>'
)
_TICKED = '<rect x="1" y="1" width="34" height="34" rx="4" fill="#77b255"/>' + _CHECK
_DRAWN = {
    "red_circle": _circle(_COLORS["red"]),
    "large_red_circle": _circle(_COLORS["red"]),
    "large_blue_circle": _circle(_COLORS["blue"]),
    "white_circle": _circle(_COLORS["white"]),
    "black_circle": _circle(_COLORS["black"]),
    "white_check_mark": _TICKED,
    "heavy_check_mark": _CHECK.replace("#fff", "#3e721d"),
    "ballot_box_with_check": _TICKED.replace("#77b255", "#3b88c3"),
    "warning": (
        '<path d="M18 2L35 33a1.6 1.6 0 0 1-1.4 2H2.4A1.6 1.6 0 0 1 1 33z" fill="#ffcc4d"/>'
        '<rect x="16" y="11" width="4" height="13" rx="2" fill="#231f20"/>'
        '<circle cx="18" cy="29" r="2.4" fill="#231f20"/>'
    ),
    "rotating_light": (
        '<path d="M7 26V16a11 11 0 0 1 22 0v10z" fill="#dd2e44"/>'
        '<path d="M12 25v-8a6 6 0 0 1 5-6" stroke="#f4a8b3" stroke-width="2.5" fill="none"/>'
        '<rect x="3" y="26" width="30" height="8" rx="2" fill="#66757f"/>'
        '<path d="M18 0v3M4 5l2 2M32 5l-2 2M0 16h3M33 16h3" stroke="#f4900c" stroke-width="2"/>'
    ),
    "bell": (
        '<path d="M18 3c-7 0-10 6-10 12 0 8-3 9-5 13h30c-2-4-5-5-5-13 0-6-3-12-10-12z" '
        'fill="#ffac33"/><circle cx="18" cy="31" r="4" fill="#ff8a00"/>'
        '<circle cx="18" cy="3" r="2.5" fill="#ffac33"/>'
    ),
    "no_bell": (
        '<path d="M18 3c-7 0-10 6-10 12 0 8-3 9-5 13h30c-2-4-5-5-5-13 0-6-3-12-10-12z" '
        'fill="#ffac33"/><path d="M4 4l28 28" stroke="#dd2e44" stroke-width="4"/>'
    ),
    "mag": (
        '<path d="M22 22l11 11" stroke="#66757f" stroke-width="6" stroke-linecap="round"/>'
        '<circle cx="14" cy="14" r="11" fill="#bbddf5" stroke="#99aab5" stroke-width="4"/>'
    ),
    "book": (
        '<path d="M18 8C13 4 6 4 1 6v24c5-2 12-2 17 2z" fill="#55acee"/>'
        '<path d="M18 8c5-4 12-4 17-2v24c-5-2-12-2-17 2z" fill="#3b88c3"/>'
        '<path d="M18 9C14 6 8 5 4 7v20c4-1 10-1 14 2zM18 9c4-3 10-4 14-2v20c-4-1-10-1-14 2z" '
        'fill="#fff"/>'
    ),
    "eyes": (
        '<ellipse cx="10" cy="18" rx="8" ry="13" fill="#f5f8fa" stroke="#ccd6dd"/>'
        '<ellipse cx="27" cy="18" rx="8" ry="13" fill="#f5f8fa" stroke="#ccd6dd"/>'
        '<circle cx="8" cy="19" r="4" fill="#292f33"/><circle cx="25" cy="19" r="4" '
        'fill="#292f33"/>'
    ),
    "chart_with_upwards_trend": (
        '<rect x="1" y="1" width="34" height="34" rx="3" fill="#e1e8ed"/>'
        '<path d="M5 29l8-9 6 5L31 8" stroke="#dd2e44" stroke-width="3.5" fill="none"/>'
    ),
    "chart_with_downwards_trend": (
        '<rect x="1" y="1" width="34" height="34" rx="3" fill="#e1e8ed"/>'
        '<path d="M5 8l8 9 6-5 12 17" stroke="#226699" stroke-width="3.5" fill="none"/>'
    ),
    "bar_chart": (
        '<rect x="2" y="16" width="8" height="18" fill="#77b255"/>'
        '<rect x="14" y="4" width="8" height="30" fill="#dd2e44"/>'
        '<rect x="26" y="10" width="8" height="24" fill="#55acee"/>'
    ),
    "pushpin": (
        '<path d="M21 4l11 11-4 2-5 6-1 7-16-16 7-1 6-5z" fill="#dd2e44"/>'
        '<path d="M13 23L3 33" stroke="#66757f" stroke-width="3.5" stroke-linecap="round"/>'
    ),
    "link": (
        '<g fill="none" stroke="#8899a6" stroke-width="4.5"><rect x="2" y="12" width="19" '
        'height="12" rx="6"/><rect x="15" y="12" width="19" height="12" rx="6"/></g>'
    ),
    "x": (
        '<path d="M6 6l24 24M30 6L6 30" stroke="#dd2e44" stroke-width="6" stroke-linecap="round"/>'
    ),
    "hourglass_flowing_sand": (
        '<path d="M7 3h22v6c0 5-8 7-8 9s8 4 8 9v6H7v-6c0-5 8-7 8-9S7 14 7 9z" fill="#bbddf5"/>'
        '<path d="M5 2h26v4H5zM5 30h26v4H5z" fill="#ffac33"/>'
        '<path d="M11 11h14c-1 3-6 4-7 6-1-2-6-3-7-6zM10 30c0-4 6-5 8-5s8 1 8 5z" '
        'fill="#ffcc4d"/>'
    ),
    "information_source": (
        '<rect x="1" y="1" width="34" height="34" rx="4" fill="#3b88c3"/><circle cx="18" cy="9" '
        'r="3" fill="#fff"/><rect x="15.5" y="14" width="5" height="15" rx="2" fill="#fff"/>'
    ),
}
for _name, _color in _COLORS.items():
    _DRAWN.setdefault(f"large_{_name}_circle", _circle(_color))
    _DRAWN[f"large_{_name}_square"] = (
        f'<rect x="1" y="1" width="34" height="34" rx="4" fill="{_color}"/>'
    )
_SHORTCODE = re.compile(r":([a-z0-9_+-]+):")
_SIGNS = {
    "clock1": "🕐", "mega": "📣", "package": "📦", "rocket": "🚀", "memo": "📝",
    "wrench": "🔧", "fire": "🔥", "zzz": "💤", "repeat": "🔁", "point_right": "👉",
    "tada": "🎉", "bulb": "💡", "construction": "🚧", "robot_face": "🤖", "phone": "☎",
}  # fmt: skip


def emoji_html(name: str) -> str:
    """The emoji as HTML; an unknown name stays as it was typed, as in Slack."""
    if drawn := _DRAWN.get(name):
        title = html.escape(f":{name}:")
        return f'<svg class="emoji" viewBox="0 0 36 36" aria-label="{title}">{drawn}</svg>'
    return _SIGNS.get(name, f":{name}:")


def with_emoji(markup: str) -> str:
    """Every `:name:` in text that is already escaped."""
    return _SHORTCODE.sub(lambda m: emoji_html(m[1]), markup)
