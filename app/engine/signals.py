"""What wakes the loops: each event means that there may be something to do."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field


@dataclass(slots=True)
class Signals:
    receipts: asyncio.Event = field(default_factory=asyncio.Event)
    postings: asyncio.Event = field(default_factory=asyncio.Event)
    context: asyncio.Event = field(default_factory=asyncio.Event)
    doubts: asyncio.Event = field(default_factory=asyncio.Event)
    silences: asyncio.Event = field(default_factory=asyncio.Event)
