"""views.open, views.push, views.update and views.publish."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import shapes
from .model import JsonObject, SlackError, Token
from .view_schema import validated_view

if TYPE_CHECKING:
    from .arguments import Arguments
    from .views import View
    from .workspace import Workspace


def open_view(workspace: Workspace, caller: Token, arguments: Arguments) -> JsonObject:
    view = _given(arguments, "modal")
    trigger = _trigger(arguments)
    exchanged = workspace.triggers.exchange(trigger, now=workspace.clock())
    return _shown(workspace, workspace.views.open(exchanged.user, view))


def push(workspace: Workspace, caller: Token, arguments: Arguments) -> JsonObject:
    """Only from within an open modal."""
    view = _given(arguments, "modal")
    trigger = _trigger(arguments)
    exchanged = workspace.triggers.exchange(trigger, now=workspace.clock())
    top = workspace.views.top(exchanged.user)
    if top is None or top.id != exchanged.view:
        raise SlackError("not_found")
    return _shown(workspace, workspace.views.push(exchanged.user, view))


def update(workspace: Workspace, caller: Token, arguments: Arguments) -> JsonObject:
    view_id, external_id = arguments.text("view_id"), arguments.text("external_id")
    if bool(view_id) == bool(external_id):
        raise SlackError.explained("invalid_arguments", "must provide view_id or external_id")
    found = workspace.views.find(view_id=view_id, external_id=external_id)
    view = _given(arguments, found.content["type"])
    workspace.views.update(found, view, known=arguments.text("hash") or None)
    return _shown(workspace, found)


def publish(workspace: Workspace, caller: Token, arguments: Arguments) -> JsonObject:
    if not workspace.app.home_tab:
        raise SlackError("not_enabled")
    user = workspace.users.get(arguments.required("user_id"))
    if user is None or user.deleted:
        raise SlackError.explained("invalid_arguments", "invalid user [json-pointer:/user_id]")
    view = _given(arguments, "home")
    known = arguments.text("hash") or None
    return _shown(workspace, workspace.views.publish(user.id, view, known=known))


def _trigger(arguments: Arguments) -> str:
    return arguments.required("trigger_id")


def _given(arguments: Arguments, kind: str) -> JsonObject:
    if "view" not in arguments:
        raise SlackError.explained("invalid_arguments", "missing required field: view")
    return validated_view(arguments.value("view"), kind)


def _shown(workspace: Workspace, view: View) -> JsonObject:
    workspace.changed.notify_all()
    return {"view": shapes.view(workspace, view)}
