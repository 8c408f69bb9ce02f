"""usergroups.*: who belongs to @oncall."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import shapes
from .model import JsonObject, SlackError, Token

if TYPE_CHECKING:
    from .arguments import Arguments
    from .workspace import Workspace


def list_all(workspace: Workspace, caller: Token, arguments: Arguments) -> JsonObject:
    disabled, users = arguments.flag("include_disabled"), arguments.flag("include_users")
    found = [group for group in workspace.groups.values() if disabled or not group.disabled]
    return {"usergroups": [shapes.group(workspace, group, users=users) for group in found]}


def users_list(workspace: Workspace, caller: Token, arguments: Arguments) -> JsonObject:
    """Deactivated people are no longer in it."""
    group = workspace.groups.get(arguments.required("usergroup"))
    if group is None or (group.disabled and not arguments.flag("include_disabled")):
        raise SlackError("no_such_subteam")
    return {"users": [user for user in group.users if not workspace.users[user].deleted]}
