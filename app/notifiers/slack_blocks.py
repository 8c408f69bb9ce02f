"""What an incident looks like in Slack: Block Kit, kept well below Slack's limits.

The headline comes first, the rest is an attachment, which is what gives a message its colour.
All of it is mrkdwn, since only of that does Slack say what escaping does. Labels go into code
spans, so that they can be copied. Limits: https://docs.slack.dev/reference/block-kit/blocks
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

from app.core.alerts import Labels
from app.core.incidents import Entry, Status
from app.core.notices import Notice
from app.core.transitions import AlertState
from app.notifiers import telling
from app.notifiers.reading import colour, explanation, readable
from app.notifiers.text import clean, cut, cut_lines, one_line
from app.notifiers.wording import Words

Block: TypeAlias = dict[str, Any]

# Characters; Slack allows 3,000 in a section, 4,000 in a text and some 11,000 in all.
_HEADLINE = 200
_EXPLANATION = 300
_LINES = 3
_LINKS = 2500
_SECTION = 2000
_TEXT = 3000
_LABELS = 30
_VALUE = 120


def root(words: Words, notice: Notice, *, buttons: bool) -> dict[str, Any]:
    """The first message. `text` is what a phone's lock screen shows of it."""
    blocks = [*_what(notice), _facts(words, notice), *_links(words, notice)]
    if buttons and notice.incident.open:
        blocks.append(_buttons(words, notice))
    return {
        "text": _lock_screen(words, notice),
        "blocks": [_section(_headline(words, notice))],
        "attachments": [{"color": colour(notice), "blocks": blocks}],
    }


def root_text(words: Words, notice: Notice) -> dict[str, Any]:
    """The first message without blocks, for when Slack refuses them."""
    lines = [_headline(words, notice)]
    if what := explanation(notice):
        lines.append(calm(_brief(what), _EXPLANATION))
    lines += [_fact_line(words, notice), *_remarks(words, notice)]
    if links := _link_line(words, notice):
        lines.append(links)
    return {"text": "\n".join(lines)}


def details(words: Words, notice: Notice) -> dict[str, Any] | None:
    """The first reply: what all alerts share, what sets each apart; None if neither is known."""
    blocks = [
        *_labels(notice.incident.labels),
        *_annotations(notice),
        *_alerts(words, notice),
    ]
    title = words.say("Labels and alerts of incident #{number}", number=notice.incident.id)
    return {"text": title, "blocks": blocks} if blocks else None


def details_text(words: Words, notice: Notice) -> dict[str, Any] | None:
    """The first reply without blocks."""
    parts = [
        _label_list(notice.incident.labels),
        *(calm(note, _VALUE * 4) for note in _notes(notice)),
        "\n".join(_alert_lines(words, notice)),
    ]
    text = "\n".join(part for part in parts if part)
    return {"text": text} if text else None


def reply(words: Words, notice: Notice, entries: Sequence[Entry]) -> dict[str, Any]:
    """One line for each entry. Too many to fit are counted; the incident's page has them."""
    lines: list[str] = []
    length = 0
    for index, entry in enumerate(entries):
        line = calm(telling.line(words, notice, entry), _TEXT)
        length += len(line) + 1
        if lines and length > _TEXT:
            lines.append(words.more(len(entries) - index))
            break
        lines.append(line)
    return {"text": "\n".join(lines)}


# Escaping


def escape(text: str) -> str:
    """What Slack reads as markup, mentions and links, made text. It asks for these three only.

    Source: https://docs.slack.dev/messaging/formatting-message-text#escaping
    """
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _safe(text: str, limit: int) -> str:
    return cut(escape(clean(text)), limit)


# Slack formats only at the edge of a word, and knows no escape: others that look the same do.
_FORMATTING = re.compile(r"(?<![^\W_])[*_~]|[*_~](?![^\W_])|`")
_EMOJI = re.compile(r"(?<![^\W_]):(?=[a-z0-9_+'-]+:)")
_QUOTE = re.compile(r"^([ ]*)>", re.MULTILINE)
_BACKTICK = "ˋ"  # noqa: RUF001
_LOOK_ALIKE = str.maketrans({"*": "∗", "_": "ˍ", "~": "∼", "`": _BACKTICK})  # noqa: RUF001


def calm(text: str, limit: int) -> str:
    """Prose for a mrkdwn text: escaped, and nothing in it formats, quotes or becomes an emoji."""
    quiet = _FORMATTING.sub(lambda found: found[0].translate(_LOOK_ALIKE), clean(text))
    quiet = _QUOTE.sub(r"\1›", _EMOJI.sub("∶", quiet))  # noqa: RUF001
    return _safe(quiet, limit)


def code(text: str, limit: int = _VALUE) -> str:
    """A code span: what is in it can be copied as it is."""
    inner = cut(escape(one_line(text).replace("`", _BACKTICK)), limit)
    return f"`{inner}`" if inner else ""


def _plain(text: str) -> Block:
    return {"type": "plain_text", "text": text, "emoji": False}


def _section(text: str) -> Block:
    # Verbatim: else Slack links names of channels and some mentions on its own.
    return {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}


# Parts of the root


def _headline(words: Words, notice: Notice) -> str:
    return f"*{calm(one_line(words.headline(notice)), _HEADLINE)}*"


def _lock_screen(words: Words, notice: Notice) -> str:
    headline = calm(one_line(words.headline(notice)), _HEADLINE)
    what = calm(cut_lines(explanation(notice), 2, _EXPLANATION), _EXPLANATION)
    return f"{headline}\n{what}" if what else headline


def _what(notice: Notice) -> list[Block]:
    what = calm(_brief(explanation(notice)), _EXPLANATION)
    return [_section(what)] if what else []


def _facts(words: Words, notice: Notice) -> Block:
    return _section("\n".join([_fact_line(words, notice), *_remarks(words, notice)]))


def _fact_line(words: Words, notice: Notice) -> str:
    counts = words.counts(notice.incident)
    return f"*{counts}* · {words.span(notice)}"


def _remarks(words: Words, notice: Notice) -> list[str]:
    remarks = words.remarks(notice.incident)
    return [f"⚠️ {' · '.join(remarks)}"] if remarks else []


def _links(words: Words, notice: Notice) -> list[Block]:
    line = _link_line(words, notice)
    return [_section(line)] if line else []


def _link_line(words: Words, notice: Notice) -> str:
    """As many links as fit, the most useful first: a link cannot be cut."""
    shown: list[str] = []
    room = _LINKS
    for name, address in words.links(notice):
        link = f"<{escape(address)}|{escape(name)}>"
        if len(link) <= room:
            shown.append(link)
            room -= len(link) + 3
    return " · ".join(shown)


def _buttons(words: Words, notice: Notice) -> Block:
    if notice.incident.status is Status.ACKNOWLEDGED:
        first = _button(words.say("Unacknowledge"), "incident.unacknowledge", notice)
    else:
        first = _button(words.say("Acknowledge"), "incident.acknowledge", notice)
        first["style"] = "primary"
    last = _button(words.say("Resolve"), "incident.resolve", notice)
    return {"type": "actions", "elements": [first, last]}


def _button(text: str, action: str, notice: Notice) -> Block:
    value = str(notice.incident.id)
    return {"type": "button", "text": _plain(text), "action_id": action, "value": value}


# Parts of the details


def _labels(labels: Labels) -> list[Block]:
    shown = _label_list(labels)
    return [_section(shown)] if shown else []


def _label_list(labels: Labels) -> str:
    spans = (code(f"{name}={value}") for name, value in sorted(labels.items())[:_LABELS])
    return _joined(spans, " ", _SECTION)


def _annotations(notice: Notice) -> list[Block]:
    return [_section(calm(note, _VALUE * 8)) for note in _notes(notice)]


def _notes(notice: Notice) -> list[str]:
    """What the annotations tell beyond what the root shows in full."""
    what = explanation(notice)
    return readable(notice, without=what if what == _brief(what) else "")


def _brief(what: str) -> str:
    return cut_lines(what, _LINES, _EXPLANATION)


def _alerts(words: Words, notice: Notice) -> list[Block]:
    lines = _joined(_alert_lines(words, notice), "\n", _SECTION)
    return [_section(lines)] if lines else []


def _alert_lines(words: Words, notice: Notice) -> list[str]:
    """Up to ten alerts with what sets each apart; the only alert is what the root tells of."""
    if notice.incident.total <= 1:
        return []
    lines = [_alert_line(words, notice, state) for state in notice.alerts]
    rest = notice.incident.total - len(lines)
    return [*lines, words.more(rest)] if rest > 0 else lines


def _alert_line(words: Words, notice: Notice, state: AlertState) -> str:
    incident = notice.incident
    name = words.alert_name(state.alert.labels, incident.labels)
    span = code(name or state.alert.fingerprint)
    told = words.alert_state(state, beside=incident.updated_at)
    return f"{words.alert_sign(state)} {span} {calm(told, _VALUE)}"


def _joined(parts: Iterable[str], separator: str, limit: int) -> str:
    """As many whole parts as fit."""
    shown = ""
    for part in parts:
        longer = f"{shown}{separator}{part}" if shown else part
        if len(longer) > limit:
            return f"{shown}{separator}…"
        shown = longer
    return shown
