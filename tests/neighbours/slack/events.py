"""The Events API (docs.slack.dev/apis/events-api): what happened, told to who subscribed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from . import shapes
from .delivery import Delivery, JsonObject, Reply, nothing_sent
from .sending import attempt

if TYPE_CHECKING:
    from .model import Message
    from .workspace import Workspace

SCOPES = {
    "app_home_opened": None,
    "app_mention": "app_mentions:read",
    "message.channels": "channels:history",
    "message.groups": "groups:history",
    "reaction_added": "reactions:read",
    "reaction_removed": "reactions:read",
}
"""Each event, and the scope without which it is not sent."""
RETRIES_AFTER = (0.0, 60.0, 300.0)
"""Seconds from a failed attempt to the next."""
_REASONS = {"timeout": "http_timeout"}
_MENTIONED = re.compile(r"<@([UW][A-Z0-9]+)(?:\|[^>]*)?>")


def emit(workspace: Workspace, name: str, user: str, event: JsonObject) -> Delivery:
    """Send an event as often as it takes; a `Delivery` that is done after the first attempt."""
    event = {**event, "event_ts": event.get("event_ts") or workspace.next_ts()}
    about = f"{name} by {user}"
    if not workspace.app.hears_events or name not in workspace.app.bot_events:
        return nothing_sent(user, about)
    scope = SCOPES[name]
    if scope is not None and scope not in workspace.bot.scopes:
        workspace.withheld_events.append((name, scope))
        return nothing_sent(user, about)
    delivery = Delivery("events_api", _envelope(workspace, event), user=user, about=about)
    workspace.outbox.run(_deliver(workspace, delivery))
    return delivery


async def _deliver(workspace: Workspace, delivery: Delivery) -> None:
    reason = ""
    try:
        for number, wait in enumerate((0.0, *RETRIES_AFTER)):
            await workspace.outbox.until(workspace.clock() + wait)
            reply = await attempt(workspace, delivery, number=number, reason=reason)
            delivery.finish()
            if reply.failure is None or reply.no_retry:
                return
            reason = _REASONS.get(reply.failure, reply.failure)
        with workspace.changed:
            workspace.lost_events.append(delivery)
            workspace.changed.notify_all()
    finally:
        delivery.finish()


def verify_url(workspace: Workspace) -> Delivery:
    """What Slack does when the address of events is saved; fails unless the app answers with
    the challenge."""
    challenge = f"challenge-{workspace.next_ts()}"
    payload = {
        "token": workspace.app.verification_token,
        "challenge": challenge,
        "type": "url_verification",
    }
    delivery = Delivery("events_api", payload, user=workspace.app.id, about="url_verification")
    workspace.outbox.run(_verify(workspace, delivery, challenge))
    return delivery


async def _verify(workspace: Workspace, delivery: Delivery, challenge: str) -> None:
    try:
        reply = await attempt(workspace, delivery)
        if not _answers(reply, challenge):
            with workspace.changed:
                workspace.warn(delivery, "Your URL didn't respond with the challenge", reply.body)
    finally:
        delivery.finish()


def _answers(reply: Reply, challenge: str) -> bool:
    body = reply.body.get("challenge") if isinstance(reply.body, dict) else reply.body
    return reply.failure is None and str(body).strip() == challenge


def _envelope(workspace: Workspace, event: JsonObject) -> JsonObject:
    team, app = workspace.team["id"], workspace.app
    number = workspace.next_number()
    return {
        "token": app.verification_token,
        "team_id": team,
        "context_team_id": team,
        "context_enterprise_id": None,
        "api_app_id": app.id,
        "event": event,
        "type": "event_callback",
        "event_id": f"Ev{number:010d}",
        "event_time": int(workspace.clock()),
        "authorizations": [
            {
                "enterprise_id": None,
                "team_id": team,
                "user_id": workspace.bot.bot_user,
                "is_bot": True,
                "is_enterprise_install": False,
            }
        ],
        "is_ext_shared_channel": False,
        "event_context": f"4-{number:08x}",
    }


# -- what happens


def posted(workspace: Workspace, message: Message) -> list[Delivery]:
    """A new message, the app's own among them; one that mentions the app comes as two events."""
    shown = shapes.message(workspace, message, metadata=False)
    shown |= {"channel": message.channel, "event_ts": message.ts}
    sent = [_message(workspace, message, shown)]
    if workspace.bot.bot_user in _MENTIONED.findall(message.text) and _in_room(workspace, message):
        mention = {k: v for k, v in shown.items() if k != "channel_type"}
        mention["type"] = "app_mention"
        sent.append(emit(workspace, "app_mention", message.bot_user, mention))
    return sent


def changed(workspace: Workspace, message: Message, before: JsonObject) -> Delivery:
    """`before`: the message's shape until now."""
    shown = shapes.message(workspace, message, metadata=False)
    return _message(
        workspace, message, _hidden("message_changed", message, before) | {"message": shown}
    )


def deleted(workspace: Workspace, message: Message, before: JsonObject) -> Delivery:
    """A root with replies is not deleted but changed into a tombstone."""
    if message.replies:
        return changed(workspace, message, before)
    gone = _hidden("message_deleted", message, before) | {"deleted_ts": message.ts}
    return _message(workspace, message, gone)


def _hidden(subtype: str, message: Message, before: JsonObject) -> JsonObject:
    return {
        "type": "message",
        "subtype": subtype,
        "hidden": True,
        "channel": message.channel,
        "previous_message": before,
    }


def _message(workspace: Workspace, message: Message, event: JsonObject) -> Delivery:
    private = workspace.channels[message.channel].private
    if not _in_room(workspace, message):
        return nothing_sent(message.bot_user, "a message where the app is not")
    event = {**event, "channel_type": "group" if private else "channel"}
    if "subtype" in event and event["subtype"].startswith("message_"):
        event["ts"] = event["event_ts"] = workspace.next_ts()
    name = "message.groups" if private else "message.channels"
    return emit(workspace, name, message.bot_user, event)


def reacted(
    workspace: Workspace, message: Message, user: str, emoji: str, *, added: bool
) -> Delivery:
    name = "reaction_added" if added else "reaction_removed"
    if not _in_room(workspace, message):
        return nothing_sent(user, f"{name} where the app is not")
    event = {
        "type": name,
        "user": user,
        "reaction": emoji,
        "item": {"type": "message", "channel": message.channel, "ts": message.ts},
        "item_user": message.bot_user,
    }
    return emit(workspace, name, user, event)


def home_opened(workspace: Workspace, user: str) -> Delivery:
    view = workspace.views.home(user)
    event: JsonObject = {
        "type": "app_home_opened",
        "user": user,
        "channel": f"D{user[1:]}",
        "tab": "home",
    }
    if view is not None:
        event["view"] = shapes.view(workspace, view)
    return emit(workspace, "app_home_opened", user, event)


def _in_room(workspace: Workspace, message: Message) -> bool:
    return workspace.channels[message.channel].bot_is_member
