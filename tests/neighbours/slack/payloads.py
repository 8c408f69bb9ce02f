"""Interaction payloads (docs.slack.dev/reference/interaction-payloads)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import elements, mrkdwn, shapes

if TYPE_CHECKING:
    from .elements import Control
    from .installed import Shortcut
    from .model import Message, User
    from .views import View
    from .workspace import Workspace

JsonObject = dict[str, Any]


def around(workspace: Workspace, user: User, kind: str) -> JsonObject:
    """What every payload has."""
    return {
        "type": kind,
        "user": _user(workspace, user),
        "api_app_id": workspace.app.id,
        "token": workspace.app.verification_token,
        "team": _team(workspace),
        "enterprise": None,
        "is_enterprise_install": False,
    }


def message_actions(
    workspace: Workspace, user: User, message: Message, control: Control, held: JsonObject
) -> JsonObject:
    """`block_actions` from a message. An ephemeral one is not repeated in the payload."""
    payload = around(workspace, user, "block_actions") | {
        "container": _container(message, control),
        "trigger_id": workspace.triggers.issue(user.id, now=workspace.clock()),
        "channel": channel(workspace, message.channel),
        "state": {"values": held},
        "response_url": workspace.hooks.issue(user.id, message.channel, "actions", source=message),
        "actions": [action(workspace, control, held)],
    }
    if message.visible_to is None:
        payload["message"] = shapes.message(workspace, message, metadata=False)
    return payload


def view_actions(workspace: Workspace, user: User, view: View, control: Control) -> JsonObject:
    """`block_actions` from a modal or the App Home."""
    held = view.values()
    trigger = workspace.triggers.issue(user.id, now=workspace.clock(), view=view.id)
    return around(workspace, user, "block_actions") | {
        "container": {"type": "view", "view_id": view.id},
        "trigger_id": trigger,
        "view": shapes.view(workspace, view),
        "actions": [action(workspace, control, held)],
    }


def action(workspace: Workspace, control: Control, held: JsonObject) -> JsonObject:
    element = control.element
    shape: JsonObject = {
        "type": control.kind,
        "action_id": control.action_id,
        "block_id": control.block_id,
        "action_ts": workspace.next_ts(),
    }
    if control.kind == "button":
        shape |= {k: element[k] for k in ("text", "value", "style") if k in element}
    elif control.kind != "overflow":
        shape |= held[control.block_id][control.action_id]
    return shape | {k: element[k] for k in ("placeholder", "confirm") if k in element}


def view_submission(workspace: Workspace, user: User, view: View) -> JsonObject:
    trigger = workspace.triggers.issue(user.id, now=workspace.clock(), view=view.id)
    return around(workspace, user, "view_submission") | {
        "trigger_id": trigger,
        "view": shapes.view(workspace, view),
        "response_urls": [],
    }


def view_closed(workspace: Workspace, user: User, view: View, *, cleared: bool) -> JsonObject:
    shown = shapes.view(workspace, view)
    return around(workspace, user, "view_closed") | {"view": shown, "is_cleared": cleared}


def shortcut(
    workspace: Workspace, user: User, chosen: Shortcut, message: Message | None
) -> JsonObject:
    kind = "message_action" if message else "shortcut"
    payload = around(workspace, user, kind) | {
        "callback_id": chosen.callback_id,
        "trigger_id": workspace.triggers.issue(user.id, now=workspace.clock()),
        "action_ts": workspace.next_ts(),
    }
    if message is None:
        return payload
    return payload | {
        "response_url": workspace.hooks.issue(user.id, message.channel, "app", source=message),
        "channel": channel(workspace, message.channel),
        "message_ts": message.ts,
        "message": shapes.message(workspace, message, metadata=False),
    }


def command(workspace: Workspace, user: User, room: str, name: str, text: str) -> JsonObject:
    """A slash command's form; `text` is what stands behind the name."""
    given = channel(workspace, room)
    if workspace.app.commands[name].escapes:
        text = _named(workspace, text)
    return {
        "token": workspace.app.verification_token,
        "team_id": workspace.team["id"],
        "team_domain": workspace.team["domain"],
        "channel_id": given["id"],
        "channel_name": given["name"],
        "user_id": user.id,
        "user_name": user.name,
        "command": name,
        "text": mrkdwn.escape_stray(text),
        "api_app_id": workspace.app.id,
        "is_enterprise_install": "false",
        "response_url": workspace.hooks.issue(user.id, room, "commands"),
        "trigger_id": workspace.triggers.issue(user.id, now=workspace.clock()),
    }


def _named(workspace: Workspace, text: str) -> str:
    words = {f"@{u.name}": f"<@{u.id}|{u.name}>" for u in workspace.users.values()}
    words |= {f"#{c.name}": f"<#{c.id}|{c.name}>" for c in workspace.channels.values()}
    return " ".join(words.get(word, word) for word in text.split(" "))


def channel(workspace: Workspace, room: str) -> JsonObject:
    found = workspace.channels[room]
    return {"id": found.id, "name": "privategroup" if found.private else found.name}


def _user(workspace: Workspace, user: User) -> JsonObject:
    return {
        "id": user.id,
        "username": user.name,
        "name": user.name,
        "team_id": workspace.team["id"],
    }


def _team(workspace: Workspace) -> JsonObject:
    return {"id": workspace.team["id"], "domain": workspace.team["domain"]}


def _container(message: Message, control: Control) -> JsonObject:
    shape: JsonObject = {
        "type": "message",
        "message_ts": message.ts,
        "channel_id": message.channel,
        "is_ephemeral": message.visible_to is not None,
    }
    if control.attachment is not None:
        shape |= {
            "type": "message_attachment",
            "attachment_id": control.attachment,
            "is_app_unfurl": False,
        }
    if message.thread_ts or message.replies:
        shape["thread_ts"] = message.thread_ts or message.ts
    return shape


def stateful(message: Message, chosen: JsonObject) -> JsonObject:
    """`state.values` of a message: what each element holds for the person who uses it."""
    held: JsonObject = {}
    for control in elements.controls(message.blocks, message.attachments):
        if control.kind in elements.STATELESS:
            continue
        now = chosen.get(control.action_id) or elements.initial(control.element)
        held.setdefault(control.block_id, {})[control.action_id] = now
    return held
