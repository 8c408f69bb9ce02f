"""`plantao reload`: let a running service read its configuration again."""

from __future__ import annotations

from app.commands.client import api
from app.commands.options import Token, Url, settings_with
from app.commands.terminal import say
from app.errors import Misused, PlantaoError


def reload(url: Url = None, token: Token = None) -> None:
    """Let a running service read plantao.yml again.

    If the file cannot be used, every problem in it is told and the old configuration stays in
    force.
    """
    service = api(settings_with(), url, token)
    try:
        service.post("/-/reload", holding="status")
    except Misused as error:  # the file makes no sense, not the command
        raise PlantaoError(str(error)) from None
    say("The new configuration is in force.")
