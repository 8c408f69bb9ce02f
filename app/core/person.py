"""People, as the timeline names them and as they can be told apart."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_GIVEN = re.compile(r"(.*?)\s*<((?:slack|email):[^<>\s]+|[^<>\s@:]+@[^<>\s@]+)>", re.DOTALL)
_SLACK = re.compile(r"slack:([UW][A-Z0-9]{1,20})")


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who acts. `name` is for people to read and comes from outside.

    `ref` says who it is, where that is known: `slack:U123`, `email:ana@example.com`. Who is
    known under several brings the others as `also`, which is not stored with what they do.
    """

    name: str
    ref: str = ""
    also: frozenset[str] = field(default=frozenset(), compare=False)

    @staticmethod
    def parse(text: str) -> Person:
        """`Ana`, or with who that is: `Ana <ana@example.com>`, `Ana <slack:U123>`."""
        found = _GIVEN.fullmatch(text.strip())
        if found is None:
            return Person(text.strip())
        ref = found[2] if ":" in found[2] else f"email:{found[2].lower()}"
        return Person(found[1] or found[2].partition(":")[2] or found[2], ref)

    @staticmethod
    def known(name: str | None, ref: str | None) -> Person | None:
        """As a record holds it, if it holds one."""
        return Person(name, ref or "") if name is not None else None

    @property
    def refs(self) -> frozenset[str]:
        """All that they may be known by."""
        return self.also | {self.ref} if self.ref else self.also

    @property
    def slack(self) -> str:
        """Who they are in Slack: `U123`; empty where that is not known."""
        found = (_SLACK.fullmatch(ref) for ref in sorted(self.refs))
        return next((each[1] for each in found if each), "")

    def is_same(self, other: Person | None) -> bool:
        """Whether this is the same person; by name only where one of the two is not known."""
        if other is None:
            return False
        if self.refs and other.refs:
            return not self.refs.isdisjoint(other.refs)
        return self.name == other.name
