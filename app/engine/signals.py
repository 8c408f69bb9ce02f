"""What wakes the loops: each event means that there may be something to do."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

LOOK_AGAIN = 30.0
"""Seconds until a loop looks without being woken: a replica wakes only its own, and may have
died with work that it had accepted."""


@dataclass(slots=True)
class Signals:
    receipts: asyncio.Event = field(default_factory=asyncio.Event)
    postings: asyncio.Event = field(default_factory=asyncio.Event)
    context: asyncio.Event = field(default_factory=asyncio.Event)
    doubts: asyncio.Event = field(default_factory=asyncio.Event)
    silences: asyncio.Event = field(default_factory=asyncio.Event)
