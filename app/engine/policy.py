"""What the configuration means for alerts: their receivers, key, places, languages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from app.config import Config, Receiver
from app.core.alerts import Labels
from app.core.postings import CONSOLE, EMAIL, SLACK, Destination, Place
from app.core.routing import Match, correlation_key, match
from app.core.topology import Topology
from app.engine.privacy import Privacy


@dataclass(frozen=True, slots=True)
class Routed:
    """Where an alert goes: its correlation key and receivers, the main one first."""

    key: str
    receivers: tuple[str, ...]


class Policy:
    """One configuration in force. It never changes; a reload puts another in its place."""

    def __init__(self, config: Config, *, fallback_email: Sequence[str] = ()) -> None:
        self.config = config
        self._root = config.root_route()
        self.topology = Topology.of(config.edges())
        self._fallback = tuple(fallback_email)
        self.privacy = Privacy(config.privacy.mask, _kept(config, fallback_email))

    @property
    def reopen_within(self) -> timedelta:
        return self.config.reopen_within

    def near(self, component: str) -> list[str]:
        """The components up and down the pipeline of this one."""
        return [*self.topology.upstream(component), *self.topology.downstream(component)]

    def route(self, labels: Labels, group_labels: Labels) -> Routed:
        """An alert that several routes take is one incident with all their receivers.

        The first route's `group_by` decides what it is grouped with.
        """
        found: tuple[Match, ...] = match(self._root, labels)
        receivers = tuple(dict.fromkeys(each.receiver for each in found))
        return Routed(correlation_key(found[0], labels, group_labels), receivers)

    def places(self, receivers: Sequence[str]) -> list[Place]:
        """Where these receivers want incidents shown; one place is never named twice.

        A receiver that is no longer configured has no places.
        """
        named = [(name, self.config.receivers.get(name)) for name in receivers]
        found: dict[Destination, Place] = {}
        for name, receiver in named:
            for destination in destinations(receiver) if receiver else ():
                found.setdefault(destination, Place(name, destination))
        return list(found.values())

    def fallback(self, receiver: str) -> Place | None:
        """Where to go when a receiver's Slack is dead: its email addresses, else the default's."""
        known = self.config.receivers.get(receiver)
        to = tuple(known.email.to) if known and known.email else self._fallback
        return Place(receiver, Destination(EMAIL, ",".join(to))) if to else None

    def locale(self, receiver: str, destination: Destination) -> str | None:
        """The language of this receiver, else of the first that names this place, if any."""
        own = self.config.receivers.get(receiver)
        if own and own.locale:
            return own.locale
        for each in self.config.receivers.values():
            if destination in destinations(each) and each.locale:
                return each.locale
        return None


def _kept(config: Config, fallback_email: Sequence[str]) -> frozenset[str]:
    """What is never masked: what the configuration says, and the addresses we write to."""
    receivers = (receiver.email for receiver in config.receivers.values() if receiver.email)
    ours = (address for email in receivers for address in email.to)
    return frozenset(each.lower() for each in (*config.privacy.keep, *ours, *fallback_email))


def destinations(receiver: Receiver) -> list[Destination]:
    """The places one receiver names."""
    found = []
    if receiver.slack:
        found.append(Destination(SLACK, receiver.slack.channel))
    if receiver.email:
        found.append(Destination(EMAIL, ",".join(receiver.email.to)))
    if receiver.console:
        found.append(Destination(CONSOLE))
    return found


@dataclass(slots=True)
class PolicyInForce:
    """The one place where the policy can be exchanged while the service runs."""

    current: Policy
