"""What people do, over HTTP: for the demo's browser, and tests of an emulator of its own."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from . import shapes
from .hitches import Hitch
from .manifest import Manifest
from .modals import Modal
from .model import JsonObject, Message

if TYPE_CHECKING:
    from collections.abc import Callable

    from .delivery import Delivery
    from .people import Person
    from .views import View
    from .workspace import Workspace

    Action = Callable[[Workspace, JsonObject], object]


def told(delivery: Delivery) -> JsonObject:
    """What became of it; `warning` is what the person sees."""
    reply = delivery.replies[-1] if delivery.replies else None
    return {
        "about": delivery.about,
        "sent": reply is not None,
        "status": reply.status if reply else None,
        "seconds": delivery.seconds,
        "warning": delivery.warned.text if delivery.warned else None,
    }


def _person(workspace: Workspace, arguments: JsonObject) -> Person:
    return workspace.person(arguments.get("user", "ana"))


def _message(workspace: Workspace, arguments: JsonObject) -> Message:
    channel = workspace.channel_id(arguments.get("channel", workspace.default_channel))
    ts = arguments["ts"]
    whispers = [m for m in workspace.whispers if (m.channel, m.ts) == (channel, ts)]
    found = workspace.find(channel, ts) or (whispers[0] if whispers else None)
    if found is None:
        raise KeyError(f"no message {ts} in {channel}")
    return found


def _view(workspace: Workspace, person: Person, arguments: JsonObject) -> View:
    home = workspace.views.home(person.id)
    if home is not None and arguments["view"] in {home.id, "home"}:
        return home
    return workspace.views.find(view_id=arguments["view"])


def _use(workspace: Workspace, arguments: JsonObject) -> object:
    """`name` of an element of the message `channel`, `ts`, or of `view` (an id, or `home`);
    `value` of a button, `choice` of a menu."""
    person = _person(workspace, arguments)
    in_view = "view" in arguments
    place = _view(workspace, person, arguments) if in_view else _message(workspace, arguments)
    if "choice" in arguments:
        return person.choose(place, arguments["name"], arguments["choice"])
    return person.click(place, arguments["name"], value=arguments.get("value"))


def _command(workspace: Workspace, arguments: JsonObject) -> object:
    channel = arguments.get("channel")
    return _person(workspace, arguments).command(arguments["line"], channel=channel)


def _shortcut(workspace: Workspace, arguments: JsonObject) -> object:
    message = _message(workspace, arguments) if "ts" in arguments else None
    return _person(workspace, arguments).shortcut(arguments["name"], message)


def _react(workspace: Workspace, arguments: JsonObject) -> object:
    person = _person(workspace, arguments)
    return person.react(_message(workspace, arguments), arguments["emoji"])


def _unreact(workspace: Workspace, arguments: JsonObject) -> object:
    person = _person(workspace, arguments)
    return person.unreact(_message(workspace, arguments), arguments["emoji"])


def _edit(workspace: Workspace, arguments: JsonObject) -> object:
    person = _person(workspace, arguments)
    return person.edit(_message(workspace, arguments), arguments["text"])


def _submit(workspace: Workspace, arguments: JsonObject) -> object:
    """The modal on top, after `values` (field: choice) are filled in."""
    modal = _modal(workspace, arguments)
    for field, choice in arguments.get("values", {}).items():
        modal.fill(field, choice)
    return modal.submit()


def _close_modal(workspace: Workspace, arguments: JsonObject) -> object:
    return _modal(workspace, arguments).close()


def _modal(workspace: Workspace, arguments: JsonObject) -> Modal:
    person = _person(workspace, arguments)
    top = workspace.views.top(person.id)
    if top is None:
        raise KeyError(f"{person.user.name} has no modal open")
    return Modal(person, top)


def _open_home(workspace: Workspace, arguments: JsonObject) -> object:
    return _person(workspace, arguments).open_home()


def _app(workspace: Workspace, arguments: JsonObject) -> object:
    """Where the app is: `base`; how: `socket_mode`, `bot_events`, or all from a `manifest`."""
    app = workspace.app
    with workspace.changed:
        if "manifest" in arguments:
            manifest = Manifest.read(Path(arguments["manifest"]))
            manifest.install(workspace, arguments.get("base"))
        elif "base" in arguments:
            app.is_at(arguments["base"])
        app.socket_mode = bool(arguments.get("socket_mode", app.socket_mode))
        app.bot_events = frozenset(arguments.get("bot_events", app.bot_events))
    return {"commands": sorted(app.commands), "socket_mode": app.socket_mode,
            "bot_events": sorted(app.bot_events)}  # fmt: skip


def _hitch(workspace: Workspace, arguments: JsonObject) -> object:
    """The fields of `Hitch`."""
    with workspace.changed:
        return asdict(workspace.hitches.add(Hitch(**arguments)))


def _warnings(workspace: Workspace, _: JsonObject) -> object:
    with workspace.changed:
        return [asdict(each) for each in workspace.warnings]


def _lost_events(workspace: Workspace, _: JsonObject) -> object:
    with workspace.changed:
        return [each.payload for each in workspace.lost_events]


def _ephemeral(workspace: Workspace, arguments: JsonObject) -> object:
    with workspace.changed:
        return [
            shapes.message(workspace, m, metadata=True)
            | {"visible_to": m.visible_to, "visible_text": m.visible_text}
            for m in workspace.whispers
            if arguments.get("user") in {None, m.visible_to}
        ]


def _modals(workspace: Workspace, _: JsonObject) -> object:
    with workspace.changed:
        return [
            shapes.view(workspace, v) | {"user": v.user, "errors": v.errors,
                                         "visible_text": v.visible_text}
            for v in workspace.views.all()
            if v.is_open
        ]  # fmt: skip


def _sockets(workspace: Workspace, _: JsonObject) -> object:
    return {"count": workspace.sockets.count, "opened": workspace.sockets.opened}


def _steer_sockets(workspace: Workspace, arguments: JsonObject) -> object:
    """`cut_every` seconds (null: no more), `lifetime` in seconds."""
    if "cut_every" in arguments:
        workspace.sockets.cut_every(arguments["cut_every"])
    if "lifetime" in arguments:
        workspace.sockets.lifetime = float(arguments["lifetime"])
    return _sockets(workspace, {})


GETS: dict[str, Action] = {
    "warnings": _warnings,
    "lost_events": _lost_events,
    "ephemeral": _ephemeral,
    "modals": _modals,
    "sockets": _sockets,
}
POSTS: dict[str, Action] = {
    "app": _app,
    "use": _use,
    "command": _command,
    "shortcut": _shortcut,
    "react": _react,
    "unreact": _unreact,
    "edit": _edit,
    "submit": _submit,
    "close_modal": _close_modal,
    "open_home": _open_home,
    "hitch": _hitch,
    "sockets": _steer_sockets,
}
