"""What an incident looks like in Slack: Block Kit, kept well below Slack's limits.

The headline comes first, the rest is an attachment, which is what gives a message its colour.
All of it is mrkdwn, since only of that does Slack say what escaping does. Labels go into code
spans, so that they can be copied. Limits: https://docs.slack.dev/reference/block-kit/blocks
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from pydantic_core import to_json

from app.core.alerts import Labels
from app.core.incidents import Entry
from app.core.notices import Notice
from app.core.replies import MENTION
from app.core.transitions import AlertState
from app.notifiers import background, mrkdwn, silence_wording, slack_buttons, telling
from app.notifiers.mrkdwn import Block, calm, code, joined, section
from app.notifiers.reading import colour, explanation, readable
from app.notifiers.text import cut_lines, one_line
from app.notifiers.wording import N_, Words

# Characters; Slack allows 3,000 in a section, 4,000 in a text and some 11,000 in all.
_HEADLINE = 200
_EXPLANATION = 300
_LINES = 3
_LINKS = 2500
_SECTION = 2000
_TEXT = 3000
_LABELS = 30
_VALUE = 120
_LINE = 200
_STEP = 300
_PART = 1200
_WHOLE = 9000


def root(words: Words, notice: Notice, *, buttons: bool) -> dict[str, Any]:
    """The first message. `text` is what a phone's lock screen shows of it.

    With `buttons`, what it tells of can be acted on: replies have none, since nobody edits
    those when a silence is over.
    """
    blocks = [
        *_what(notice),
        *_known(words, notice),
        _facts(words, notice, buttons=buttons),
        *_links(words, notice),
    ]
    if buttons:
        blocks.append(slack_buttons.row(words, notice))
    return {
        "text": _lock_screen(words, notice),
        "blocks": [section(_headline(words, notice))],
        "attachments": [{"color": colour(notice), "blocks": blocks}],
    }


def root_text(words: Words, notice: Notice) -> dict[str, Any]:
    """The first message without blocks, for when Slack refuses them."""
    lines = [_headline(words, notice)]
    if what := explanation(notice):
        lines.append(calm(_brief(what), _EXPLANATION))
    lines += _known_lines(words, notice)
    lines += _state(words, notice)
    if links := _link_line(words, notice):
        lines.append(links)
    return {"text": "\n".join(lines)}


def details(words: Words, notice: Notice) -> dict[str, Any] | None:
    """The first reply: first steps, context, labels and alerts; None if nothing is known."""
    known = [*_steps(words, notice), *_context(words, notice)]
    given = [*_labels(notice.incident.labels), *_annotations(notice), *_alerts(words, notice)]
    if not known and not given:
        return None
    form = N_("Details of incident #{number}")
    if not known:
        form = N_("Labels and alerts of incident #{number}")
    title = words.say(form, number=notice.incident.id)
    return {"text": title, "blocks": _within([*known, *given], _WHOLE)}


def details_text(words: Words, notice: Notice) -> dict[str, Any] | None:
    """The first reply without blocks."""
    parts = [
        *(each["text"]["text"] for each in _steps(words, notice)),
        *(each["text"]["text"] for each in _context(words, notice)),
        _label_list(notice.incident.labels),
        *(calm(note, _VALUE * 4) for note in _notes(notice)),
        "\n".join(_alert_lines(words, notice)),
    ]
    text = joined((part for part in parts if part), "\n", _TEXT)
    return {"text": text} if text else None


def reply(words: Words, notice: Notice, entries: Sequence[Entry]) -> dict[str, Any]:
    """One line for each entry. Too many to fit are counted; the incident's page has them."""
    lines: list[str] = []
    length = 0
    for index, entry in enumerate(entries):
        line = _told(words, notice, entry)
        length += len(line) + 1
        if lines and length > _TEXT:
            lines.append(words.more(len(entries) - index))
            break
        lines.append(line)
    return {"text": "\n".join(lines)}


def _told(words: Words, notice: Notice, entry: Entry) -> str:
    """One entry. Slack makes no link of a bare address in a block: the silence's page is one."""
    if called := entry.data.get(MENTION):
        return _calling(words, notice, entry, str(called))
    line = calm(telling.line(words, notice, entry), _TEXT)
    page = silence_wording.address(entry)
    if not page:
        return line
    named = mrkdwn.link(silence_wording.link_name(words), page)
    return line.replace(calm(page, _TEXT), named, 1)


def _calling(words: Words, notice: Notice, entry: Entry, called: str) -> str:
    """An assignment, with a mention in the place of the name: that is what notifies them."""
    named = replace(entry, data={**entry.data, "to": called})
    line = calm(telling.line(words, notice, named), _TEXT)
    return line.replace(called, f"<@{called}>", 1)


# Parts of the root


def _headline(words: Words, notice: Notice) -> str:
    return f"*{calm(one_line(words.headline(notice)), _HEADLINE)}*"


def _lock_screen(words: Words, notice: Notice) -> str:
    headline = calm(one_line(words.headline(notice)), _HEADLINE)
    what = calm(cut_lines(explanation(notice), 2, _EXPLANATION), _EXPLANATION)
    return f"{headline}\n{what}" if what else headline


def _what(notice: Notice) -> list[Block]:
    what = calm(_brief(explanation(notice)), _EXPLANATION)
    return [section(what)] if what else []


def _known(words: Words, notice: Notice) -> list[Block]:
    lines = _known_lines(words, notice)
    return [section("\n".join(lines))] if lines else []


def _known_lines(words: Words, notice: Notice) -> list[str]:
    return [mrkdwn.line(each, _LINE) for each in background.brief(words, notice)]


def _facts(words: Words, notice: Notice, *, buttons: bool) -> Block:
    """How it stands. One silence can be ended here; of several, the modal has a button each."""
    facts = section("\n".join(_state(words, notice)))
    muting = [each for each in silence_wording.current(notice) if each.mutes_now]
    if not buttons or len(muting) != 1:
        return facts
    return facts | {"accessory": slack_buttons.end_silence(words, notice.incident.id, muting[0].id)}


def _state(words: Words, notice: Notice) -> list[str]:
    return [
        _fact_line(words, notice),
        *_handling(words, notice),
        *_silences(words, notice),
        *_remarks(words, notice),
    ]


def _fact_line(words: Words, notice: Notice) -> str:
    counts = words.counts(notice.incident)
    return f"*{counts}* · {words.span(notice)}"


def _handling(words: Words, notice: Notice) -> list[str]:
    told = [calm(each, _LINE) for each in words.handling(notice)]
    return [f"👤 {' · '.join(told)}"] if told else []


def _silences(words: Words, notice: Notice) -> list[str]:
    return [calm(each, _LINE) for each in silence_wording.lines(words, notice)]


def _remarks(words: Words, notice: Notice) -> list[str]:
    remarks = words.remarks(notice.incident)
    return [f"⚠️ {' · '.join(remarks)}"] if remarks else []


def _links(words: Words, notice: Notice) -> list[Block]:
    line = _link_line(words, notice)
    return [section(line)] if line else []


def _link_line(words: Words, notice: Notice) -> str:
    """As many links as fit, the most useful first: a link cannot be cut."""
    shown: list[str] = []
    room = _LINKS
    for name, address in [*words.links(notice), *silence_wording.links(words, notice)]:
        link = mrkdwn.link(name, address)
        if len(link) <= room:
            shown.append(link)
            room -= len(link) + 3
    return " · ".join(shown)


# Parts of the details


def _steps(words: Words, notice: Notice) -> list[Block]:
    part = background.first_steps(words, notice)
    if part is None:
        return []
    lines = (mrkdwn.step(each.text, _STEP) for each in part.lines)
    return [section(joined([f"*{part.title}*", *lines], "\n", _SECTION))]


def _context(words: Words, notice: Notice) -> list[Block]:
    """A section for each part, with its title in bold."""
    return [
        section(joined([f"*{part.title}*", *_lines(part)], "\n", _PART))
        for part in background.rest(words, notice)
    ]


def _lines(part: background.Part) -> list[str]:
    return [mrkdwn.line(each, _VALUE * 3) for each in part.lines]


def _within(blocks: list[Block], limit: int) -> list[Block]:
    """The first blocks, as many as fit into so many bytes; at least one."""
    kept, size = blocks[:1], len(to_json(blocks[0]))
    for block in blocks[1:]:
        size += len(to_json(block)) + 1
        if size > limit:
            break
        kept.append(block)
    return kept


def _labels(labels: Labels) -> list[Block]:
    shown = _label_list(labels)
    return [section(shown)] if shown else []


def _label_list(labels: Labels) -> str:
    spans = (code(f"{name}={value}") for name, value in sorted(labels.items())[:_LABELS])
    return joined(spans, " ", _SECTION)


def _annotations(notice: Notice) -> list[Block]:
    return [section(calm(note, _VALUE * 8)) for note in _notes(notice)]


def _notes(notice: Notice) -> list[str]:
    """What the annotations tell beyond what the root shows in full."""
    what = explanation(notice)
    return readable(notice, without=what if what == _brief(what) else "")


def _brief(what: str) -> str:
    return cut_lines(what, _LINES, _EXPLANATION)


def _alerts(words: Words, notice: Notice) -> list[Block]:
    lines = joined(_alert_lines(words, notice), "\n", _SECTION)
    return [section(lines)] if lines else []


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
