"""The scopes of our Slack app, and what does not work without each. `slack/manifest.yaml` has all.

Source: https://docs.slack.dev/reference/scopes
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scope:
    """Any one of these scopes will do. `without` says what is lost, as the end of a sentence."""

    names: tuple[str, ...]
    without: str

    def is_among(self, granted: Collection[str]) -> bool:
        return any(name in granted for name in self.names)

    def __str__(self) -> str:
        return f"{' or '.join(self.names)} (without it, {self.without})"


#: To show incidents.
SHOWING = (
    Scope(("chat:write",), "nothing can be posted"),
    Scope(
        ("channels:history", "groups:history"),
        "a message may be posted twice after a broken connection",
    ),
    Scope(("files:write",), "there are no charts"),
)
#: To find a channel that is configured by its name.
NAMES = (Scope(("channels:read", "groups:read"), "a channel is only found by its id"),)
#: To be told what people do.
HEARING = (
    Scope(("commands",), "there is no /plantao and no shortcut"),
    Scope(("app_mentions:read",), "nobody is heard who mentions the app"),
    Scope(("reactions:read",), "no message becomes a note by a reaction"),
    Scope(("users:read",), "people are called by their handles, not their names"),
    Scope(("users:read.email",), "people are not recognised by their email addresses"),
)
#: To know who may act, where that is limited to user groups.
GROUPS = (Scope(("usergroups:read",), "nobody may act, as slack.allowed_usergroups is set"),)


def missing(granted: Collection[str], wanted: Sequence[Scope]) -> list[Scope]:
    """What is wanted and was not granted."""
    return [scope for scope in wanted if not scope.is_among(granted)]
