"""api.test, auth.test and users.*"""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import shapes
from .api_conversations import page_cursor, page_start
from .model import JsonObject, SlackError, Token

if TYPE_CHECKING:
    from .arguments import Arguments
    from .workspace import Workspace


def api_test(workspace: Workspace, caller: Token, arguments: Arguments) -> JsonObject:
    if error := arguments.text("error"):
        raise SlackError(error, args=dict(arguments.raw))
    return {"args": dict(arguments.raw)}


def auth_test(workspace: Workspace, caller: Token, arguments: Arguments) -> JsonObject:
    return {
        "url": workspace.team["url"] + "/",
        "team": workspace.team["name"],
        "team_id": workspace.team["id"],
        "user": workspace.users[caller.bot_user].name,
        "user_id": caller.bot_user,
        "bot_id": caller.bot_id,
        "is_enterprise_install": False,
    }


def users_list(workspace: Workspace, caller: Token, arguments: Arguments) -> JsonObject:
    """Everybody there ever was, deactivated people and bots among them."""
    email = "users:read.email" in caller.scopes
    people = list(workspace.users.values())
    limit = arguments.count("limit", default=1000, most=1000)
    start = page_start(arguments, "user:")
    rest = start + limit < len(people)
    cursor = page_cursor(f"user:{start + limit}") if rest else ""
    shown = [shapes.user(workspace, person, email=email) for person in people[start:][:limit]]
    return {"members": shown, "cache_ts": int(workspace.clock()),
            "response_metadata": {"next_cursor": cursor}}  # fmt: skip


def users_info(workspace: Workspace, caller: Token, arguments: Arguments) -> JsonObject:
    person = workspace.users.get(arguments.required("user"))
    if person is None:
        raise SlackError("user_not_found")
    email = "users:read.email" in caller.scopes
    locale = {"locale": person.locale} if arguments.flag("include_locale") else {}
    return {"user": shapes.user(workspace, person, email=email) | locale}


def lookup_by_email(workspace: Workspace, caller: Token, arguments: Arguments) -> JsonObject:
    wanted = arguments.required("email").lower()
    for person in workspace.users.values():
        if person.email and person.email.lower() == wanted and not person.deleted:
            return {"user": shapes.user(workspace, person, email=True)}
    raise SlackError("users_not_found")
