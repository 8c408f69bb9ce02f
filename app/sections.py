"""What the sections of `plantao.yml` are made of."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from app.core.durations import DurationError, parse_duration


class Section(BaseModel):
    """Strict: no unknown keys, no conversions; lists are tuples."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


def _duration(value: object) -> timedelta:
    try:
        return value if isinstance(value, timedelta) else parse_duration(str(value))
    except DurationError as error:
        raise ValueError(str(error)) from None


def _positive(value: timedelta) -> timedelta:
    if not value:
        raise ValueError("expected a duration longer than 0s")
    return value


Text = Annotated[str, Field(min_length=1)]
Duration = Annotated[timedelta, BeforeValidator(_duration)]
Period = Annotated[Duration, AfterValidator(_positive)]
