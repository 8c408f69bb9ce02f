"""Keeps secrets out of what is printed, whoever's words they come in."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import unquote, urlsplit

from pydantic import SecretStr

from app.settings import SECRETS, VARIABLES, Settings

_SHORTEST = 4
"""A shorter secret is none, and its letters stand in every second word."""


def without_secrets(text: str, settings: Settings) -> str:
    """The text with `***` in place of every secret of the settings, passwords in URLs included."""
    # Longest first: one secret can be a part of another.
    for secret in sorted(set(_secrets(settings)), key=len, reverse=True):
        if len(secret) >= _SHORTEST:
            text = text.replace(secret, "***")
    return text


def _secrets(settings: Settings) -> Iterator[str]:
    for name in SECRETS:
        value = getattr(settings, VARIABLES[name])
        for each in value if isinstance(value, tuple) else (value,):
            secret = each.get_secret_value() if isinstance(each, SecretStr) else str(each or "")
            yield from _passwords(secret) if "://" in secret else (secret,)


def _passwords(url: str) -> Iterator[str]:
    password = urlsplit(url).password or ""
    yield from (password, unquote(password))
