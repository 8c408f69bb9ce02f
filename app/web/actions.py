"""What people do to an incident, over HTTP; `docs/incidents.md` says what each means."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field
from pydantic_core import to_json
from starlette.responses import Response

from app.core.events import (
    Acknowledged,
    Assigned,
    NoteAdded,
    NoteEdited,
    NoteRemoved,
    PersonEvent,
    RepliesMuted,
    RepliesUnmuted,
    ResolvedByPerson,
    Unacknowledged,
)
from app.core.incidents import Incident
from app.core.person import Person
from app.core.rights import Right
from app.engine.actions import Deed, acting
from app.engine.policy import Policy
from app.store import postings
from app.store.answers import Answer, once
from app.store.database import Transaction
from app.web.auth import Responder, require
from app.web.context import Service
from app.web.incidents import Number, whole
from app.web.once import OnceKey
from app.web.revisions import IfMatch, decided_on
from app.web.texts import Name, Said
from app.web.views import incident_json, note_json

router = APIRouter(
    prefix="/incidents/{number}", tags=["incidents"], dependencies=[Depends(require(Right.RESPOND))]
)


class Act(BaseModel):
    """Who acts. `revision` (or `If-Match`) makes the action fail if somebody was faster."""

    by: Name | None = Field(default=None, description="Not given: whose token it is.")
    revision: int | None = None


class Assign(Act):
    to: Name | None = Field(description="Whose it is now; null: nobody's.")


class Resolve(Act):
    force: bool = Field(default=False, description="End it although alerts still fire.")


class Text(Act):
    text: Said = Field(max_length=20_000)


class Doing:
    """One request to do something to an incident, and how it is done and answered.

    `if_match` is the header; `key` makes a repeat harmless.
    """

    def __init__(
        self,
        number: Number,
        service: Service,
        viewer: Responder,
        key: OnceKey,
        if_match: IfMatch = None,
    ) -> None:
        self.number = number
        self.key = key
        self._viewer = viewer
        self._service = service
        self._if_match = if_match

    def person(self, body: Act) -> Person:
        """Who acts: whom the request names, else whose token it carries."""
        return self._viewer.acting(body.by)

    def revision(self, body: Act) -> int | None:
        """The revision decided on, if one is given."""
        return decided_on(body.revision, self._if_match)

    async def act(self, event: PersonEvent) -> Response:
        acted = acting(self.number, await self._service.actions.introduced(event))

        def deed(tx: Transaction, policy: Policy, now: datetime) -> dict[str, Any]:
            return _note(self._service.outlook().masked(acted(tx, policy, now)), event)

        return await self.perform(deed)

    async def perform(self, deed: Deed[dict[str, Any]]) -> Response:
        """Do it and answer with the incident, and with what the deed adds to that.

        With a key both are one transaction; without one, the answer does not hold up the writer.
        """
        key, actions = self.key, self._service.actions
        if key is None:
            more = await actions.perform(deed)
            return _response(await self._service.db.read(self._answer, more))

        def keyed(tx: Transaction, policy: Policy, now: datetime) -> Answer:
            return once(tx, key, lambda: self._answer(tx, deed(tx, policy, now)), now=now)

        return _response(await actions.perform(keyed))

    def _answer(self, tx: Transaction, more: dict[str, Any]) -> Answer:
        found = whole(tx, self.number, self._service.outlook())
        return Answer(found.incident.revision, to_json(incident_json(found) | more))


This = Annotated[Doing, Depends()]


@router.post("/acknowledge", summary="Take an incident on")
async def acknowledge(body: Act, this: This) -> Response:
    """It is then theirs, if it was nobody's. 409 if somebody else has it, or it is resolved."""
    return await this.act(Acknowledged(this.person(body), this.revision(body)))


@router.post("/unacknowledge", summary="Hand an incident back")
async def unacknowledge(body: Act, this: This) -> Response:
    """It waits for somebody again, and is no longer theirs who had acknowledged it."""
    return await this.act(Unacknowledged(this.person(body), this.revision(body)))


@router.post("/assign", summary="Say whose an incident is")
async def assign(body: Assign, this: This) -> Response:
    """One's own, somebody else's, or nobody's. 409 once it is resolved."""
    to = Person.parse(body.to) if body.to else None
    return await this.act(Assigned(this.person(body), to, this.revision(body)))


@router.post("/resolve", summary="End an incident")
async def resolve(body: Resolve, this: This) -> Response:
    """409 while alerts fire, unless forced; their present occurrences then stay ended."""
    return await this.act(ResolvedByPerson(this.person(body), body.force, this.revision(body)))


@router.post("/notes", summary="Write a note")
async def write_note(body: Text, this: This) -> Response:
    """It stands in the timeline and in the threads. The answer has it as `note`, with its id."""
    return await this.act(NoteAdded(this.person(body), body.text, revision=this.revision(body)))


@router.patch("/notes/{note}", summary="Edit a note")
async def edit_note(note: Number, body: Text, this: This) -> Response:
    """The timeline keeps what it said before. 409 if it was removed."""
    return await this.act(NoteEdited(this.person(body), note, body.text, this.revision(body)))


@router.delete("/notes/{note}", summary="Remove a note")
async def remove_note(note: Number, body: Annotated[Act, Query()], this: This) -> Response:
    """Who removes it is in the query: `?by=Ana`. The timeline keeps that it was there."""
    return await this.act(NoteRemoved(this.person(body), note, this.revision(body)))


@router.post("/mute", summary="Mute an incident's replies")
async def mute(body: Act, this: This) -> Response:
    """Threads are told of its end and of a reopening, and nothing else; the root goes on."""
    return await this.act(RepliesMuted(this.person(body), this.revision(body)))


@router.post("/unmute", summary="Turn an incident's replies on again")
async def unmute(body: Act, this: This) -> Response:
    """What was not told meanwhile is not told any more: the timeline has it."""
    return await this.act(RepliesUnmuted(this.person(body), this.revision(body)))


@router.post("/postings/{posting}/stop", summary="Stop showing it at one place")
async def stop_posting(posting: Number, this: This) -> Response:
    """No more tries; `retry` takes it back."""

    def deed(tx: Transaction, _policy: Policy, _now: datetime) -> dict[str, Any]:
        postings.stop(tx, this.number, posting)
        return {}

    return await this.perform(deed)


@router.post("/postings/{posting}/retry", summary="Try again at one place")
async def retry_posting(posting: Number, this: This) -> Response:
    """Now, instead of when its pause is over."""

    def deed(tx: Transaction, _policy: Policy, now: datetime) -> dict[str, Any]:
        postings.retry(tx, this.number, posting, now=now)
        return {}

    return await this.perform(deed)


def _response(answer: Answer) -> Response:
    headers = {"ETag": f'"{answer.revision}"'}
    return Response(answer.body, headers=headers, media_type="application/json")


def _note(after: Incident, event: PersonEvent) -> dict[str, Any]:
    """The note that the action was about."""
    match event:
        case NoteAdded():
            return {"note": note_json(after.notes[max(after.notes)])}
        case NoteEdited(note=int(number)) | NoteRemoved(note=int(number)):
            return {"note": note_json(after.notes[number])}
        case _:
            return {}
