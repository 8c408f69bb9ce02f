from __future__ import annotations

import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.notifiers.mrkdwn import calm, escape
from app.notifiers.text import clean, cut, cut_lines, one_line, url

ANYTHING = st.text(st.characters(exclude_categories=()), max_size=300)
MARKUP = st.text("<>&;amplgt#12*_~`: ab\n", max_size=200)


@given(ANYTHING)
def test_clean_text_shows_all_there_is(text: str) -> None:
    shown = clean(text)
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", shown)
    assert shown.encode().decode() == shown
    assert clean(shown) == shown


@given(ANYTHING)
def test_one_line_is_one_line(text: str) -> None:
    assert len(one_line(text).splitlines()) <= 1


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\r\nb\rc\u2028d", "a\nb\nc\nd"),
        ("\x1b[31mred\x1b[0m", "[31mred[0m"),
        ("\u202egnp.exe", "gnp.exe"),
        ("ação 🔴 日本 👩‍💻", "ação 🔴 日本 👩‍💻"),
        ("half \ud83d", "half \ufffd"),
    ],
)
def test_clean(text: str, shown: str) -> None:
    assert clean(text) == shown


@given(MARKUP | ANYTHING, st.integers(0, 60))
def test_cut_keeps_the_limit_and_no_half_entity(text: str, limit: int) -> None:
    escaped = escape(text)
    shown = cut(escaped, limit)
    assert len(shown) <= limit
    assert re.sub("&(amp|lt|gt);", "", shown).count("&") == 0
    assert html.unescape(shown.removesuffix("…")) in text or shown == escaped


def test_cut_says_that_it_cut() -> None:
    assert cut("abcdef", 6) == "abcdef"
    assert cut("abcdef", 4) == "abc…"
    assert cut("ab&amp;", 5) == "ab…"


def test_the_first_lines() -> None:
    assert cut_lines("a\n\n b\nc\nd", 3, 100) == "a\n b\nc…"
    assert cut_lines("a\nb", 3, 100) == "a\nb"


@given(MARKUP, st.integers(1, 500))
def test_escaped_prose_is_never_markup(text: str, limit: int) -> None:
    shown = calm(text, limit)
    assert not set(shown) & set("<>`")
    assert len(shown) <= limit
    assert not re.search(r"(^|\s)[*_~]\S", shown)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<!channel> & <@U1>", "&lt;!channel&gt; &amp; &lt;@U1&gt;"),
        ("kafka_lag of job:errors:rate5m is 5", "kafka_lag of job:errors:rate5m is 5"),
        (":fire: at 10:30:05", "∶fire: at 10:30:05"),  # noqa: RUF001
        ("> quoted", "› quoted"),  # noqa: RUF001
        ("*bold* a*b", "∗bold∗ a*b"),  # noqa: RUF001
    ],
)
def test_prose_for_slack(text: str, shown: str) -> None:
    assert calm(text, 200) == shown


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("https://example.com/a?b=c&d=%20", "https://example.com/a?b=c&d=%20"),
        ("https://example.com/a|b", "https://example.com/a%7Cb"),
        ("https://example.com/ação\u202e", "https://example.com/a%C3%A7%C3%A3o%E2%80%AE"),
        ("https://example.com/<!channel>", None),
        ("javascript:alert(1)", None),
        ("JaVaScRiPt:alert(1)", None),
        ("data:text/html,x", None),
        ("https:///nohost", None),
        ("https://example.com/a b", None),
        ("//example.com", None),
        ("", None),
        (None, None),
    ],
)
def test_links(address: str | None, shown: str | None) -> None:
    assert url(address) == shown
