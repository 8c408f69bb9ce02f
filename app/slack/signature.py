"""Whether a request comes from Slack: its signature over the bytes as they came, and its age.

Source: https://docs.slack.dev/authentication/verifying-requests-from-slack
"""

from __future__ import annotations

import hashlib
import hmac
import re
from datetime import datetime

_MOST_AGE = 300.0  # seconds, either way: clocks differ
_SECONDS = re.compile(r"[0-9]{1,12}")


def sign(secret: str, body: bytes, timestamp: str) -> str:
    """The signature of a body that was sent at that time (seconds since 1970)."""
    signed = b"v0:%s:%s" % (timestamp.encode(), body)
    return "v0=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def is_genuine(
    secret: str, body: bytes, *, timestamp: str | None, signature: str | None, now: datetime
) -> bool:
    """Whether both headers are there, fit the body, and are not older than five minutes.

    Total: whatever stands in the headers, the answer is yes or no.
    """
    if not secret or signature is None or not _SECONDS.fullmatch(timestamp or ""):
        return False
    assert timestamp is not None  # noqa: S101  (for the type checker)
    if abs(now.timestamp() - int(timestamp)) > _MOST_AGE:
        return False
    expected = sign(secret, body, timestamp)
    return hmac.compare_digest(expected.encode(), signature.encode("utf-8", "replace"))
