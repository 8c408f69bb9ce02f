"""What people do to an incident, over HTTP; `docs/incidents.md` says what each means."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field
from starlette.responses import Response

from app.core.events import (
    Acknowledged,
    Assigned,
    NoteAdded,
    PersonEvent,
    ResolvedByPerson,
    Unacknowledged,
)
from app.core.person import Person
from app.web.auth import require_api_token
from app.web.context import Context, Service
from app.web.incidents import Number, shown
from app.web.revisions import IfMatch, decided_on

router = APIRouter(
    prefix="/incidents/{number}", tags=["incidents"], dependencies=[Depends(require_api_token)]
)

Name = Annotated[str, Field(min_length=1, max_length=200, examples=["Ana <ana@example.com>"])]


class Act(BaseModel):
    """Who acts. `revision` (or `If-Match`) makes the action fail if somebody was faster."""

    by: Name
    revision: int | None = None

    @property
    def person(self) -> Person:
        return Person.parse(self.by)


class Assign(Act):
    to: Name | None = Field(description="Whose it is now; null: nobody's.")


class Resolve(Act):
    force: bool = Field(default=False, description="End it although alerts still fire.")


class Note(Act):
    text: str = Field(min_length=1, max_length=20_000)


@router.post("/acknowledge", summary="Take an incident on")
async def acknowledge(
    number: Number, body: Act, service: Service, if_match: IfMatch = None
) -> Response:
    """It is then theirs, if it was nobody's. 409 if somebody else has it, or it is resolved."""
    return await _act(service, number, Acknowledged(body.person, _revision(body, if_match)))


@router.post("/unacknowledge", summary="Hand an incident back")
async def unacknowledge(
    number: Number, body: Act, service: Service, if_match: IfMatch = None
) -> Response:
    """It waits for somebody again, and is no longer theirs who had acknowledged it."""
    return await _act(service, number, Unacknowledged(body.person, _revision(body, if_match)))


@router.post("/assign", summary="Say whose an incident is")
async def assign(
    number: Number, body: Assign, service: Service, if_match: IfMatch = None
) -> Response:
    """One's own, somebody else's, or nobody's. 409 once it is resolved."""
    to = Person.parse(body.to) if body.to else None
    return await _act(service, number, Assigned(body.person, to, _revision(body, if_match)))


@router.post("/resolve", summary="End an incident")
async def resolve(
    number: Number, body: Resolve, service: Service, if_match: IfMatch = None
) -> Response:
    """409 while alerts fire, unless forced; their present occurrences then stay ended."""
    event = ResolvedByPerson(body.person, body.force, _revision(body, if_match))
    return await _act(service, number, event)


@router.post("/notes", summary="Write a note")
async def note(number: Number, body: Note, service: Service, if_match: IfMatch = None) -> Response:
    """It stands in the timeline and in the thread."""
    event = NoteAdded(body.person, body.text, _revision(body, if_match))
    return await _act(service, number, event)


@router.post("/postings/{posting}/stop", summary="Stop showing it at one place")
async def stop_posting(number: Number, posting: Number, service: Service) -> Response:
    """No more tries; `retry` takes it back."""
    await service.actions.stop_posting(number, posting)
    return await shown(number, service)


@router.post("/postings/{posting}/retry", summary="Try again at one place")
async def retry_posting(number: Number, posting: Number, service: Service) -> Response:
    """Now, instead of when its pause is over."""
    await service.actions.retry_posting(number, posting)
    return await shown(number, service)


async def _act(service: Context, number: int, event: PersonEvent) -> Response:
    await service.actions.act(number, event)
    return await shown(number, service)


def _revision(body: Act, if_match: str | None) -> int | None:
    return decided_on(body.revision, if_match)
