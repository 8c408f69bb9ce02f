"""Claims with our signature: readable by whoever has them, made and changed by nobody else.

A sealed text is JSON and its HMAC-SHA256, both in URL-safe Base64. The first claim says what it
is for: a key that signs several things signs each for itself.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Sequence
from typing import Any

#: Bytes of a key.
KEY_LENGTH = 32


class NotOurs(ValueError):
    """We did not sign this, or not like this."""


def seal(claims: Sequence[str | int | None], key: bytes) -> str:
    """These claims, signed; the text has only letters, digits, `-`, `_` and a dot."""
    told = json.dumps(claims, separators=(",", ":"), ensure_ascii=False)
    body = _written(told.encode())
    return f"{body}.{_written(mac(body, key))}"


def unseal(sealed: str, key: bytes) -> list[Any]:
    """The claims. Raises NotOurs; nothing is read before the signature is known to be ours."""
    body, _, signature = sealed.partition(".")
    if not hmac.compare_digest(_read(signature), mac(body, key)):
        raise NotOurs
    claims: list[Any] = json.loads(_read(body))
    return claims


def mac(text: str, key: bytes) -> bytes:
    """The signature of a text."""
    return hmac.digest(key, text.encode("utf-8", "replace"), hashlib.sha256)


def _written(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _read(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return b""
