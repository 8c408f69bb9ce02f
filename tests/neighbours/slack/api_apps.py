"""apps.connections.open: the way into Socket Mode."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .model import JsonObject, Token

if TYPE_CHECKING:
    from .arguments import Arguments
    from .workspace import Workspace


def connections_open(workspace: Workspace, caller: Token, arguments: Arguments) -> JsonObject:
    return {"url": workspace.sockets.link()}
