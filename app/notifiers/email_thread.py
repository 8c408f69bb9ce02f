"""What keeps the mails of one incident in one thread, in every mail program.

- `References` and `In-Reply-To` name the first mail, and nothing else: all replies are siblings
  below it, whichever of them are deleted (RFC 5322, 3.6.4; mutt, Thunderbird, Apple Mail).
- The subject stays that of the first mail: Gmail begins a new conversation where it changes.
- `Thread-Index` and `Thread-Topic` are what Outlook goes by, which looks at nothing else unless
  Exchange does it for it. A reply's index is that of the first mail and a block of its own; with
  the same index, Outlook does not take it for a reply (MS-OXOMSG, 2.2.1.3).

A repeat of a mail has the same Message-ID and the same place in its thread.
"""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from hashlib import sha256

from app.notifiers.notifier import Mark
from app.notifiers.text import one_line

# All indexes count from here: the time of a thread's first mail would have to be kept for that,
# and would be another one when that mail is sent again. Only their order means anything.
_EPOCH = datetime(2025, 1, 1, tzinfo=UTC)
_FILETIME_BEGINS = datetime(1601, 1, 1, tzinfo=UTC)
_TICKS = 10_000_000  # in a second
_LONG_AFTER = 1 << 49  # ticks, some 1.7 years: from there on, the difference is kept less finely
_DIFFERENCE = (1 << 31) - 1


def message_id(mark: Mark, domain: str) -> str:
    """The name of one mail, the same whenever it is sent again."""
    return f"<plantao.{mark.token}.{mark.entry}@{domain}>"


def reference(mail_id: str, subject: str) -> str:
    """What is kept of the first mail: its name, and the subject that replies repeat."""
    return f"{mail_id} {subject}"


def headers(mail_id: str, subject: str, *, root: str | None, at: datetime) -> dict[str, str]:
    """The headers that thread a mail sent at that time; `root` is the first mail's reference."""
    first, _, topic = (root or "").partition(" ")
    topic = one_line(topic or subject)
    found = {
        "Subject": f"Re: {topic}" if root else topic,
        "Message-ID": mail_id,
        "Thread-Topic": topic,
        "Thread-Index": thread_index(first or mail_id, reply_at=at if root else None),
    }
    return found | ({"In-Reply-To": first, "References": first} if root else {})


def thread_index(first: str, *, reply_at: datetime | None = None) -> str:
    """Outlook's index of a mail: 22 bytes for the thread, 5 more for a reply to the first mail."""
    began = _ticks(_EPOCH) >> 16 << 16  # the lowest two bytes are not kept
    thread = (began >> 16).to_bytes(6, "big") + sha256(first.encode()).digest()[:16]
    block = b"" if reply_at is None else _block(max(0, _ticks(reply_at) - began), reply_at)
    return base64.b64encode(thread + block).decode()


def _block(after: int, at: datetime) -> bytes:
    """One reply: how long after the first mail, and four bits that make it differ from others."""
    late = after >= _LONG_AFTER
    difference = (after >> (23 if late else 18)) & _DIFFERENCE
    return ((late << 31) | difference).to_bytes(4, "big") + bytes([at.microsecond & 0xF0])


def _ticks(at: datetime) -> int:
    """As a FILETIME: 100 ns since 1601."""
    passed = at - _FILETIME_BEGINS
    return (passed.days * 86_400 + passed.seconds) * _TICKS + passed.microseconds * 10
