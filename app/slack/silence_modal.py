"""The modal that silences: which alerts, the matchers, how long, why. Pure: views are JSON."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from pydantic_core import from_json, to_json

from app.core.durations import DurationError, parse_duration
from app.core.incidents import Incident
from app.core.matchers import Matcher, MatcherError, parse_matchers
from app.core.silences import Silence
from app.core.transitions import AlertState
from app.engine.silences import Proposal
from app.notifiers import slack_buttons
from app.notifiers.mrkdwn import Block, calm, code, joined, section
from app.notifiers.text import cut, one_line
from app.notifiers.wording import Words, person
from app.slack import modals
from app.slack.requests import View

CALLBACK = slack_buttons.SILENCE
ALERTS = "silence.alerts"
RETRY = "silence.retry"

_OPTIONS = 100
_OPTION = 75  # characters
_LIVE = 5
_MATCHERS = 3_000
_SHOWN = 2_500
_WHY = 1_000
_USUAL = "2h"
_METADATA = 3_000
_NAMEABLE = re.compile(r"[0-9A-Za-z_-]{1,64}")


@dataclass(frozen=True, slots=True)
class Draft:
    """What was filled in. Without `alerts` all that fire are meant, without `matchers` those
    that are proposed for them."""

    alerts: tuple[str, ...] = ()
    matchers: tuple[Matcher, ...] = ()
    lasting: timedelta = timedelta(hours=2)
    why: str = ""

    def written(self) -> str:
        """For `kept`."""
        return to_json(
            {
                "alerts": self.alerts,
                "matchers": [str(each) for each in self.matchers],
                "lasting": self.lasting.total_seconds(),
                "why": self.why,
            }
        ).decode()


@dataclass(frozen=True, slots=True)
class Situation:
    """The incident, what would be silenced, and what is.

    The proposed matchers are not `editable` where something in them is masked: written back,
    they would no longer match.
    """

    incident: Incident
    firing: Sequence[AlertState]
    proposal: Proposal
    live: Sequence[Silence] = ()
    editable: bool = True


def loading(words: Words, about: modals.Subject) -> Block:
    """What is there at once, until the incident is read."""
    return _titled(words, about, words.say("One moment …"))


def asking(words: Words, about: modals.Subject, *, name: str = "") -> Block:
    """While Alertmanager is asked: above the form, which stays as it was filled in."""
    text = words.say("Asking Alertmanager …")
    close = words.say("Back")
    return modals.modal(_title(words, about), "", about, [section(text)], close=close, name=name)


def done(words: Words, about: modals.Subject, text: str) -> Block:
    """It went well, or there is nothing to be done; mrkdwn."""
    return _titled(words, about, text)


def failed(words: Words, about: modals.Subject, text: str, *, wanted: Draft | None = None) -> Block:
    """It did not; mrkdwn. What was `wanted` can be asked for again, for when it can be done."""
    keeping = replace(about, more=wanted.written()) if wanted else about
    blocks = [section(f"⚠️ {text}")]
    if wanted and len(keeping.written()) <= _METADATA:
        label = words.say("Make it as soon as Alertmanager answers")
        blocks.append(modals.row(modals.button(label, RETRY, str(about.incident))))
    return modals.modal(_title(words, about), "", keeping, blocks, close=words.say("Back"))


def name_of(once: str) -> str:
    """What the view above the form is found by, before Slack has shown it to us."""
    return f"silence-{hashlib.sha256(once.encode('utf-8', 'replace')).hexdigest()[:32]}"


def form(words: Words, about: modals.Subject, found: Situation) -> Block:
    """What is to be filled in."""
    blocks = [
        *(_live(words, each) for each in found.live[:_LIVE]),
        _alerts(words, found),
        *_matchers(words, found),
        section(calm(_reach(words, found.proposal), _WHY)),
        _lasting(words),
        _why(words),
    ]
    return modals.modal(
        _title(words, about),
        CALLBACK,
        about,
        blocks,
        submit=words.say("Silence"),
        close=words.say("Cancel"),
    )


# What was filled in


def chosen(view: View) -> tuple[str, ...]:
    """The fingerprints of the alerts that were chosen; none means all."""
    return tuple(each for each in view.values.get(ALERTS, "").split(",") if each)


def draft(view: View) -> Draft:
    """Everything; `complaint` has said that it can be read."""
    return Draft(
        chosen(view),
        _parsed(view.values.get("matchers", "")),
        parse_duration(view.values.get("lasting", _USUAL).strip()),
        view.values.get("why", "").strip(),
    )


def kept(about: modals.Subject) -> Draft | None:
    """What `failed` was given; None where that was nothing."""
    try:
        found = from_json(about.more)
        return Draft(
            tuple(map(str, found["alerts"])),
            _parsed("\n".join(found["matchers"])),
            timedelta(seconds=float(found["lasting"])),
            str(found["why"]),
        )
    except (ValueError, TypeError, KeyError, OverflowError, MatcherError):
        return None


def complaint(words: Words, view: View) -> dict[str, str]:
    """What cannot be read, by input."""
    found = {}
    try:
        _parsed(view.values.get("matchers", ""))
    except MatcherError as error:
        why = one_line(str(error))
        found["matchers"] = words.say("Alertmanager would not understand this: {why}", why=why)
    try:
        length = parse_duration(view.values.get("lasting", _USUAL).strip())
    except DurationError:
        length = timedelta()
    if not length:
        found["lasting"] = words.say("Write how long, such as 30m, 2h or 1d.")
    return found


def _parsed(text: str) -> tuple[Matcher, ...]:
    lines = (line.strip() for line in text.split("\n"))
    return tuple(matcher for line in lines if line for matcher in parse_matchers(line))


# Parts


def _titled(words: Words, about: modals.Subject, text: str) -> Block:
    title, close = _title(words, about), words.say("Close")
    return modals.modal(title, "", about, [section(text)], close=close, last=True)


def _title(words: Words, about: modals.Subject) -> str:
    return words.say("Silence #{number}", number=about.incident)


def _live(words: Words, silence: Silence) -> Block:
    until = words.moment(silence.ends_at, beside=silence.starts_at)
    said = words.say("Silenced until {time} by {person}", time=until, person=person(silence.by))
    button = slack_buttons.end_silence(words, silence.incident, silence.id)
    return section(f"🔕 {calm(said, _WHY)}") | {"accessory": button}


def _alerts(words: Words, found: Situation) -> Block:
    """Choosing has the matchers proposed anew."""
    firing = [each for each in found.firing if _NAMEABLE.fullmatch(each.alert.fingerprint)]
    options = [_option(words, found.incident, each) for each in firing[:_OPTIONS]]
    total = words.count("All that fire ({count})", "All that fire ({count})", len(found.firing))
    element = {
        "type": "multi_static_select",
        "action_id": ALERTS,
        "placeholder": modals.plain(total),
        "options": options,
    }
    block = modals.labelled(words.say("Which alerts?"), "alerts", element, optional=True)
    return block | {"dispatch_action": True} if options else section(calm(total, _WHY))


def _option(words: Words, incident: Incident, state: AlertState) -> Block:
    labels = state.alert.labels
    name = words.alert_name(labels, incident.labels) or one_line(labels.get("alertname", ""))
    text = cut(name or state.alert.fingerprint, _OPTION)
    return {"text": modals.plain(text), "value": state.alert.fingerprint}


def _matchers(words: Words, found: Situation) -> list[Block]:
    """Under a name of its own for each proposal: else Slack keeps what stood there before."""
    proposed = "\n".join(str(matcher) for matcher in found.proposal.matchers)
    given = found.editable and 0 < len(proposed) <= _MATCHERS
    digest = hashlib.sha256(proposed.encode("utf-8", "replace")).hexdigest()[:12]
    element = {
        "type": "plain_text_input",
        "action_id": "matchers",
        "multiline": True,
        "max_length": _MATCHERS,
        **({"initial_value": proposed} if given else {}),
    }
    field = modals.labelled(
        words.say("Matchers"),
        f"matchers.{digest}",
        element,
        optional=True,
        hint=words.say("One a line, as in Alertmanager. Without any, those proposed are used."),
    )
    shown = [] if given else [section(joined(map(code, proposed.splitlines()), "\n", _SHOWN))]
    return [*shown, field]


def _reach(words: Words, proposal: Proposal) -> str:
    here = words.count(
        "Proposed: mutes {muted} of {count} firing alert here.",
        "Proposed: mutes {muted} of {count} firing alerts here.",
        proposal.firing,
        muted=words.number(len(proposal.muted)),
    )
    if not proposal.elsewhere:
        return here
    elsewhere = words.count(
        "And {count} alert of other incidents.",
        "And {count} alerts of other incidents.",
        proposal.elsewhere,
    )
    return f"{here} ⚠️ {elsewhere}"


def _lasting(words: Words) -> Block:
    element = {"type": "plain_text_input", "action_id": "lasting", "initial_value": _USUAL}
    hint = words.say("Such as 30m, 2h or 1d.")
    return modals.labelled(words.say("How long?"), "lasting", element, hint=hint)


def _why(words: Words) -> Block:
    element = {"type": "plain_text_input", "action_id": "why", "max_length": _WHY}
    return modals.labelled(words.say("Why?"), "why", element, optional=True)
