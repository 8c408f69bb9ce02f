"""Slack: one incident, one thread. What it looks like is in `slack_blocks.py`."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from slack_sdk.web.async_slack_response import AsyncSlackResponse

from app.core.chart import draw
from app.core.digest import Digest
from app.core.incidents import Entry
from app.core.notices import Notice
from app.errors import (
    Ambiguous,
    ContentRefused,
    DeliveryFailed,
    DestinationDead,
    ReferenceLost,
)
from app.notifiers import digest_wording, slack_blocks
from app.notifiers.charting import chart_of, described
from app.notifiers.notifier import DETAILS, ROOT, Mark, Message, Shown, Sought
from app.notifiers.picture import PictureFailed, render
from app.notifiers.slack_api import SLACK_API, SlackApi
from app.notifiers.slack_scopes import HEARING, SHOWING, Scope, missing
from app.notifiers.text import cut
from app.notifiers.wording import Words, words

EVENT_TYPE = "plantao_incident"

_CLOCK_SKEW = timedelta(minutes=5)
_PAGE = 200
_ALT = 900  # characters; Slack allows 1,000
_ID = re.compile(r"[CDGUW][A-Z0-9]+")

#: What a survey can fail with for good, though posting works.
_CANNOT_LOOK = frozenset(
    {
        "channel_not_found",
        "missing_scope",
        "not_allowed_token_type",
        "not_in_channel",
        "unknown_method",
    }
)


class SlackNotifier:
    """Posts, edits and finds again what it posted. A reference is `CHANNELID:ts`.

    An address is a channel's id, or its name with or without "#". `zone` is an IANA name;
    `buttons` shows those that need Slack's interactions to reach us; `deadline` is in seconds,
    for one call as a whole. Not safe for several event loops.
    """

    edits = True
    interval = 1.0  # about one message a second per channel; short bursts pass
    burst = 3
    edit_interval = 1.25  # chat.update: some 50 a minute in the whole workspace
    edit_burst = 20

    def __init__(
        self,
        token: str,
        *,
        zone: str,
        api_url: str = SLACK_API,
        buttons: bool = False,
        deadline: float = 10.0,
    ) -> None:
        self._api = SlackApi(token, api_url=api_url, deadline=deadline)
        self._zone = zone
        self._buttons = buttons
        self._channels: dict[str, str] = {}

    # What it looks like

    def root(self, notice: Notice, *, locale: str, plain: bool) -> Message:
        speech = self._words(locale)
        if plain:
            return Message(slack_blocks.root_text(speech, notice))
        return Message(slack_blocks.root(speech, notice, buttons=self._buttons))

    def details(self, notice: Notice, *, locale: str, plain: bool) -> Message | None:
        render = slack_blocks.details_text if plain else slack_blocks.details
        payload = render(self._words(locale), notice)
        return Message(payload) if payload else None

    def reply(
        self,
        notice: Notice,
        entries: Sequence[Entry],
        *,
        locale: str,
        plain: bool,  # noqa: ARG002
    ) -> Message:
        return Message(slack_blocks.reply(self._words(locale), notice, entries))

    def chart(self, notice: Notice, *, locale: str) -> Message | None:
        speech = self._words(locale)
        chart = chart_of(speech, notice)
        if chart is None:
            return None
        return Message({"title": chart.title, "alt": described(speech, notice)}, chart=chart)

    def digest(self, digest: Digest, *, receiver: str, locale: str) -> Message:  # noqa: ARG002
        return Message(digest_wording.slack(words(locale, self._zone), digest))

    def _words(self, locale: str) -> Words:
        return words(locale, self._zone)

    # Calls

    async def post(
        self, address: str, message: Message, mark: Mark, *, root: str | None = None
    ) -> str:
        body = {**message.payload, **_always(mark), "unfurl_links": False, "unfurl_media": False}
        if root is None:
            body["channel"] = self._channels.get(address, address)
        else:
            body["channel"], body["thread_ts"] = self._learn(address, root)
        answer = await self._api.call("chat.postMessage", body, repeatable=False)
        channel, ts = answer.get("channel"), answer.get("ts")
        if not isinstance(channel, str) or not isinstance(ts, str):
            raise Ambiguous("Slack did not say where the message is.", code="no_ts")
        self._channels[address] = channel
        if root is not None:
            await self._check_threaded(answer, channel, ts)
        return f"{channel}:{ts}"

    async def _check_threaded(self, answer: AsyncSlackResponse, channel: str, ts: str) -> None:
        """Where the root is gone, Slack may post a reply as a root of its own: take it back."""
        message = answer.get("message")
        if not isinstance(message, dict) or message.get("thread_ts"):
            return
        await self._take_back(channel, ts)
        raise ReferenceLost("The message to reply to is gone.", code="thread_not_found")

    async def edit(self, address: str, reference: str, message: Message, mark: Mark) -> None:
        channel, ts = self._learn(address, reference)
        # What is left out of an update stays as it was.
        cleared: dict[str, Any] = {"blocks": [], "attachments": []}
        body = {**cleared, **message.payload, **_always(mark), "channel": channel, "ts": ts}
        try:
            await self._api.call("chat.update", body)
        except ReferenceLost as error:
            if error.code == "edit_window_closed":
                # It would say for ever what is no longer so, and be found again by its mark.
                await self._take_back(channel, ts)
            raise

    async def post_chart(self, address: str, message: Message, mark: Mark, *, root: str) -> str:
        """Upload it in Slack's three steps; the last makes it a message in the thread.

        Source: https://docs.slack.dev/messaging/working-with-files#uploading_files
        """
        channel, ts = self._learn(address, root)
        picture = await _picture(message)
        about = {"filename": _file_name(mark), "alt_txt": cut(message.payload["alt"], _ALT)}
        asked = {**about, "length": str(len(picture))}
        place = await self._api.ask("files.getUploadURLExternal", data=asked)
        await self._api.send(str(place.get("upload_url")), data=picture)
        file_id = str(place.get("file_id"))
        files = [{"id": file_id, "title": message.payload["title"]}]
        body = {"files": json.dumps(files), "channel_id": channel, "thread_ts": ts}
        await self._api.ask("files.completeUploadExternal", repeatable=False, data=body)
        return file_id

    async def _take_back(self, channel: str, ts: str) -> None:
        with suppress(DeliveryFailed):
            await self._api.call("chat.delete", {"channel": channel, "ts": ts})

    async def survey(self, sought: Sought) -> Shown | None:
        """Look for our marks; None also where the app lacks the scopes to look."""
        if sought.beside:
            self._learn(sought.address, sought.beside)
        try:
            return await self._survey(sought)
        except DeliveryFailed as error:
            if error.code in _CANNOT_LOOK:
                return None
            raise

    async def auth_test(self, *, wanted: Sequence[Scope] = ()) -> str:
        """Who we are to Slack and what we lack, in a line; raises DeliveryFailed.

        `wanted` are scopes beside those that showing incidents needs, and hearing of buttons.
        """
        answer = await self._api.call("auth.test", {})
        who = f"{answer.get('team')} as {answer.get('user')}"
        granted = {scope.strip() for scope in answer.headers.get("x-oauth-scopes", "").split(",")}
        needed = [*SHOWING, *(HEARING if self._buttons else ()), *wanted]
        lacking = missing(granted, needed)
        return f"{who}; missing scopes: {', '.join(map(str, lacking))}" if lacking else who

    async def close(self) -> None:
        await self._api.close()

    # Looking for what was posted

    async def _survey(self, sought: Sought) -> Shown | None:
        root = sought.root
        if root is None:
            channel = await self._channel(sought.address)
            if channel is None:
                return None
            root = await self._find_root(channel, sought.token, sought.since)
        if root is None:
            return Shown(None, None, 0)
        return await self._thread(sought.address, sought.token, root)

    async def _find_root(self, channel: str, token: str, since: datetime) -> str | None:
        oldest = f"{(since - _CLOCK_SKEW).timestamp():.6f}"
        async for each in self._messages("conversations.history", channel=channel, oldest=oldest):
            if _entry(each, token) == ROOT:
                return f"{channel}:{each['ts']}"
        return None

    async def _thread(self, address: str, token: str, root: str) -> Shown:
        channel, ts = self._learn(address, root)
        details, chart, told = None, None, 0
        async for each in self._messages("conversations.replies", channel=channel, ts=ts):
            if each.get("ts") == ts and each.get("subtype") == "tombstone":
                raise ReferenceLost("The message was deleted in Slack.", code="message_not_found")
            entry = _entry(each, token)
            if entry == DETAILS:
                details = details or f"{channel}:{each['ts']}"
            chart = chart or _chart(each, token)
            told = max(told, entry or 0)
        return Shown(root, details, told, chart)

    async def _messages(self, method: str, **where: str) -> AsyncIterator[Mapping[str, Any]]:
        """Every message there, page after page, with the metadata of each."""
        asked = {**where, "include_all_metadata": True, "limit": _PAGE}
        async for page in self._api.pages(method, asked):
            for message in page.get("messages") or []:
                if isinstance(message, dict) and isinstance(message.get("ts"), str):
                    yield message

    async def _channel(self, address: str) -> str | None:
        """The channel's id; None if no channel of that name can be seen."""
        if address not in self._channels and not _ID.fullmatch(address):
            await self._list_channels()
        known = self._channels.get(address) or self._channels.get("#" + address.lstrip("#"))
        return known or (address if _ID.fullmatch(address) else None)

    async def _list_channels(self) -> None:
        """Learn the names; private channels only if the scopes allow it."""
        try:
            await self._learn_names("public_channel,private_channel")
        except DestinationDead as error:
            if error.code != "missing_scope":
                raise
            await self._learn_names("public_channel")

    async def _learn_names(self, types: str) -> None:
        asked = {"types": types, "exclude_archived": True, "limit": _PAGE}
        async for page in self._api.pages("conversations.list", asked):
            for channel in page.get("channels") or []:
                self._channels[f"#{channel['name']}"] = channel["id"]

    def _learn(self, address: str, reference: str) -> tuple[str, str]:
        """Channel and ts of a reference, and so the id of the channel's name."""
        channel, _, ts = reference.partition(":")
        self._channels[address] = channel
        return channel, ts


def _always(mark: Mark) -> dict[str, Any]:
    """What goes with every message; its metadata can be read by the channel's members."""
    payload = {"incident": mark.incident, "posting": mark.token, "entry": mark.entry}
    metadata = {"event_type": EVENT_TYPE, "event_payload": payload}
    return {"metadata": metadata, "parse": "none", "link_names": False}


def _entry(message: Mapping[str, Any], token: str) -> int | None:
    """The entry a message of ours is marked with; None if it bears another mark or none."""
    metadata = message.get("metadata") or {}
    payload = metadata.get("event_payload") or {}
    entry = payload.get("entry")
    ours = metadata.get("event_type") == EVENT_TYPE and payload.get("posting") == token
    return entry if ours and isinstance(entry, int) else None


async def _picture(message: Message) -> bytes:
    if message.chart is None:
        raise ContentRefused("There is no chart to show.", code="no_chart")
    try:
        return await render(draw(message.chart))
    except PictureFailed as error:
        raise ContentRefused(f"The chart could not be drawn: {error}", code="no_picture") from None


def _file_name(mark: Mark) -> str:
    """A file has no metadata: its name is our mark on it."""
    return f"incident-{mark.incident}-{mark.token}.png"


def _chart(message: Mapping[str, Any], token: str) -> str | None:
    """The file in a message that bears our mark, by its id."""
    for file in message.get("files") or []:
        if isinstance(file, dict) and str(file.get("name")).endswith(f"-{token}.png"):
            return str(file.get("id"))
    return None
