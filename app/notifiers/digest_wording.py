"""The weekly digest in words: the same lines for every transport, without markup."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from app.core.digest import Digest
from app.core.stats import SHORT, Row
from app.notifiers import email_body, mrkdwn, stats_wording
from app.notifiers.background import Line, Part
from app.notifiers.text import cut, one_line, url
from app.notifiers.wording import Words

_LISTED = 5
_NAME = 80
_LINE = 400
_GREY = "#57606a"
SIGN = "📊"


def title(words: Words, digest: Digest) -> str:
    """`The week on call: 16 Nov to 23 Nov`."""
    since, until = words.day(digest.week.since), words.day(digest.week.until)
    return words.say("The week on call: {since} to {until}", since=since, until=until)


def opened(words: Words, digest: Digest) -> str:
    """How many incidents were opened in the week."""
    number = digest.stats.whole.opened
    return words.count("{count} incident", "{count} incidents", number)


def before(words: Words, digest: Digest) -> str:
    """How many they had been in the week before."""
    return words.say("{count} the week before", count=words.number(digest.opened_before))


def parts(words: Words, digest: Digest) -> list[Part]:
    """What there is to tell; of a quiet week, nothing."""
    found = [
        Part(words.say("Figures"), list(_figures(words, digest))),
        Part(words.say("Most often"), [_often(words, row) for row in _named(digest)[:_LISTED]]),
        Part(words.say("Tune these first"), list(_advice(words, digest))),
    ]
    return [part for part in found if part.lines]


def _figures(words: Words, digest: Digest) -> Iterator[Line]:
    whole = digest.stats.whole
    if not whole.opened:
        return
    severities = ", ".join(
        f"{words.number(row.figures.opened)} {words.severity(row.name or '')}"
        for row in digest.stats.by_severity[:_LISTED]
    )
    yield Line("🔔", severities)
    waited, lasted = (
        stats_wording.spread(words, each)
        for each in (whole.time_to_acknowledge, whole.time_to_resolve)
    )
    yield Line("🟡", words.say("Acknowledged: {spread}", spread=waited))
    yield Line("🟢", words.say("Over: {spread}", spread=lasted))
    if whole.short_lived:
        said = words.count(
            "{count} ended by itself in under {short}, with nobody acting",
            "{count} ended by themselves in under {short}, with nobody acting",
            whole.short_lived,
            short=words.duration(SHORT),
        )
        yield Line("💤", said)
    if whole.refires:
        yield Line("🔁", words.count("Reopened once", "Reopened {count} times", whole.refires))


def _named(digest: Digest) -> list[Row]:
    return [row for row in digest.stats.by_alertname if row.name is not None]


def _often(words: Words, row: Row) -> Line:
    name = cut(one_line(row.name or ""), _NAME)
    number = words.count("{count} incident", "{count} incidents", row.figures.opened)
    return Line("•", f"{name}: {number}")


def _advice(words: Words, digest: Digest) -> Iterator[Line]:
    for number, one in enumerate(digest.advice, start=1):
        yield Line("", f"{number}. {stats_wording.named_advice(words, one)}")


# What each transport makes of it


def slack(words: Words, digest: Digest) -> dict[str, Any]:
    """Blocks, and the text that a phone's lock screen shows."""
    head = f"{SIGN} *{mrkdwn.calm(title(words, digest), _LINE)}*"
    count = f"*{opened(words, digest)}* · {before(words, digest)}"
    blocks = [mrkdwn.section(count)]
    for part in parts(words, digest):
        lines = [mrkdwn.line(line, _LINE) for line in part.lines]
        blocks.append(mrkdwn.section("\n".join([f"*{mrkdwn.calm(part.title, _LINE)}*", *lines])))
    if page := url(digest.page):
        blocks.append(mrkdwn.section(mrkdwn.link(words.say("Open the log"), page)))
    return {
        "text": f"{SIGN} {title(words, digest)}: {opened(words, digest)}",
        "blocks": [mrkdwn.section(head)],
        "attachments": [{"color": _GREY, "blocks": blocks}],
    }


def email(words: Words, digest: Digest, *, receiver: str) -> dict[str, Any]:
    """The mail: nobody acts from it, and it begins a thread of its own."""
    page = url(digest.page)
    footer = words.say(
        "Weekly digest, sent by Plantão to the receiver {receiver}", receiver=one_line(receiver)
    )
    facts: Mapping[str, Any] = {
        "colour": _GREY,
        "sign": SIGN,
        "status": words.say("Weekly digest"),
        "title": title(words, digest),
        "counts": opened(words, digest),
        "span": before(words, digest),
        "links": [(words.say("Open the log"), page)] if page else [],
        "footer": footer,
    }
    subject = f"[Plantão] {title(words, digest)}"
    return email_body.page(words, subject, facts, parts(words, digest))


def console(words: Words, digest: Digest) -> dict[str, Any]:
    """Lines, the first of them the headline."""
    head = f"{SIGN} {title(words, digest)}: {opened(words, digest)}, {before(words, digest)}"
    lines = [head]
    for part in parts(words, digest):
        shown = [" ".join(filter(None, (line.sign, line.text))) for line in part.lines]
        lines += [f"    {part.title}", *(f"      {cut(line, _LINE)}" for line in shown)]
    return {"lines": lines, "colour": ""}
