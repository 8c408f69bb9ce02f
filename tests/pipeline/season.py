"""Breaks everything, wave by wave, and keeps account of what was seen of it and when."""

from __future__ import annotations

import asyncio
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.neighbours.slack import Message
from tests.pipeline.faults import WAVES, Fault
from tests.pipeline.town import Town

MESSAGE_SECONDS = 240.0
GREEN_SECONDS = 300.0
CALM_SECONDS = 180.0
_POLL_SECONDS = 1.0
_OVER = "🟢"


@dataclass
class Account:
    """One alert of one fault. Seconds count from when the fault was there, `green` from when it
    was repaired; None is what was never seen. An alert may be muted by another one: it fires, and
    Alertmanager tells of its cause instead."""

    acting: Fault
    alert: str
    fired: float | None = None
    message: float | None = None
    muted: bool = False
    green: float | None = None
    incident: dict[str, Any] = field(default_factory=dict)
    root: Message | None = None
    elsewhere: str = ""
    trouble: str = ""

    @property
    def fault(self) -> type[Fault]:
        return type(self.acting)

    @property
    def told(self) -> bool:
        return self.message is not None or (self.muted and self.fired is not None)


class Season:
    """The whole of it. `accounts` grow while it runs; nothing that happens in it raises."""

    def __init__(self, town: Town, waves: Sequence[Sequence[type[Fault]]] = WAVES) -> None:
        self.town = town
        self.waves = waves
        self.accounts: list[Account] = []

    def run(self) -> Iterator[int]:
        """Wave by wave; the number of each that is over."""
        for number, wave in enumerate(self.waves, 1):
            self.town.say(f"wave {number} of {len(self.waves)}")
            self._wave([fault() for fault in wave])
            yield number

    def of(self, fault: type[Fault]) -> list[Account]:
        return [account for account in self.accounts if account.fault is fault]

    def _wave(self, faults: Sequence[Fault]) -> None:
        began = {}
        accounts = [Account(fault, alert) for fault in faults for alert in fault.alerts]
        self.accounts += accounts
        self._calm(accounts)
        for fault in faults:
            own = [one for one in accounts if one.acting is fault]
            self._attempt(fault, fault.provoke, own, f"{fault.name()}: {fault.how}")
            began[type(fault)] = time.monotonic()
        self._watch(accounts, began, self._look_for_message, lambda one: one.told, MESSAGE_SECONDS)
        self._acknowledge(accounts)
        repaired = {}
        for fault in faults:
            own = [one for one in accounts if one.acting is fault]
            self._attempt(fault, fault.repair, own, f"{fault.name()}: {fault.mended}")
            repaired[type(fault)] = time.monotonic()
        told = [account for account in accounts if account.told]
        self._watch(
            told, repaired, self._look_for_end, lambda one: one.green is not None, GREEN_SECONDS
        )

    def _acknowledge(self, accounts: Sequence[Account]) -> None:
        """Somebody presses the button of the first message, as somebody would."""
        root = next((account.root for account in accounts if account.root), None)
        if root is not None:
            asyncio.run(self._press(root, "incident.acknowledge"))

    async def _press(self, message: Message, action: str) -> None:
        await self.town.slack.person("ana").click(message, action)

    def _calm(self, accounts: Sequence[Account]) -> None:
        """What a wave before left behind is over, so that what is seen is this wave's."""
        waited = {one.alert: one for one in accounts if not one.acting.by_itself}
        deadline = time.monotonic() + CALM_SECONDS
        while (still := waited.keys() & self._firing()) and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
        for alert in still:
            waited[alert].trouble += f"{alert} fired before its fault\n"
            self.town.say(f"{alert} fires already")

    def _attempt(
        self, fault: Fault, act: Callable[[Town], None], own: Sequence[Account], told: str
    ) -> None:
        self.town.say(told)
        try:
            act(self.town)
        except Exception:  # noqa: BLE001 - the others go on; its test shows what it was
            for account in own:
                account.trouble += traceback.format_exc()
            self.town.say(f"{fault.name()} failed:\n{traceback.format_exc()}")

    def _watch(
        self,
        accounts: Sequence[Account],
        since: dict[type[Fault], float],
        look: Callable[[Account, float], None],
        done: Callable[[Account], bool],
        within: float,
    ) -> None:
        deadline = time.monotonic() + within
        while time.monotonic() < deadline and not all(map(done, accounts)):
            for account in accounts:
                if not done(account):
                    self._quietly(look, account, time.monotonic() - since[account.fault])
                    if done(account):
                        self.town.say(_line(account))
            time.sleep(_POLL_SECONDS)
        for account in accounts:
            if not done(account):
                self.town.say(f"{account.alert}: not within {within:g} s")

    def _quietly(
        self, look: Callable[[Account, float], None], account: Account, seconds: float
    ) -> None:
        """What is looked at may be what was broken: then nothing is seen of it now."""
        try:
            look(account, seconds)
        except (httpx.HTTPError, AssertionError):
            return

    # --- what is seen

    def _look_for_message(self, account: Account, seconds: float) -> None:
        if by := account.acting.told_elsewhere(self.town, account.alert):
            account.message, account.elsewhere = seconds, by
            return
        if account.fired is None and account.alert in self._firing():
            account.fired = seconds
        if account.alert in self._muted():
            account.muted = True
        for incident in self._open(account.alert):
            root = self._root(incident["id"])
            if root is not None and _OVER not in root.visible_text:
                account.message, account.root = seconds, root
                account.incident = self.town.service.get(f"/incidents/{incident['id']}")

    def _look_for_end(self, account: Account, seconds: float) -> None:
        if account.elsewhere:
            if account.acting.over_elsewhere(self.town, account.alert):
                account.green = seconds
            return
        if account.alert in self._firing() or self._open(account.alert):
            return
        if account.root is None or _OVER in account.root.visible_text:
            account.green = seconds

    def _firing(self) -> set[str]:
        return {
            alert["labels"]["alertname"]
            for alert in self.town.prometheus.alerts()
            if alert["state"] == "firing"
        }

    def _muted(self) -> set[str]:
        return {
            alert["labels"]["alertname"]
            for alert in self.town.alertmanager.alerts()
            if alert["status"]["inhibitedBy"]
        }

    def _open(self, alert: str) -> list[dict[str, Any]]:
        query = {"alertname": alert, "limit": "500"}
        found = self.town.service.get("/incidents", **query)["items"]
        return [incident for incident in found if incident["status"] != "resolved"]

    def _root(self, incident: int) -> Message | None:
        for message in self.town.slack.all_messages():
            payload = (message.metadata or {}).get("event_payload", {})
            if message.is_root and payload.get("incident") == incident:
                return message
        return None


def _line(account: Account) -> str:
    if account.green is not None:
        return f"  {account.alert}: green after {account.green:.0f} s"
    if account.message is not None:
        return f"  {account.alert}: told after {account.message:.0f} s"
    return f"  {account.alert}: fired after {account.fired or 0:.0f} s, muted"
