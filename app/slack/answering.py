"""Answering one person, whichever way is open: the press's own address, the thread, a modal."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

import structlog

from app.errors import DeliveryFailed
from app.notifiers.slack_api import SlackApi
from app.notifiers.wording import Words
from app.slack import modals
from app.slack.directory import Directory
from app.slack.requests import (
    Caller,
    Commanded,
    Marked,
    Mentioned,
    Pressed,
    Spot,
    Submitted,
)
from app.slack.speech import Said, Speech

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Talk:
    """Who asked for something, where, and how they can be answered.

    `trigger` opens a modal for 3 s; `answer_to` takes five answers within 30 minutes.
    `openly` says that the answer is for everybody in the thread.
    """

    once: str
    caller: Caller
    channel: str = ""
    thread: str = ""
    trigger: str = ""
    answer_to: str = ""
    openly: bool = False

    def about(self, incident: int, words: Words) -> modals.Subject:
        """What a modal that is opened from here is about."""
        return modals.Subject(incident, self.channel, self.thread, words.language)


def talk_of(request: Pressed | Submitted | Marked | Commanded | Mentioned) -> Talk:
    """The way back from a request."""
    match request:
        case Pressed():
            at = request.spot or modals.place(request.view.metadata if request.view else "")
            return _talk(request, at, request.answer_to)
        case Submitted():
            return _talk(request, modals.place(request.view.metadata), "")
        case Marked():
            at = Spot(request.spot.channel, request.spot.thread, request.spot.thread)
            return _talk(request, at, request.answer_to)
        case Commanded():
            return _talk(request, Spot(request.channel), request.answer_to)
        case Mentioned():
            at = request.spot
            return Talk(request.once, request.caller, at.channel, at.root, openly=True)


def _talk(request: Pressed | Submitted | Marked | Commanded, at: Spot, answer_to: str) -> Talk:
    return Talk(request.once, request.caller, at.channel, at.root, request.trigger, answer_to)


class Answers:
    """Says something to somebody. Not being able to is logged, and raises nothing."""

    def __init__(self, api: SlackApi, speech: Speech, directory: Directory) -> None:
        self._api = api
        self._speech = speech
        self._directory = directory

    async def words(self, talk: Talk) -> Words:
        """The language to answer in: that of the channel, or in App Home of the person."""
        if talk.channel:
            return await self._speech.words(talk.channel)
        return self._speech.of((await self._directory.member(talk.caller)).locale)

    async def tell(self, talk: Talk, said: Said) -> None:
        """Say a sentence of mrkdwn: to them alone, except where they asked in front of all."""
        words = await self.words(talk)
        await self.show(talk, {"text": said(words)}, words)

    async def show(self, talk: Talk, body: Mapping[str, Any], words: Words) -> None:
        """Show a message, by the first way that is open."""
        tried: list[str] = []
        async for code in self._ways(talk, body, words):
            if not code:
                return
            tried.append(code)
        log.warning("somebody in Slack could not be answered", tried=tried)

    async def _ways(self, talk: Talk, body: Mapping[str, Any], words: Words) -> AsyncIterator[str]:
        """One way after another: what went wrong with it, nothing where it went well."""
        quiet = {"parse": "none", "link_names": False, "unfurl_links": False}
        thread = {"thread_ts": talk.thread} if talk.thread else {}
        here = {**body, **quiet, "channel": talk.channel}
        if talk.openly:
            yield await self._try("chat.postMessage", here | thread, repeatable=False)
        if talk.answer_to:
            yield await self._send(talk.answer_to, {**body, **_EPHEMERAL})
        if talk.channel:
            yield await self._try("chat.postEphemeral", {**here, "user": talk.caller.id, **thread})
        if talk.trigger:
            view = modals.message(words, str(body["text"]))
            yield await self._try("views.open", {"trigger_id": talk.trigger, "view": view})
        direct = {**body, **quiet, "channel": talk.caller.id}
        yield await self._try("chat.postMessage", direct, repeatable=False)

    async def _try(self, method: str, body: Mapping[str, Any], *, repeatable: bool = True) -> str:
        try:
            await self._api.call(method, body, repeatable=repeatable)
        except DeliveryFailed as error:
            return error.code or type(error).__name__
        return ""

    async def _send(self, address: str, body: Mapping[str, Any]) -> str:
        try:
            await self._api.send(address, json=dict(body))
        except DeliveryFailed as error:
            return error.code or type(error).__name__
        return ""


_EPHEMERAL = {"response_type": "ephemeral", "replace_original": False}
