"""One step of delivery: what should be shown, what is shown, and the call between them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import assert_never

import structlog

from app.core.notices import Notice
from app.core.postings import (
    CHART_AGAIN,
    NO_CHART,
    Destination,
    Posting,
    Step,
    StepKind,
    Wanted,
    after_chart_failure,
    next_step,
)
from app.engine.outlook import Outlook
from app.errors import Ambiguous, ContentRefused, DeliveryFailed, TryLater
from app.notifiers.notifier import (
    CHART,
    DETAILS,
    ROOT,
    Mark,
    Message,
    Notifier,
    ReachesMany,
    ShowsCharts,
    Sought,
    Unreached,
)
from app.notifiers.own_wording import localised
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
class Outcome:
    """The posting after a step. `called` says whether the destination was asked for anything,
    `wait` for how many seconds there is no room for the step that is next. `unreached` are those
    who lack something of what counts as shown."""

    posting: Posting
    finished: bool
    called: bool
    wait: float = 0.0
    unreached: Unreached | None = None


def begin(
    tx: Transaction,
    destination: Destination,
    outlook: Outlook,
    *,
    locale: Callable[[Posting], str],
    by: str,
    now: datetime,
    priority_below: int | None,
) -> Work | None:
    """Lease the most pressing posting of a destination and load what it should show."""
    posting = postings.lease(tx, destination, by=by, now=now, priority_below=priority_below)
    if posting is None:
        return None
    incident = incidents.get(tx, posting.incident_id)
    language = locale(posting)
    notice = localised(outlook.notice(tx, incident, after=posting.told), language)
    beside = postings.any_root(tx, destination) if posting.in_doubt else None
    return Work(posting, notice, language, beside)


async def show(work: Work, notifier: Notifier, room: Callable[[StepKind], float]) -> Outcome:
    """Make the one call that brings what is shown closer to what is; raises DeliveryFailed.

    `room` says how many seconds a step of that kind must wait (0: none).
    """
    posting = work.posting
    looked = posting.in_doubt
    if looked:
        posting = await look(work, notifier)
    wanted, rendered = _render(work, posting, notifier)
    step = next_step(posting, wanted)
    if wait := room(step.kind):
        return Outcome(posting, finished=False, called=looked, wait=wait)
    if step.kind is StepKind.POST_CHART:
        # It is the last step, and it failing must hold up nothing: what is due then is done.
        posting = await _show_chart(replace(work, posting=posting), notifier, rendered.chart)
        called = looked or posting.chart not in {CHART_AGAIN, NO_CHART}
        return Outcome(_revised(posting, work, wanted), finished=True, called=called)
    posting = await _carry_out(step, replace(work, posting=posting), notifier, rendered)
    called = looked or step.kind is not StepKind.REST
    finished = next_step(posting, wanted).kind is StepKind.REST
    unreached = await _catch_up(posting, notifier, at_rest=step.kind is StepKind.REST)
    return Outcome(_revised(posting, work, wanted), finished, called, unreached=unreached)


async def _catch_up(posting: Posting, notifier: Notifier, *, at_rest: bool) -> Unreached | None:
    """Who lacks something; they are tried again when there is nothing else to do, so that
    nobody who can be reached waits for them."""
    if posting.root is None or not isinstance(notifier, ReachesMany):
        return None
    if at_rest:
        await notifier.catch_up(posting.root)
    return notifier.unreached(posting.root)


def _revised(posting: Posting, work: Work, wanted: Wanted) -> Posting:
    if wanted.edits is False or posting.root_digest == wanted.root_digest:
        return replace(posting, shown_revision=work.notice.incident.revision)
    return posting


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
        unsure,
        root=shown.root,
        details=shown.details,
        told=max(posting.told, shown.told),
        chart=shown.chart or posting.chart,
    )


@dataclass(frozen=True, slots=True)
class _Rendered:
    root: Message
    details: Message | None
    chart: Message | None


def _render(work: Work, posting: Posting, notifier: Notifier) -> tuple[Wanted, _Rendered]:
    """Raises ContentRefused where this incident cannot be rendered: the plain form may do."""
    try:
        root = notifier.root(work.notice, locale=work.locale, plain=posting.plain)
        details = notifier.details(work.notice, locale=work.locale, plain=posting.plain)
    except Exception as error:
        log.exception("a message could not be rendered", incident=posting.incident_id)
        raise ContentRefused(f"It could not be rendered ({type(error).__name__}).") from error
    chart = _chart(work, posting, notifier)
    wanted = Wanted(
        root.digest,
        details.digest if details else None,
        work.notice.entries,
        edits=notifier.edits,
        chart=chart is not None,
        muted=work.notice.incident.replies_muted_at is not None,
    )
    return wanted, _Rendered(root, details, chart)


def _chart(work: Work, posting: Posting, notifier: Notifier) -> Message | None:
    """The chart, where it is not shown yet; a failure to make one is only logged."""
    if not isinstance(notifier, ShowsCharts) or posting.chart not in {None, CHART_AGAIN}:
        return None
    try:
        return notifier.chart(work.notice, locale=work.locale)
    except Exception:
        log.exception("a chart could not be made", incident=posting.incident_id)
        return None


async def _show_chart(work: Work, notifier: Notifier, chart: Message | None) -> Posting:
    posting = work.posting
    if chart is None or posting.root is None or not isinstance(notifier, ShowsCharts):
        return posting
    address, mark = posting.destination.address, _mark(posting, CHART)
    try:
        reference = await notifier.post_chart(address, chart, mark, root=posting.root)
    except DeliveryFailed as error:
        log.warning(
            "a chart is not shown", incident=posting.incident_id, code=error.code, why=str(error)
        )
        for_good = not isinstance(error, TryLater | Ambiguous)
        left = after_chart_failure(posting, for_good=for_good)
        return replace(left, in_doubt=isinstance(error, Ambiguous))
    return replace(posting, chart=reference)


async def _carry_out(step: Step, work: Work, notifier: Notifier, rendered: _Rendered) -> Posting:
    posting, address = work.posting, work.posting.destination.address
    root, details = rendered.root, rendered.details
    match step.kind:
        case StepKind.POST_ROOT:
            reference = await notifier.post(address, root, _mark(posting, ROOT))
            shown = replace(posting, root=reference, root_digest=root.digest)
            return replace(shown, details=reference) if root.whole else shown
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
        case StepKind.REST | StepKind.POST_DETAILS | StepKind.EDIT_DETAILS | StepKind.POST_CHART:
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
