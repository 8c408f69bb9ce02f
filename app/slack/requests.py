"""What Slack tells us: a closed union, read once at the border, strictly and totally.

What is signed but malformed raises Malformed; what is well-formed but means nothing to us is
Nothing. Sources: https://docs.slack.dev/reference/interaction-payloads,
https://docs.slack.dev/interactivity/implementing-slash-commands, https://docs.slack.dev/apis/events-api
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

Values: TypeAlias = Mapping[str, str]
"""What was filled in, by the action_id of each input; several choices are joined by commas."""


class Malformed(ValueError):
    """Slack's signature, but not the form of anything that Slack sends."""


@dataclass(frozen=True, slots=True)
class Caller:
    """A person in Slack: the id, and the handle in case the directory cannot be asked."""

    id: str
    handle: str = ""


@dataclass(frozen=True, slots=True)
class Spot:
    """A message: its channel and ts, and the ts of the thread's root if it is a reply."""

    channel: str
    ts: str = ""
    thread: str = ""

    @property
    def root(self) -> str:
        """The ts of the thread that this message begins or belongs to."""
        return self.thread or self.ts


@dataclass(frozen=True, slots=True)
class View:
    """A modal or a Home: `metadata` is what we gave it, `values` what was filled in.

    `blocks` names the block of each input: complaints go by it.
    """

    id: str
    kind: str
    callback: str = ""
    metadata: str = ""
    values: Values = field(default_factory=dict)
    blocks: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Pressed:
    """A button or a menu. `once` names the press, also when Slack tells of it twice.

    `trigger` opens a modal within 3 s; `answer_to` takes five answers within 30 minutes.
    """

    once: str
    caller: Caller
    action: str
    value: str
    trigger: str
    answer_to: str = ""
    spot: Spot | None = None
    view: View | None = None


@dataclass(frozen=True, slots=True)
class Submitted:
    """A modal that was filled in and sent."""

    once: str
    caller: Caller
    trigger: str
    view: View


@dataclass(frozen=True, slots=True)
class Marked:
    """The shortcut of a message."""

    once: str
    caller: Caller
    action: str
    spot: Spot
    trigger: str
    answer_to: str = ""


@dataclass(frozen=True, slots=True)
class Commanded:
    """`/plantao …`, without the command itself."""

    once: str
    caller: Caller
    text: str
    channel: str
    trigger: str
    answer_to: str


@dataclass(frozen=True, slots=True)
class Mentioned:
    """A message that mentions us; `text` still holds the mention."""

    once: str
    caller: Caller
    text: str
    spot: Spot


@dataclass(frozen=True, slots=True)
class Reacted:
    """A reaction was put on a message, or taken off it."""

    once: str
    caller: Caller
    emoji: str
    spot: Spot


@dataclass(frozen=True, slots=True)
class Rewritten:
    """A message was edited or deleted."""

    once: str
    spot: Spot


@dataclass(frozen=True, slots=True)
class HomeOpened:
    once: str
    caller: Caller


@dataclass(frozen=True, slots=True)
class Challenged:
    """Slack makes sure that the address is ours; the challenge is the answer."""

    challenge: str


@dataclass(frozen=True, slots=True)
class Nothing:
    """Well-formed, and nothing to do."""


Request: TypeAlias = (
    Pressed
    | Submitted
    | Marked
    | Commanded
    | Mentioned
    | Reacted
    | Rewritten
    | HomeOpened
    | Challenged
    | Nothing
)

Payload: TypeAlias = Mapping[str, Any]
