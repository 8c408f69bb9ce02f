"""The Web API's methods: who may call them, and which function answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import (
    api_apps,
    api_chat,
    api_conversations,
    api_files,
    api_groups,
    api_people,
    api_views,
    reactions,
)
from .model import JsonObject, SlackError, Token

if TYPE_CHECKING:
    from .arguments import Arguments
    from .workspace import Workspace

Run = Callable[["Workspace", Token, "Arguments"], JsonObject]
_NOBODY = Token("", frozenset())


@dataclass(frozen=True)
class Method:
    run: Run
    scopes: tuple[str, ...] = ()
    """Any one of them will do."""
    public: bool = False
    app_level: bool = False
    """For `xapp-` tokens, which no other method takes."""


_HISTORY = ("channels:history", "groups:history")
_READ = ("channels:read", "groups:read")
METHODS: dict[str, Method] = {
    "api.test": Method(api_people.api_test, public=True),
    "apps.connections.open": Method(
        api_apps.connections_open, ("connections:write",), app_level=True
    ),
    "auth.test": Method(api_people.auth_test),
    "chat.postMessage": Method(api_chat.post_message, ("chat:write",)),
    "chat.update": Method(api_chat.update, ("chat:write",)),
    "chat.delete": Method(api_chat.delete, ("chat:write",)),
    "chat.postEphemeral": Method(api_chat.post_ephemeral, ("chat:write",)),
    "chat.getPermalink": Method(api_chat.get_permalink),
    "views.open": Method(api_views.open_view),
    "views.push": Method(api_views.push),
    "views.update": Method(api_views.update),
    "views.publish": Method(api_views.publish),
    "conversations.history": Method(api_conversations.history, _HISTORY),
    "conversations.replies": Method(api_conversations.replies, _HISTORY),
    "conversations.info": Method(api_conversations.info, _READ),
    "conversations.list": Method(api_conversations.list_all, _READ),
    "conversations.join": Method(api_conversations.join, ("channels:join",)),
    "users.info": Method(api_people.users_info, ("users:read",)),
    "users.list": Method(api_people.users_list, ("users:read",)),
    "usergroups.list": Method(api_groups.list_all, ("usergroups:read",)),
    "usergroups.users.list": Method(api_groups.users_list, ("usergroups:read",)),
    "reactions.add": Method(reactions.api_add, ("reactions:write",)),
    "reactions.remove": Method(reactions.api_remove, ("reactions:write",)),
    "reactions.get": Method(reactions.api_get, ("reactions:read",)),
    "users.lookupByEmail": Method(api_people.lookup_by_email, ("users:read.email",)),
    "files.getUploadURLExternal": Method(api_files.get_upload_url, ("files:write",)),
    "files.completeUploadExternal": Method(api_files.complete_upload, ("files:write",)),
}


def authorized(
    workspace: Workspace, method: Method, token: str | None, arguments: Arguments
) -> Token:
    """The caller; raises what Slack says to a token that is missing, wrong or too weak."""
    if method.public:
        return _NOBODY
    if not token:
        raise SlackError("not_authed")
    known = workspace.tokens.get(token)
    if known is None:
        raise SlackError("invalid_auth")
    if known.error:
        raise SlackError(known.error)
    if token.startswith("xapp-") != method.app_level:
        raise SlackError("not_allowed_token_type")
    if method.scopes and not known.scopes & set(method.scopes):
        provided = ",".join(sorted(known.scopes))
        raise SlackError("missing_scope", needed=method.scopes[0], provided=provided)
    return known
