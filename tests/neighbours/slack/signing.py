"""Slack's request signature, version 0 (docs.slack.dev/authentication/verifying-requests)."""

from __future__ import annotations

import hashlib
import hmac


def signed_headers(secret: str, body: bytes, *, at: float) -> dict[str, str]:
    """`at`: seconds since 1970."""
    stamp = str(int(at))
    base = b"v0:" + stamp.encode() + b":" + body
    digest = hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={digest}"}
