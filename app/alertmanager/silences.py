"""Silences through Alertmanager's API v2: made, looked at, ended.

Any member of a cluster takes a silence and tells the others, so that one that answers is enough.
Source: prometheus/alertmanager `api/v2/openapi.yaml` and `api/v2/api.go`, 0.25 to 0.34.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

import httpx
import structlog
from pydantic import BaseModel, Field, TypeAdapter

from app.alertmanager.api import Alertmanager, parsed
from app.core.matchers import Matcher, MatcherError, Op
from app.core.silences import ListedSilence
from app.errors import NeighbourFailed, NeighbourRefused, NeighbourUnreachable, NotFound
from app.telemetry import NEIGHBOUR_CALLS

# A person waits for the answer.
_TIMEOUT = httpx.Timeout(4.0, connect=2.0)
# Alertmanager lets a start in the past be now; by our clock, now could be in its future.
_AT_ONCE = "1970-01-01T00:00:00Z"
_BAD_REQUEST, _NOT_FOUND, _SERVER_ERROR = 400, 404, 500
_WORDS = 300

log = structlog.get_logger()


class _Matcher(BaseModel):
    name: str
    value: str
    is_regex: bool = Field(alias="isRegex")
    is_equal: bool = Field(default=True, alias="isEqual")


class _State(BaseModel):
    state: str


class _Silence(BaseModel):
    id: str
    status: _State
    matchers: list[_Matcher]
    created_by: str = Field(default="", alias="createdBy")
    comment: str = ""
    starts_at: datetime = Field(alias="startsAt")
    ends_at: datetime = Field(alias="endsAt")
    updated_at: datetime = Field(alias="updatedAt")


_Silences = TypeAdapter(list[_Silence])
_One = TypeAdapter(_Silence)


@dataclass(frozen=True, slots=True)
class Listing:
    """The silences of a cluster by id; `complete` says that every member answered."""

    silences: Mapping[str, ListedSilence]
    complete: bool


async def create(
    alertmanagers: Sequence[Alertmanager],
    *,
    matchers: Sequence[Matcher],
    ends_at: datetime,
    by: str,
    comment: str,
) -> str:
    """Have a silence made that begins now; its id.

    Raises NeighbourRefused with Alertmanager's own words, NeighbourUnreachable if none answers.
    """
    body = {
        "matchers": [
            {"name": m.name, "value": m.value, "isRegex": m.is_regex, "isEqual": m.is_equal}
            for m in matchers
        ],
        "startsAt": _AT_ONCE,
        "endsAt": _rfc3339(ends_at),
        "createdBy": by,
        "comment": comment,
    }
    perhaps = False
    for each in alertmanagers:
        try:
            answer = await _call(each, "POST", "/api/v2/silences", json=body)
            return str(answer["silenceID"])
        except NeighbourUnreachable as error:
            perhaps = perhaps or error.perhaps_done
        except (KeyError, TypeError):
            perhaps = True
    raise _nobody_answers(alertmanagers, perhaps_done=perhaps)


async def expire(alertmanagers: Sequence[Alertmanager], reference: str) -> None:
    """End a silence now. One that is over, or that nobody knows any more, is no error.

    Raises NeighbourUnreachable if none answers, NeighbourRefused if one will not.
    """
    path = f"/api/v2/silence/{quote(reference, safe='')}"
    silent: list[NeighbourUnreachable] = []
    for each in alertmanagers:
        try:
            await _call(each, "DELETE", path)
        except NotFound:
            continue  # a member that has not heard of it: another one may have
        except NeighbourUnreachable as error:
            silent.append(error)
        except NeighbourRefused:
            # Some versions answer so for one that is over.
            if (await get(each, reference)).state != "expired":
                raise
            return
        else:
            return
    if silent or not alertmanagers:
        perhaps = any(error.perhaps_done for error in silent)
        raise _nobody_answers(alertmanagers, perhaps_done=perhaps)


async def get(alertmanager: Alertmanager, reference: str) -> ListedSilence:
    """One silence as this Alertmanager has it; raises NotFound."""
    path = f"/api/v2/silence/{quote(reference, safe='')}"
    found = parsed(_One, await _call(alertmanager, "GET", path))
    listed = _listed(found)
    if listed is None:
        raise NeighbourFailed("Alertmanager has a silence whose matchers cannot be read.")
    return listed


async def ask(alertmanager: Alertmanager, filters: Sequence[Matcher] = ()) -> list[ListedSilence]:
    """Its silences, expired ones too; with `filters`, those that have such matchers."""
    params = [("filter", str(matcher)) for matcher in filters]
    answer = await _call(alertmanager, "GET", "/api/v2/silences", params=params)
    found = (_listed(item) for item in parsed(_Silences, answer))
    return [each for each in found if each is not None]


async def ask_all(
    alertmanagers: Sequence[Alertmanager], filters: Sequence[Matcher] = ()
) -> Listing | None:
    """What a cluster has, each silence as it was updated last; None if no member answered."""
    answers = await asyncio.gather(
        *(ask(each, filters) for each in alertmanagers), return_exceptions=True
    )
    lists = [answer for answer in answers if not isinstance(answer, BaseException)]
    for answer in answers:
        if isinstance(answer, BaseException) and not isinstance(answer, NeighbourFailed):
            raise answer
    if not lists:
        return None
    return Listing(_merged(item for each in lists for item in each), len(lists) == len(answers))


def pages(alertmanagers: Sequence[Alertmanager]) -> str:
    """The address of a cluster's own pages, without user and password; "" without one."""
    parts = urlsplit(alertmanagers[0].url if alertmanagers else "")
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def _merged(found: Iterable[ListedSilence]) -> dict[str, ListedSilence]:
    merged: dict[str, ListedSilence] = {}
    for each in found:
        other = merged.get(each.reference)
        if other is None or each.updated_at > other.updated_at:
            merged[each.reference] = each
    return merged


async def _call(alertmanager: Alertmanager, method: str, path: str, **request: Any) -> Any:
    url = alertmanager.url.rstrip("/") + path
    try:
        answer = await alertmanager.client.request(method, url, timeout=_TIMEOUT, **request)
        body = answer.json() if answer.content and answer.is_success else None
    except (httpx.HTTPError, ValueError) as error:
        NEIGHBOUR_CALLS.labels("alertmanager", "failed").inc()
        # The error's own text holds the URL, which may hold a password.
        raise NeighbourUnreachable(
            f"Alertmanager did not answer ({type(error).__name__}).",
            perhaps_done=not isinstance(error, httpx.ConnectError | httpx.ConnectTimeout),
        ) from error
    NEIGHBOUR_CALLS.labels("alertmanager", "ok" if answer.is_success else "failed").inc()
    if not answer.is_success:
        raise _failure(answer)
    return body


def _failure(answer: httpx.Response) -> NeighbourFailed | NotFound:
    words = " ".join(answer.text.split()).strip('".')[:_WORDS]
    if answer.status_code == _NOT_FOUND or "silence not found" in words:
        return NotFound("Alertmanager does not know this silence.")
    if _BAD_REQUEST <= answer.status_code < _SERVER_ERROR or "already expired" in words:
        return NeighbourRefused(f"Alertmanager refused ({answer.status_code}): {words}.")
    return NeighbourUnreachable(
        f"Alertmanager failed ({answer.status_code}): {words}.", perhaps_done=True
    )


def _nobody_answers(
    alertmanagers: Sequence[Alertmanager], *, perhaps_done: bool
) -> NeighbourUnreachable:
    if not alertmanagers:
        why = "No Alertmanager is set to be asked: set PLANTAO_ALERTMANAGER_URL."
    elif perhaps_done:
        why = "Alertmanager did not answer in time."
    else:
        why = "Alertmanager cannot be reached."
    return NeighbourUnreachable(why, perhaps_done=perhaps_done)


def _listed(item: _Silence) -> ListedSilence | None:
    try:
        matchers = tuple(Matcher(m.name, _op(m), m.value) for m in item.matchers)
    except MatcherError as error:
        log.warning("a silence is left out: it cannot be read", id=item.id, why=str(error))
        return None
    return ListedSilence(
        reference=item.id,
        matchers=matchers,
        by=item.created_by,
        comment=item.comment,
        starts_at=item.starts_at.astimezone(UTC),
        ends_at=item.ends_at.astimezone(UTC),
        updated_at=item.updated_at.astimezone(UTC),
        state=item.status.state,
    )


def _op(matcher: _Matcher) -> Op:
    if matcher.is_regex:
        return "=~" if matcher.is_equal else "!~"
    return "=" if matcher.is_equal else "!="


def _rfc3339(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
