"""One step of delivery: what should be shown, what is shown, and the call between them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import assert_never

import structlog

from app.core.notices import LISTED, Notice, links
from app.core.postings import Destination, Posting, Step, StepKind, Wanted, coalesce, next_step
from app.errors import ContentRefused
from app.notifiers.notifier import DETAILS, ROOT, Mark, Message, Notifier, Sought
from app.store import incidents, postings
from app.store.database import Transaction

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Work:
    """A leased posting and what is to be shown there. `beside` is as in Sought."""

    posting: Posting
    notice: Notice
    locale: str
    beside: str | None = None


@dataclass(frozen=True, slots=True)
class Outlook:
    """What the service adds to every notice: its own address, runbooks, its language."""

    public_url: str
    runbook_base: str | None
    locale: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """The posting after a step. `called` says whether the destination was asked for anything,
    `wait` for how many seconds there is no room for the step that is next."""

    posting: Posting
    finished: bool
    called: bool
    wait: float = 0.0


def begin(
    tx: Transaction,
    destination: Destination,
    outlook: Outlook,
    *,
    by: str,
    now: datetime,
    priority_below: int | None,
) -> Work | None:
    """Lease the most pressing posting of a destination and load what it should show."""
    posting = postings.lease(tx, destination, by=by, now=now, priority_below=priority_below)
    if posting is None:
        return None
    incident = incidents.get(tx, posting.incident_id)
    alerts = incidents.alerts_of(tx, incident.id, limit=LISTED)
    entries = coalesce(incidents.timeline(tx, incident.id, after=posting.told))
    names = {name for entry in entries for name in _names(entry.data.get("fingerprints"))}
    notice = Notice(
        incident,
        alerts,
        entries,
        incidents.alerts_named(tx, incident.id, names),
        links(incident, alerts, public_url=outlook.public_url, runbook_base=outlook.runbook_base),
    )
    beside = postings.any_root(tx, destination) if posting.in_doubt else None
    return Work(posting, notice, outlook.locale, beside)


def _names(value: object) -> Sequence[str]:
    return value if isinstance(value, list) else ()


async def show(work: Work, notifier: Notifier, room: Callable[[StepKind], float]) -> Outcome:
    """Make the one call that brings what is shown closer to what is; raises DeliveryFailed.

    `room` says how many seconds a step of that kind must wait (0: none).
    """
    posting = work.posting
    looked = posting.in_doubt
    if looked:
        posting = await look(work, notifier)
    wanted, root, details = _render(work, posting, notifier)
    step = next_step(posting, wanted)
    if wait := room(step.kind):
        return Outcome(posting, finished=False, called=looked, wait=wait)
    posting = await _carry_out(step, replace(work, posting=posting), notifier, root, details)
    called = looked or step.kind is not StepKind.REST
    finished = next_step(posting, wanted).kind is StepKind.REST
    if wanted.edits is False or posting.root_digest == wanted.root_digest:
        posting = replace(posting, shown_revision=work.notice.incident.revision)
    return Outcome(posting, finished, called)


async def look(work: Work, notifier: Notifier) -> Posting:
    """Find out what is shown of a posting that is in doubt; raises DeliveryFailed.

    A transport that cannot look (email) repeats itself under the same Message-ID.
    """
    posting = work.posting
    shown = await notifier.survey(
        Sought(
            posting.destination.address,
            posting.token,
            since=posting.created_at,
            root=posting.root,
            beside=work.beside,
        )
    )
    # The call in doubt may have been an edit: what is shown is not known until the next one.
    unsure = replace(posting, in_doubt=False, root_digest="", details_digest="")
    if shown is None:
        return unsure
    log.info("looked for our marks", posting=posting.id, found_root=shown.root is not None)
    return replace(
        unsure, root=shown.root, details=shown.details, told=max(posting.told, shown.told)
    )


def _render(
    work: Work, posting: Posting, notifier: Notifier
) -> tuple[Wanted, Message, Message | None]:
    """Raises ContentRefused where this incident cannot be rendered: the plain form may do."""
    try:
        root = notifier.root(work.notice, locale=work.locale, plain=posting.plain)
        details = notifier.details(work.notice, locale=work.locale, plain=posting.plain)
    except Exception as error:
        log.exception("a message could not be rendered", incident=posting.incident_id)
        raise ContentRefused(f"It could not be rendered ({type(error).__name__}).") from error
    digest = details.digest if details else None
    wanted = Wanted(root.digest, digest, work.notice.entries, edits=notifier.edits)
    return wanted, root, details


async def _carry_out(
    step: Step, work: Work, notifier: Notifier, root: Message, details: Message | None
) -> Posting:
    posting, address = work.posting, work.posting.destination.address
    match step.kind:
        case StepKind.POST_ROOT:
            reference = await notifier.post(address, root, _mark(posting, ROOT))
            return replace(posting, root=reference, root_digest=root.digest)
        case StepKind.EDIT_ROOT:
            await notifier.edit(address, posting.root or "", root, _mark(posting, ROOT))
            return replace(posting, root_digest=root.digest)
        case StepKind.POST_DETAILS if details:
            mark = _mark(posting, DETAILS)
            reference = await notifier.post(address, details, mark, root=posting.root)
            return replace(posting, details=reference, details_digest=details.digest)
        case StepKind.EDIT_DETAILS if details:
            mark = _mark(posting, DETAILS)
            await notifier.edit(address, posting.details or "", details, mark)
            return replace(posting, details_digest=details.digest)
        case StepKind.REPLY:
            return await _reply(step, work, notifier)
        case StepKind.REST | StepKind.POST_DETAILS | StepKind.EDIT_DETAILS:
            return posting
        case _:
            assert_never(step.kind)


async def _reply(step: Step, work: Work, notifier: Notifier) -> Posting:
    posting = work.posting
    try:
        message = notifier.reply(work.notice, step.entries, locale=work.locale, plain=posting.plain)
    except Exception as error:
        log.exception("a reply could not be rendered", incident=posting.incident_id)
        raise ContentRefused(f"It could not be rendered ({type(error).__name__}).") from error
    last = step.entries[-1].number
    address = posting.destination.address
    await notifier.post(address, message, _mark(posting, last), root=posting.root)
    return replace(posting, told=last)


def _mark(posting: Posting, entry: int) -> Mark:
    return Mark(posting.incident_id, posting.token, entry)
