"""Silencing from Slack: the modal, `/plantao silence`, and ending a silence."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta

from app.core.incidents import Incident
from app.core.silences import LIVE, Silence
from app.core.transitions import AlertState
from app.engine.outlook import Outlook
from app.engine.silences import Silencing, Wish
from app.errors import (
    DeliveryFailed,
    NeighbourFailed,
    NeighbourUnreachable,
    PlantaoError,
    Repeated,
)
from app.notifiers.mrkdwn import Block
from app.notifiers.slack_api import SlackApi
from app.notifiers.wording import N_, Words
from app.slack import modals, silence_modal
from app.slack.answering import Talk, talk_of
from app.slack.doing import Doer
from app.slack.requests import Pressed, Submitted, View
from app.slack.silence_modal import Draft, Situation
from app.slack.speech import brief
from app.store import incidents, seen, silences
from app.store.database import Database, Transaction

_NOTHING_DONE = N_("Alertmanager does not answer: nothing was silenced.")
_PERHAPS_DONE = N_(
    "Alertmanager does not answer, and may have made the silence all the same: the incident "
    "will say so within a minute or two."
)
_REFUSED = N_("Alertmanager refuses this silence.")
_NOT_ENDED = N_("Alertmanager does not answer: the silence still holds.")
_PAUSES = (0.25, 0.5, 1.0, 2.0)  # seconds
_NOT_THERE = {"not_found"}


class Silences:
    """Alertmanager may be slow: whoever asks sees at once that it is being asked."""

    def __init__(
        self,
        doer: Doer,
        db: Database,
        api: SlackApi,
        silencing: Silencing,
        outlook: Callable[[], Outlook],
    ) -> None:
        self._doer = doer
        self._db = db
        self._api = api
        self._silencing = silencing
        self._outlook = outlook

    async def ask(self, request: Pressed) -> None:
        """Open the modal, or put it in the place of the one in which it was asked for."""
        talk, number = talk_of(request), modals.number(request.value)
        words = await self._doer.answers.words(talk)
        about = talk.about(number, words)
        loading = silence_modal.loading(words, about)
        if request.view is not None and request.view.kind == "modal":
            view = request.view.id
            await self._update(talk, {"view_id": view}, loading)
        else:
            view = await self._open(talk, loading)
        if view:
            await self._fill(talk, view, about, words)

    async def chose(self, request: Pressed, view: View) -> None:
        """Other alerts were chosen: other matchers are proposed."""
        talk, about = talk_of(request), modals.subject(view.metadata)
        words = await self._doer.answers.words(talk)
        await self._fill(talk, view.id, about, words, alerts=silence_modal.chosen(view))

    async def submitted(self, request: Submitted) -> None:
        """Make the silence. Meanwhile a view above the form says that Alertmanager is asked,
        then how it ended; below it, what was filled in is still there to be sent again."""
        talk, view = talk_of(request), request.view
        about = modals.subject(view.metadata)
        above = {"external_id": silence_modal.name_of(request.once)}
        await self._make_in(talk, about, silence_modal.draft(view), above)

    async def again(self, request: Pressed, view: View) -> None:
        """Make it as soon as Alertmanager answers: what was wanted is in the view."""
        talk, about = talk_of(request), modals.subject(view.metadata)
        words = await self._doer.answers.words(talk)
        here, wanted = {"view_id": view.id}, silence_modal.kept(about)
        if wanted is None:
            return
        await self._update(talk, here, silence_modal.asking(words, about))
        await self._make_in(talk, about, wanted, here, retry=True)

    async def _make_in(
        self,
        talk: Talk,
        about: modals.Subject,
        wanted: Draft,
        where: Mapping[str, str],
        *,
        retry: bool = False,
    ) -> None:
        """Make it, and say in that view how it ended."""
        words = await self._doer.answers.words(talk)
        try:
            told = await self._make(talk, about.incident, words, wanted, retry=retry)
        except Repeated:
            return
        except PlantaoError as error:
            why = self._why(words, about.incident, error)
            keep = wanted if isinstance(error, NeighbourUnreachable) else None
            shown = silence_modal.failed(words, about, why, wanted=keep)
            await self._update(talk, where, shown, unless_closed=why)
        else:
            await self._update(talk, where, silence_modal.done(words, about, told))

    async def at_once(self, talk: Talk, number: int, lasting: timedelta, why: str) -> None:
        """All that fires, without a modal; raises what stands in the way."""
        words = await self._doer.answers.words(talk)
        wanted = Draft(lasting=lasting, why=why)
        try:
            told = await self._make(talk, number, words, wanted)
        except NeighbourFailed as error:
            told = self._why(words, number, error)
        await self._doer.answers.tell(talk, lambda _: told)

    async def end(self, request: Pressed) -> None:
        """End one before its time; the thread says that it was."""
        talk = talk_of(request)
        first, _, second = request.value.partition(" ")
        number, silence = modals.number(first), modals.number(second)
        try:
            member = await self._doer.rights.check(talk.caller)
            await self._silencing.end(number, silence, member.name)
        except NeighbourFailed:
            await self._doer.answers.tell(talk, lambda words: words.say(_NOT_ENDED))
        except PlantaoError as error:
            await self._doer.explain(talk, number, error)
        if request.view is not None and request.view.kind == "modal":
            words = await self._doer.answers.words(talk)
            await self._fill(talk, request.view.id, talk.about(number, words), words)

    async def _make(
        self, talk: Talk, number: int, words: Words, wanted: Draft, *, retry: bool = False
    ) -> str:
        """What to tell them; raises what stands in the way."""
        member = await self._doer.rights.check(talk.caller)
        now = self._doer.clock.now()
        if not await self._db.write(seen.first, talk.once, now=now):
            raise Repeated("This was asked for before.")
        wish = Wish(
            by=member.name,
            ends_at=now + wanted.lasting,
            comment=wanted.why,
            alerts=wanted.alerts,
            matchers=wanted.matchers,
            retry=retry,
        )
        silence = (await self._silencing.make(number, wish)).silence
        until = brief(words, silence.ends_at, now=now)
        if silence.waits:
            message = N_("#{number} is silenced until {time} as soon as Alertmanager answers.")
        else:
            message = N_("#{number} is silenced until {time}.")
        return words.say(message, number=number, time=until)

    def _why(self, words: Words, number: int, error: PlantaoError) -> str:
        match error:
            case NeighbourUnreachable(perhaps_done=perhaps):
                return words.say(_PERHAPS_DONE if perhaps else _NOTHING_DONE)
            case NeighbourFailed():
                return words.say(_REFUSED)
            case _:
                return self._doer.reason(words, number, error)

    async def _fill(
        self,
        talk: Talk,
        view: str,
        about: modals.Subject,
        words: Words,
        *,
        alerts: tuple[str, ...] = (),
    ) -> None:
        """Put the form into a view, as the incident is now."""
        try:
            found = await self._situation(about.incident, alerts)
        except PlantaoError as error:
            told = self._why(words, about.incident, error)
            shown = silence_modal.done(words, about, told)
        else:
            shown = silence_modal.form(words, about, found)
        await self._update(talk, {"view_id": view}, shown)

    async def _situation(self, number: int, alerts: tuple[str, ...]) -> Situation:
        proposal = await self._silencing.propose(number, alerts)
        known, firing, live = await self._db.read(_known, number)
        shown = self._outlook().masked(Situation(known, firing, proposal, live))
        return replace(shown, editable=shown.proposal.matchers == proposal.matchers)

    async def _open(self, talk: Talk, view: Block) -> str:
        """The view's id; empty where there was no time to open it."""
        try:
            answer = await self._api.call("views.open", {"trigger_id": talk.trigger, "view": view})
        except DeliveryFailed:
            await self._doer.answers.tell(talk, lambda words: words.say(modals.TOO_LATE))
            return ""
        return str((answer.get("view") or {}).get("id") or "")

    async def _update(
        self, talk: Talk, where: Mapping[str, str], shown: Block, *, unless_closed: str = ""
    ) -> None:
        """Show this in a view; where they have closed it, `unless_closed` is told otherwise.

        A view that is our answer to a request may not be there yet: Slack takes its time.
        """
        for pause in _PAUSES:
            try:
                await self._api.call("views.update", {**where, "view": shown})
            except DeliveryFailed as error:
                if error.code not in _NOT_THERE:
                    break
                await self._doer.clock.sleep(pause)
            else:
                return
        if unless_closed:
            await self._doer.answers.tell(talk, lambda _: unless_closed)


def _known(tx: Transaction, number: int) -> tuple[Incident, list[AlertState], list[Silence]]:
    known = incidents.get(tx, number)
    firing = list(incidents.with_firing_alerts(tx, known).alerts.values())
    live = [each for each in silences.of_incident(tx, number) if each.state in LIVE]
    return known, firing, live
