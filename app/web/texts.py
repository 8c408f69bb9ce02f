"""Texts in a request that must say something: names, notes, titles."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field


def _said(text: str) -> str:
    if not text.strip():
        raise ValueError("expected text, found only blanks")
    return text


Said = Annotated[
    str, Field(min_length=1, json_schema_extra={"pattern": r"\S"}), AfterValidator(_said)
]
Name = Annotated[Said, Field(max_length=200, examples=["Ana <ana@example.com>"])]
