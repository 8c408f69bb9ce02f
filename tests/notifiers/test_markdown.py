"""Untrusted text in Markdown is text, as a Markdown parser reads it."""

from __future__ import annotations

from html import unescape
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from app.notifiers.background import Line
from app.notifiers.markdown import code, escape, line, link, picture, quote, table
from app.notifiers.text import clean, one_line
from tests.notifiers.samples import HOSTILE

READER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
TEXTS = st.text(
    alphabet=st.one_of(st.sampled_from("\\`*_{}[]()<>#+-.!|~&$@:/=\n 1a;"), st.characters())
)


def html(markdown: str) -> str:
    return READER.render(markdown).strip()


def paragraph(markdown: str) -> str:
    """What the one paragraph says that this is; there must be no markup in it."""
    shown = html(markdown)
    if not shown:
        return ""
    assert shown.startswith("<p>")
    assert shown.endswith("</p>")
    inner = shown.removeprefix("<p>").removesuffix("</p>")
    assert "<" not in inner, shown
    return unescape(inner)


@pytest.mark.parametrize(
    "text",
    [
        HOSTILE,
        "# heading",
        "- item",
        "+ item",
        "1. item",
        "12) item",
        "===",
        "---",
        "> quote",
        "```",
        "    code",
        "<script>alert(1)</script>",
        "[a](javascript:alert(1))",
        "![a](http://evil.example/x.png)",
        "[a]: http://evil.example",
        "<http://evil.example>",
        "a | b",
        "&lt; &amp; &#60;",
        "*a* _b_ ~~c~~ `d`",
        "trailing \\",
        "$x$ @ana #12",
    ],
)
def test_what_means_something_is_text(text: str) -> None:
    assert paragraph(escape(text)) == one_line(text)


@given(TEXTS)
def test_any_text_is_text(text: str) -> None:
    assert paragraph(escape(text)) == one_line(text)


@pytest.mark.parametrize(
    "text", ["http://a.example", "HTTPS://a.example", "www.a.example", "a@b.c"]
)
def test_what_github_would_link_or_notify_is_broken_up(text: str) -> None:
    assert text not in escape(text)
    assert paragraph(escape(text)) == text


@given(TEXTS)
def test_code_is_code(text: str) -> None:
    shown = code(text)
    if not one_line(text):
        assert shown == ""
        return
    inner = html(f"x{shown}x" if "`" not in shown[:1] else f"x {shown} x")
    assert inner.startswith("<p>x <code>")
    assert unescape(inner.removeprefix("<p>x <code>").removesuffix("</code> x</p>")) == one_line(
        text
    )


@given(TEXTS)
def test_a_quotation_holds_every_line_and_nothing_else(text: str) -> None:
    shown = html(quote(text) + "\n\nafter")
    assert shown.endswith("<p>after</p>")
    quoted = shown.removesuffix("<p>after</p>")
    for tag in ("<blockquote>", "</blockquote>", "<p>", "</p>", "<br />"):
        quoted = quoted.replace(tag, " ")
    assert "<" not in quoted
    assert one_line(unescape(quoted)) == one_line(clean(text))


def test_lines_stay_lines() -> None:
    assert html(quote("a\nb\n\nc")) == ("<blockquote>\n<p>a<br />\nb</p>\n<p>c</p>\n</blockquote>")


def test_a_table_keeps_its_cells() -> None:
    shown = html(table(["a", "b"], [(escape("x|y"), escape("*z*"))]))
    assert "<td>x|y</td>" in shown
    assert "<td>*z*</td>" in shown


def test_links_and_pictures() -> None:
    assert html(link("a](b", "http://x.example/(1)")) == (
        '<p><a href="http://x.example/(1)">a](b</a></p>'
    )
    assert 'src="http://x.example/c.svg"' in html(picture("a", "http://x.example/c.svg"))


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (
            Line("🔧", "v_3 promoted", "v_3", "http://x.example"),
            "🔧 [v\\_3](<http://x.example>) promoted",
        ),
        (Line("•", "one"), "one"),
        (Line("", "Run:", code="9f"), "Run: `9f`"),
    ],
)
def test_a_line_of_the_context(shown: Any, expected: str) -> None:
    assert line(shown) == expected
