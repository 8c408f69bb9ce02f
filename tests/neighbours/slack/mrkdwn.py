"""Slack's mrkdwn: what a reader sees of it, whom it notifies, where its links lead.

One reading serves all three, so that the picture, the text and the mentions cannot disagree.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from .emoji import emoji_html

_ESCAPABLE = re.compile(r"&(?!(?:amp|lt|gt);)")
_BRACKETED = re.compile(
    r"<(?:(?P<at>@[UWB][A-Z0-9]+)|(?P<room>#C[A-Z0-9]+)|(?P<special>![^>|\n]+)"
    r"|(?P<url>(?:https?://|mailto:|tel:)[^>|\s]+))(?:\|(?P<label>[^>\n]*))?>"
)
_FENCE = re.compile(r"```(.*?)```", re.DOTALL)
_CODE = re.compile(r"`([^`\n]+)`")
_BARE_URL = re.compile(r"(?<![\w/])https?://[^\s<>|]+[^\s<>|.,;:!?)\"']")
_STYLES = [
    (re.compile(rf"(?<![\w{re.escape(mark)}]){re.escape(mark)}(\S|\S[^\n]*?\S)"
                rf"{re.escape(mark)}(?![\w{re.escape(mark)}])"), tag)
    for mark, tag in (("*", "b"), ("_", "i"), ("~", "s"))
]  # fmt: skip
_SHORTCODE = re.compile(r":([a-z0-9_+-]+):")
_ROOMS = {"here", "channel", "everyone"}
_NAMED = re.compile(r"(?<![\w@])@([a-z0-9._-]+)")
_KEPT = re.compile("\ue000(\\d+)\ue001")


def escape_stray(text: str) -> str:
    """As Slack stores a text: characters that begin no construct of its own become entities."""
    text = _ESCAPABLE.sub("&amp;", text)
    kept: list[str] = []

    def keep(match: re.Match[str]) -> str:
        kept.append(match.group())
        return f"\ue000{len(kept) - 1}\ue001"

    text = _BRACKETED.sub(keep, text.replace("\ue000", "").replace("\ue001", ""))
    text = text.replace("<", "&lt;").replace(">", "&gt;")
    return _KEPT.sub(lambda m: kept[int(m.group(1))], text)


@dataclass
class Reading:
    """One text as Slack reads it. `people` names users by id; an unknown one is not notified."""

    people: Mapping[str, str]
    parse: bool = False
    """`parse=full` or `link_names`: a plain @channel or @name is a mention too."""
    emoji: bool = True
    mentions: list[str] = field(default_factory=list)
    links: list[tuple[str, str]] = field(default_factory=list)
    _kept: list[str] = field(default_factory=list)

    def html(self, text: str) -> str:
        """The text as safe HTML; nothing of it but Slack's own constructs becomes markup."""
        text = escape_stray(text)
        text = _FENCE.sub(lambda m: self._keep(f"<pre>{self._plain(m[1].strip(chr(10)))}</pre>"),
                          text)  # fmt: skip
        text = _CODE.sub(lambda m: self._keep(f"<code>{self._plain(m[1])}</code>"), text)
        text = _BRACKETED.sub(lambda m: self._keep(self._bracketed(m)), text)
        text = _BARE_URL.sub(lambda m: self._keep(self._link(m[0], m[0])), text)
        if self.parse:
            text = _NAMED.sub(lambda m: self._keep(self._named(m)), text)
        text = _plain(text)
        if self.emoji:
            text = _SHORTCODE.sub(lambda m: self._keep(emoji_html(m[1])), text)
        for pattern, tag in _STYLES:
            text = pattern.sub(rf"<{tag}>\1</{tag}>", text)
        return self._restore(_lines(text))

    def _keep(self, markup: str) -> str:
        self._kept.append(markup)
        return f"\ue000{len(self._kept) - 1}\ue001"

    def _restore(self, text: str) -> str:
        while _KEPT.search(text):
            text = _KEPT.sub(lambda m: self._kept[int(m.group(1))], text)
        return text

    def _plain(self, text: str) -> str:
        """Inside code Slack still resolves its angle brackets, but applies no style."""
        return _plain(_BRACKETED.sub(lambda m: self._keep(self._bracketed(m)), text))

    def _bracketed(self, match: re.Match[str]) -> str:
        label = match["label"]
        if at := match["at"]:
            return self._person(at[1:], label)
        if room := match["room"]:
            return f'<span class="mention">#{_plain(label or room[1:])}</span>'
        if special := match["special"]:
            return self._special(special[1:], label)
        return self._link(match["url"], label or match["url"])

    def _person(self, user: str, label: str | None) -> str:
        known = self.people.get(user)
        if known is not None:
            self.mentions.append(f"@{user}")
        return f'<span class="mention">@{_plain(known or label or user)}</span>'

    def _special(self, command: str, label: str | None) -> str:
        name, _, argument = command.partition("^")
        if name in _ROOMS:
            self.mentions.append(f"@{name}")
            return f'<span class="mention room">@{name}</span>'
        if name == "subteam":
            self.mentions.append(f"@{argument}")
            return f'<span class="mention">{_plain(label or "@" + argument)}</span>'
        return _plain(label or name)  # <!date^…|fallback>: the fallback is what we can show

    def _named(self, match: re.Match[str]) -> str:
        name = match[1]
        if name in _ROOMS:
            return self._special(name, None)
        user = next((u for u, known in self.people.items() if known == name), None)
        return self._person(user, None) if user else match[0]

    def _link(self, url: str, label: str) -> str:
        url, label = html.unescape(url), html.unescape(label)
        self.links.append((url, label))
        shown = html.escape(label, quote=False)
        return f'<a href="{html.escape(url)}">{shown}</a>'


def read(text: str, people: Mapping[str, str], *, parse: bool = False) -> Reading:
    """The mentions and links of a text."""
    reading = Reading(people, parse=parse)
    reading.html(text)
    return reading


def to_text(text: str, people: Mapping[str, str]) -> str:
    """The text as a reader sees it; emoji stay as their `:names:`."""
    return _stripped(Reading(people, emoji=False).html(text))


def _stripped(markup: str) -> str:
    markup = re.sub(r"<br>|</(?:pre|blockquote)>", "\n", markup)
    return html.unescape(re.sub(r"<[^>]*>", "", markup)).strip("\n")


def _plain(text: str) -> str:
    """Slack's three entities and nothing else, as HTML."""
    for entity, sign in (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")):
        text = text.replace(entity, sign)
    return html.escape(text, quote=False)


def _lines(text: str) -> str:
    """Line ends and quotes; a quoted line starts with `>`."""
    quoted: Callable[[str], bool] = lambda line: line.startswith("&gt;")  # noqa: E731
    out: list[str] = []
    previous = False
    for number, line in enumerate(text.split("\n")):
        now = quoted(line)
        if now and not previous:
            out.append("<blockquote>")
        elif previous and not now:
            out.append("</blockquote>")
        elif number:
            out.append("<br>")
        out.append(line.removeprefix("&gt;").removeprefix(" ") if now else line)
        previous = now
    return "".join(out) + ("</blockquote>" if previous else "")
