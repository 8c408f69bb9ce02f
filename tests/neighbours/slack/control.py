"""The control side over HTTP, for an emulator that runs as a process of its own."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from . import control_people, shapes
from .delivery import Delivery
from .faults import Fault
from .model import JsonObject, Message, SlackError

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

    from .workspace import Workspace

    Action = Callable[[Workspace, JsonObject], object]

_FAULT_FIELDS = {f.name for f in fields(Fault)} - {"when", "struck"}


def routes(workspace: Workspace) -> list[Route]:
    async def act(request: Request) -> Response:
        name = request.path_params["action"]
        action = (_GETS if request.method == "GET" else _POSTS).get(name)
        if action is None:
            return JSONResponse({"error": f"no control action {name!r}"}, 404)
        arguments: JsonObject = dict(request.query_params)
        if await request.body():
            arguments |= await request.json()
        try:
            result = action(workspace, arguments)
            if isinstance(result, Delivery):
                result = control_people.told(await result.settled())
            return JSONResponse(result)
        except (AssertionError, KeyError, SlackError, TypeError, ValueError) as error:
            return JSONResponse({"error": f"{type(error).__name__}: {error}"}, 400)

    return [Route("/_control/{action}", act, methods=["GET", "POST"])]


def described(workspace: Workspace, message: Message) -> JsonObject:
    """A message with what a reader gets from it, for tests on the other side of HTTP."""
    return shapes.message(workspace, message, metadata=True) | {
        "channel": message.channel,
        "visible_text": message.visible_text,
        "mentions": message.mentions,
        "notified": message.notified,
        "links": message.links,
        "buttons": message.buttons,
        "colors": message.colors,
        "edits": message.edits,
    }


def _messages(workspace: Workspace, arguments: JsonObject) -> object:
    channel = arguments.get("channel")
    found = workspace.messages(channel) if channel else workspace.all_messages()
    return [described(workspace, message) for message in found]


def _counts(workspace: Workspace, _: JsonObject) -> object:
    with workspace.changed:
        messages = workspace.all_messages()
        return {
            "messages": len(messages),
            "roots": sum(m.is_root for m in messages),
            "calls": len(workspace.journal),
        }


def _journal(workspace: Workspace, arguments: JsonObject) -> object:
    since = int(arguments.get("since", 0))
    with workspace.changed:
        return [asdict(entry) for entry in workspace.journal[since:]]


def _faults(workspace: Workspace, _: JsonObject) -> object:
    shown = _FAULT_FIELDS | {"struck"}
    with workspace.changed:
        return [{name: getattr(f, name) for name in sorted(shown)} for f in workspace.faults.queue]


def _add_fault(workspace: Workspace, arguments: JsonObject) -> object:
    """The fields of `Fault`; `channel` may be a name."""
    if unknown := arguments.keys() - _FAULT_FIELDS:
        raise ValueError(f"unknown: {', '.join(sorted(unknown))}")
    if channel := arguments.get("channel"):
        arguments["channel"] = workspace.channel_id(channel)
    fault = Fault(**arguments)
    with workspace.changed:
        workspace.faults.add(fault)
    return {"kind": fault.kind, "record": fault.record}


def _clear_faults(workspace: Workspace, arguments: JsonObject) -> object:
    with workspace.changed:
        workspace.faults.clear()
        if "seed" in arguments:
            workspace.faults.reseed(int(arguments["seed"]))
    return {}


def _archive(workspace: Workspace, arguments: JsonObject) -> object:
    workspace.archive(arguments["channel"], archived=arguments.get("archived", True))
    return {}


def _member(workspace: Workspace, arguments: JsonObject) -> object:
    """The bot, or with `user` a person."""
    user = arguments.get("user")
    workspace.set_member(arguments["channel"], member=arguments["member"], user=user)
    return {}


def _token(workspace: Workspace, arguments: JsonObject) -> object:
    """`error`: the answer to every call, null to make it good; `scopes`: its new scopes."""
    named = {"token": arguments["token"]} if "token" in arguments else {}
    if "error" in arguments:
        workspace.refuse_token(arguments["error"], **named)
    if "scopes" in arguments:
        workspace.set_scopes(*arguments["scopes"], **named)
    return {}


def _limits(workspace: Workspace, arguments: JsonObject) -> object:
    """`enabled`, `posts_per_second`, `post_burst`, `tiers` (method: calls a minute)."""
    limits = workspace.limits
    with workspace.changed:
        limits.enabled = bool(arguments.get("enabled", limits.enabled))
        limits.posts_per_second = float(arguments.get("posts_per_second", limits.posts_per_second))
        limits.post_burst = int(arguments.get("post_burst", limits.post_burst))
        limits.tiers |= arguments.get("tiers", {})
        limits.reset()
    return {"enabled": limits.enabled, "posts_per_second": limits.posts_per_second,
            "post_burst": limits.post_burst, "tiers": limits.tiers}  # fmt: skip


def _add_channel(workspace: Workspace, arguments: JsonObject) -> object:
    return shapes.channel(workspace, workspace.add_channel(**arguments))


def _add_user(workspace: Workspace, arguments: JsonObject) -> object:
    return shapes.user(workspace, workspace.add_user(**arguments), email=True)


def _say(workspace: Workspace, arguments: JsonObject) -> object:
    """A person writes: `text`, `channel`, `user`, `thread_ts`."""
    channel = workspace.channel_id(arguments.get("channel", "fraude-plantao"))
    root = workspace.find(channel, arguments.get("thread_ts") or "")
    user = workspace.person(arguments.get("user", "ana")).id
    return described(
        workspace, workspace.say(arguments["text"], channel=channel, user=user, thread_of=root)
    )


def _group(workspace: Workspace, arguments: JsonObject) -> object:
    """A user group: `handle`, `users`."""
    group = workspace.add_group(arguments["handle"], *arguments.get("users", ()))
    return shapes.group(workspace, group, users=True)


def _remove(workspace: Workspace, arguments: JsonObject) -> object:
    """A person deletes the message `ts` of `channel`."""
    message = workspace.find(workspace.channel_id(arguments["channel"]), arguments["ts"])
    if message is None:
        raise KeyError(arguments["ts"])
    return workspace.remove(message)


_GETS: dict[str, Action] = {
    "messages": _messages,
    "counts": _counts,
    "journal": _journal,
    "faults": _faults,
    **control_people.GETS,
}
_POSTS: dict[str, Action] = {
    "faults": _add_fault,
    "clear_faults": _clear_faults,
    "archive": _archive,
    "member": _member,
    "token": _token,
    "limits": _limits,
    "channel": _add_channel,
    "user": _add_user,
    "group": _group,
    "say": _say,
    "remove": _remove,
    **control_people.POSTS,
}
