"""Postings: the row is the queue. It is due, leased while a call is made, then recorded."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from app.core.incidents import Incident
from app.core.postings import LEASE, Destination, Place, Posting, PostingState, priority
from app.errors import NotFound
from app.store import bulk
from app.store.database import Transaction
from app.store.tables import PostingRow, table

_postings = table(PostingRow)


def show(
    tx: Transaction, wanted: Sequence[tuple[Incident, Sequence[Place]]], *, now: datetime
) -> None:
    """Show these incidents at these places; nothing where they are shown already."""
    new = [_new_values(incident, place, now) for incident, places in wanted for place in places]
    bulk.execute(tx, _INSERT_ONCE[tx.dialect.name], new)


def mark_due(tx: Transaction, incidents: Sequence[Incident], *, now: datetime) -> None:
    """What these incidents say has changed, wherever they are shown.

    Postings that a person stopped, or that are relieved, stay so.
    """
    bulk.execute(tx, _MARK_DUE, [_due_values(incident, now) for incident in incidents])


def stand_in(
    tx: Transaction, incident: Incident, place: Place, failed: Destination, *, now: datetime
) -> bool:
    """Show an incident at one more place, as long as another fails; False if it is shown there."""
    values = _new_values(incident, place, now) | {"stands_in_for": str(failed)}
    if tx.execute(_INSERT_ONCE[tx.dialect.name], values).rowcount:
        return True
    there = _postings.c.destination == str(place.destination)
    again = {"state": PostingState.PENDING.value, "stands_in_for": str(failed)}
    return bool(
        tx.execute(
            sa.update(_postings)
            .where(_postings.c.incident_id == incident.id, there)
            .where(_postings.c.state == PostingState.RELIEVED.value)
            .values(**again, due_at=now, asked=_postings.c.asked + 1)
        ).rowcount
    )


def relieve(tx: Transaction, incident: int, works: Destination, *, now: datetime) -> bool:
    """A destination shows the incident again: what stood in for it says so, and no more after
    that. False if nothing stood in for it."""
    return bool(
        tx.execute(
            sa.update(_postings)
            .where(_postings.c.incident_id == incident, _BUSY)
            .where(_postings.c.stands_in_for == str(works))
            .values(state=PostingState.RELIEVED.value, due_at=now, asked=_postings.c.asked + 1)
        ).rowcount
    )


def _new_values(incident: Incident, place: Place, now: datetime) -> dict[str, Any]:
    return {
        "token": secrets.token_hex(8),
        "incident_id": incident.id,
        "receiver": place.receiver,
        "destination": str(place.destination),
        "created_at": now,
        "state": PostingState.PENDING.value,
        "root_digest": "",
        "details_digest": "",
        "told": 0,
        "shown_revision": 0,
        "in_doubt": False,
        "plain": False,
        "attempts": 0,
        "priority": priority(incident, root_shown=False),
        "asked": 0,
        "stands_in_for": None,
        "due_at": now,
    }


def _due_values(incident: Incident, now: datetime) -> dict[str, Any]:
    return {
        "number": incident.id,
        "now": now,
        "with_root": priority(incident, root_shown=True),
        "without_root": priority(incident, root_shown=False),
    }


# News makes these due. Not written as NOT IN: its list of values is only known when it is run.
_BUSY = (_postings.c.state != PostingState.STOPPED.value) & (
    _postings.c.state != PostingState.RELIEVED.value
)

_INSERT_ONCE: dict[str, Any] = {
    "sqlite": sqlite.insert(_postings).on_conflict_do_nothing(),
    "postgresql": postgresql.insert(_postings).on_conflict_do_nothing(),
}

# Shown, but not to everybody there: those are tried again later, and must not hold up news.
_LACKING = (_postings.c.state == PostingState.SHOWN.value) & _postings.c.last_error.is_not(None)

# A posting that waits out a failure keeps its time: changes do not make it try sooner.
_NOW = sa.bindparam("now", type_=_postings.c.due_at.type)
_MARK_DUE = (
    sa.update(_postings)
    .where(_postings.c.incident_id == sa.bindparam("number"))
    .where(_BUSY)
    .values(
        asked=_postings.c.asked + 1,
        due_at=sa.case((_LACKING, _NOW), else_=sa.func.coalesce(_postings.c.due_at, _NOW)),
        priority=sa.case(
            (_postings.c.root.is_(None), sa.bindparam("without_root")),
            else_=sa.bindparam("with_root"),
        ),
    )
)


_wakes_at = sa.case(
    (_postings.c.lease_until > _postings.c.due_at, _postings.c.lease_until),
    else_=_postings.c.due_at,
)


def due_destinations(tx: Transaction, *, now: datetime) -> list[Destination]:
    """The destinations where something is to be done now."""
    query = sa.select(_postings.c.destination).where(_is_due(now)).distinct()
    return [Destination.parse(text) for text in tx.scalars(query)]


def next_due(tx: Transaction, *, after: datetime) -> datetime | None:
    """When, after that time, a posting becomes due or its lease runs out; None if none waits."""
    query = sa.select(sa.func.min(_wakes_at)).where(_postings.c.due_at.is_not(None))
    query = query.where(_wakes_at > after)
    found: datetime | None = tx.scalar(query)
    return found


def _is_due(now: datetime) -> sa.ColumnElement[bool]:
    free = _postings.c.lease_until.is_(None) | (_postings.c.lease_until <= now)
    return (_postings.c.due_at <= now) & free


def lease(
    tx: Transaction,
    destination: Destination,
    *,
    by: str,
    now: datetime,
    priority_below: int | None = None,
) -> Posting | None:
    """Take the most pressing due posting of a destination into one's hands, for LEASE.

    A lease that ran out belonged to somebody who died in between: the posting is then in
    doubt, and must be looked for before anything is posted again.
    """
    query = (
        sa.select(_postings)
        .where(_postings.c.destination == str(destination), _is_due(now))
        .order_by(_postings.c.priority, _postings.c.due_at, _postings.c.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    if priority_below is not None:
        query = query.where(_postings.c.priority < priority_below)
    row = tx.execute(query).one_or_none()
    if row is None:
        return None
    in_doubt = row.in_doubt or row.lease_until is not None
    tx.execute(
        sa.update(_postings)
        .where(_postings.c.id == row.id)
        .values(lease_until=now + LEASE, lease_by=by, in_doubt=in_doubt)
    )
    return _posting(row, in_doubt=in_doubt)


def record(
    tx: Transaction, posting: Posting, *, by: str, due_at: datetime | None, now: datetime
) -> None:
    """Store what is now shown, end the lease, and say when to look at it again.

    Nothing, if it is no longer in the hands of `by`: a person stopped it, or somebody else took
    it, who found it in doubt and records what they see.

    `due_at` None means that nothing is left to do, unless it was asked for again since it
    was leased: the incident changed while the call was made. So does a later time, where only
    some people lack what is shown.
    """
    lacking = posting.state is PostingState.SHOWN and posting.last_error is not None
    waits = due_at is None or lacking
    values = asdict(posting) | {
        "destination": str(posting.destination),
        "state": _unless_relieved(posting.state),
        "due_at": _unless_asked_again(posting, now, due_at) if waits else due_at,
        "lease_until": None,
        "lease_by": None,
    }
    number = values.pop("id")
    del values["asked"]
    tx.execute(
        sa.update(_postings)
        .where(_postings.c.id == number, _postings.c.lease_by == by)
        .values(values)
    )


def _unless_relieved(state: PostingState) -> sa.ColumnElement[Any]:
    # It may have been relieved while the call was made.
    relieved = PostingState.RELIEVED.value
    return sa.case((_postings.c.state == relieved, relieved), else_=state.value)


def _unless_asked_again(
    posting: Posting, now: datetime, due_at: datetime | None
) -> sa.ColumnElement[Any]:
    again, kind = _postings.c.asked != posting.asked, _postings.c.due_at.type
    later = sa.null() if due_at is None else sa.literal(due_at, type_=kind)
    return sa.case((again, sa.literal(now, type_=kind)), else_=later)


def hurry(tx: Transaction, destination: Destination, *, now: datetime) -> None:
    """The destination works again: what waits out a failure there is due now."""
    waits = (_postings.c.destination == str(destination)) & (_postings.c.due_at > now)
    tx.execute(sa.update(_postings).where(waits).values(due_at=now))


def release_all(tx: Transaction, *, now: datetime) -> int:
    """End every lease, as after a crash when nobody else works on this database."""
    leased = _postings.c.lease_until.is_not(None)
    return tx.execute(
        sa.update(_postings)
        .where(leased)
        .values(lease_until=None, lease_by=None, in_doubt=True, due_at=now)
    ).rowcount


def stop(tx: Transaction, incident: int, number: int) -> None:
    """A person says: no more tries here. Raises NotFound.

    A call that is under way may still be carried out, and will not be recorded.
    """
    _set(
        tx,
        incident,
        number,
        state=PostingState.STOPPED.value,
        due_at=None,
        in_doubt=_postings.c.in_doubt | _postings.c.lease_until.is_not(None),
        lease_until=None,
        lease_by=None,
    )


def retry(tx: Transaction, incident: int, number: int, *, now: datetime) -> None:
    """A person says: try again now. Raises NotFound."""
    _set(tx, incident, number, state=PostingState.PENDING.value, due_at=now, attempts=0)


def _set(tx: Transaction, incident: int, number: int, **values: Any) -> None:
    mine = (_postings.c.id == number) & (_postings.c.incident_id == incident)
    if not tx.execute(sa.update(_postings).where(mine).values(values)).rowcount:
        raise NotFound(f"Incident {incident} has no posting {number}.")


def of_incidents(tx: Transaction, numbers: Sequence[int]) -> dict[int, list[Posting]]:
    """The postings of these incidents, by incident number."""
    found: dict[int, list[Posting]] = {number: [] for number in numbers}
    query = sa.select(_postings).where(_postings.c.incident_id.in_(numbers))
    for row in tx.execute(query.order_by(_postings.c.id)):
        found[row.incident_id].append(_posting(row, in_doubt=row.in_doubt))
    return found


def any_root(tx: Transaction, destination: Destination) -> str | None:
    """The reference of some message at this destination, if there is any."""
    query = sa.select(_postings.c.root).where(
        _postings.c.destination == str(destination), _postings.c.root.is_not(None)
    )
    found: str | None = tx.scalar(query.limit(1))
    return found


def incident_at(tx: Transaction, root: str) -> int | None:
    """The incident whose root message has this reference."""
    query = sa.select(_postings.c.incident_id).where(_postings.c.root == root).limit(1)
    return tx.scalar(query)


def shown_in(tx: Transaction, channel: str) -> Destination | None:
    """The destination whose messages are in this Slack channel, by the channel's id."""
    here = _postings.c.root.startswith(f"{channel}:", autoescape=True)
    found = tx.scalar(sa.select(_postings.c.destination).where(here).limit(1))
    return Destination.parse(found) if found else None


def counts(tx: Transaction) -> dict[tuple[str, str], int]:
    """How many postings there are by transport and state."""
    kind = _postings.c.destination
    query = sa.select(kind, _postings.c.state, sa.func.count()).group_by(kind, _postings.c.state)
    found: dict[tuple[str, str], int] = {}
    for destination, state, number in tx.execute(query):
        key = (Destination.parse(destination).kind, state)
        found[key] = found.get(key, 0) + number
    return found


def _posting(row: Any, *, in_doubt: bool) -> Posting:
    return Posting(
        id=row.id,
        token=row.token,
        incident_id=row.incident_id,
        receiver=row.receiver,
        destination=Destination.parse(row.destination),
        created_at=row.created_at,
        state=PostingState(row.state),
        root=row.root,
        root_digest=row.root_digest,
        details=row.details,
        details_digest=row.details_digest,
        chart=row.chart,
        told=row.told,
        shown_revision=row.shown_revision,
        in_doubt=in_doubt,
        plain=row.plain,
        attempts=row.attempts,
        last_error=row.last_error,
        first_shown_at=row.first_shown_at,
        asked=row.asked,
        stands_in_for=row.stands_in_for,
    )
