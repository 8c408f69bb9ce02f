"""What happens after a person did something: the app is told, and its answer takes effect."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from . import hooks, payloads
from .delivery import Delivery, JsonObject, Kind, Reply
from .model import SlackError, User
from .sending import attempt
from .view_schema import validated_view

if TYPE_CHECKING:
    from .views import View
    from .workspace import Workspace

Then = Callable[[Reply], None]
"""Takes an answer in; raises `Misunderstood` when Slack can make no sense of it."""
_TROUBLE = "We had some trouble connecting. Try again?"


class Misunderstood(Exception):
    """`shown` is what the person sees, `why` what the test's author should know."""

    def __init__(self, shown: str, why: object) -> None:
        super().__init__(f"{shown}: {why}")
        self.shown = shown
        self.why = why


def tell(
    workspace: Workspace,
    user: User,
    payload: JsonObject,
    about: str,
    *,
    kind: Kind = "interactive",
    then: Then = lambda _: None,
) -> Delivery:
    """Send it to the app. The delivery is done when the answer has taken effect."""
    assert workspace.app.interactive or kind != "interactive", "interactivity is switched off"
    delivery = Delivery(kind, payload, user=user.id, about=f"{user.name} {about}")
    workspace.outbox.run(_told(workspace, delivery, then))
    return delivery


async def _told(workspace: Workspace, delivery: Delivery, then: Then) -> None:
    try:
        reply = await attempt(workspace, delivery)
        with workspace.changed:
            try:
                _take_in(delivery, reply, then)
            except Misunderstood as error:
                workspace.warn(delivery, error.shown, error.why)
            workspace.changed.notify_all()
    finally:
        delivery.finish()


def _take_in(delivery: Delivery, reply: Reply, then: Then) -> None:
    if reply.failure:
        why = f"{reply.failure} {reply.status or ''} {reply.body or ''}"
        raise Misunderstood(_failure(delivery, reply), why)
    then(reply)


def _failure(delivery: Delivery, reply: Reply) -> str:
    late = reply.failure == "timeout"
    if delivery.payload.get("type") in {"view_submission", "view_closed"}:
        return _TROUBLE
    if delivery.kind == "slash_commands":
        code = "operation_timeout" if late else _command_error(reply)
        return f'{delivery.payload["command"]} failed with the error "{code}"'
    return "operation_timeout" if late else "dispatch_failed"


def _command_error(reply: Reply) -> str:
    if reply.failure != "http_error":
        return "dispatch_failed"
    return "http_service_error" if reply.status >= 500 else "http_client_error"


def command_answer(workspace: Workspace, user: User, room: str) -> Then:
    """The body of a command's answer: a text or a message, seen by its author alone unless it
    is `in_channel`."""

    def answer(reply: Reply) -> None:
        if not reply.body:
            return
        given = reply.body if isinstance(reply.body, dict) else {"text": str(reply.body)}
        hook = hooks.Hook(user.id, room, 0.0, None)
        try:
            hooks.respond(workspace, hook, given)
        except SlackError as error:
            shown = 'the command failed with the error "invalid_command_response"'
            raise Misunderstood(shown, f"{error.code} {error.extra}") from None

    return answer


def submission_answer(workspace: Workspace, view: View) -> Then:
    """`response_action`: errors, update, push or clear; an empty answer closes this view."""

    def answer(reply: Reply) -> None:
        given = reply.body if reply.body is not None else {}
        try:
            _respond(workspace, view, given)
        except (SlackError, KeyError, TypeError, ValueError) as error:
            view.warning = _TROUBLE
            why = f"{type(error).__name__}: {error} {getattr(error, 'extra', '')}"
            raise Misunderstood(_TROUBLE, why) from None

    return answer


def _respond(workspace: Workspace, view: View, given: object) -> None:
    if not isinstance(given, dict):
        raise TypeError(f"no response_action: {given!r}")
    view.errors, view.warning = {}, None
    match given.get("response_action"):
        case None if not given:
            workspace.views.close(view)
        case "errors":
            view.errors = _named_errors(view, given["errors"])
        case "update":
            workspace.views.update(view, validated_view(given["view"], "modal"))
        case "push":
            workspace.views.push(view.user, validated_view(given["view"], "modal"))
        case "clear":
            workspace.views.clear(view.user)
        case other:
            raise ValueError(f"no response_action {other!r}")


def _named_errors(view: View, errors: object) -> dict[str, str]:
    """Only input blocks can show an error (slackapi/bolt-js issue 554)."""
    inputs = {b["block_id"] for b in view.content["blocks"] if b["type"] == "input"}
    if not isinstance(errors, dict) or not errors or errors.keys() - inputs:
        raise ValueError(f"errors must name input blocks, of {sorted(inputs)}: {errors!r}")
    if not all(isinstance(text, str) and text for text in errors.values()):
        raise ValueError(f"errors must be texts: {errors!r}")
    return dict(errors)


def closed(workspace: Workspace, user: User, view: View, *, cleared: bool) -> Delivery | None:
    """`view_closed`, for apps that asked for it."""
    if not view.content["notify_on_close"]:
        return None
    payload = payloads.view_closed(workspace, user, view, cleared=cleared)
    return tell(workspace, user, payload, f"closed {view.title!r}")
