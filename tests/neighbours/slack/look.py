"""Pages that look like Slack, for README pictures and the demo.

`/_look/<channel>` and `/_look/<channel>/<ts of the root>`, `/_home/<person>`. With `?as=<person>`
they show what only that person sees, ephemeral messages and modals, and can be used: a click is
what Slack would send. Everything shown is escaped; nothing is fetched from elsewhere but images
of blocks.
"""

from __future__ import annotations

import html
import mimetypes
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from . import look_views
from .arguments import microseconds
from .emoji import emoji_html
from .look_blocks import Painter, mrkdwn_html

if TYPE_CHECKING:
    from starlette.requests import Request

    from .model import Message
    from .workspace import Workspace

_STYLE = Path(__file__).with_name("look.css")
_SCRIPT = Path(__file__).with_name("look.js")
_ZONE = ZoneInfo("America/Sao_Paulo")
_BOT_AVATAR = """<svg class="avatar" viewBox="0 0 36 36"><rect width="36" height="36" rx="6"
fill="#4a154b"/><path d="M5 20h6l3-8 5 15 4-11 2 4h6" fill="none" stroke="#ecb22e"
stroke-width="2.6" stroke-linecap="round" stroke-linejoin="round"/></svg>"""
_AVATAR_COLORS = ("#2f7d6b", "#a3475c", "#3b6ea8", "#8a6d1f", "#6b4fa0")


def routes(workspace: Workspace) -> list[Route]:
    async def look(request: Request) -> Response:
        try:
            channel = workspace.channel(request.path_params["channel"])
        except StopIteration:
            return HTMLResponse("<p>No such channel.</p>", 404)
        viewer = _viewer(workspace, request.query_params.get("as"))
        with workspace.changed:
            ts = request.path_params.get("ts")
            return HTMLResponse(page(workspace, channel.id, ts, viewer=viewer))

    async def home(request: Request) -> Response:
        viewer = _viewer(workspace, request.path_params["user"])
        if viewer is None:
            return HTMLResponse("<p>Nobody of that name.</p>", 404)
        with workspace.changed:
            return HTMLResponse(home_page(workspace, viewer))

    async def script(_: Request) -> Response:
        return Response(_SCRIPT.read_text(encoding="utf-8"), media_type="text/javascript")

    async def file(request: Request) -> Response:
        found = workspace.files.get(request.path_params["file"])
        if found is None:
            return Response(status_code=404)
        return Response(found.data, media_type=mimetypes.guess_type(found.name)[0])

    return [
        Route("/_look.js", script),
        Route("/_home/{user}", home),
        Route("/_look/{channel}", look),
        Route("/_look/{channel}/{ts}", look),
        Route("/_file/{file}", file),
    ]


def page(
    workspace: Workspace, channel: str, ts: str | None = None, *, viewer: str | None = None
) -> str:
    """The channel, or with `ts` one thread of it, as a whole HTML page."""
    room = workspace.channels[channel]
    root = workspace.find(channel, ts) if ts else None
    told = [m for m in workspace.whispers if m.visible_to == viewer and m.channel == channel]
    if root:
        shown, title, note = [root, *workspace.replies(root)], "Thread", f"# {room.name}"
        shown += [m for m in told if m.thread_ts == root.ts]
    else:
        shown = [m for m in workspace.messages(channel) if m.is_root or m.broadcast]
        shown += [m for m in told if m.is_root]
        title, note = f"# {room.name}", f"{len(workspace.users)} members"
    shown.sort(key=lambda m: microseconds(m.ts))
    body = _messages(workspace, shown, in_thread=root is not None, viewer=viewer)
    thread = f' data-thread="{root.ts}"' if root else ""
    place = f'data-channel="{channel}"{thread}'
    return _whole(workspace, room.name, title, note, body, viewer=viewer, place=place)


def home_page(workspace: Workspace, viewer: str) -> str:
    body = look_views.home_html(workspace, viewer)
    return _whole(workspace, "Home", workspace.app.name, "Home", body, viewer=viewer)


def _whole(
    workspace: Workspace, name: str, title: str, note: str, body: str, *, viewer: str | None,
    place: str = "",
) -> str:  # fmt: skip
    style = _STYLE.read_text(encoding="utf-8")
    user = f' data-as="{viewer}"' if viewer else ""
    script = '<script src="/_look.js" defer></script>' if viewer else ""
    write = ""
    if viewer and place:
        write = (
            f'<form id="write" {place}><input name="text" placeholder="Message" required></form>'
        )
    layer = look_views.modal_html(workspace, viewer)
    return f"""<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">
<title>{html.escape(name)}</title><style>{style}</style>{script}</head><body{user}>
<header class="top"><b>{html.escape(title)}</b><span>{html.escape(note)}</span></header>
<p id="complaint" hidden></p><main id="shown">{body}</main>{write}
<div id="layer">{layer}</div></body></html>"""


def _viewer(workspace: Workspace, name: str | None) -> str | None:
    if name is None:
        return None
    try:
        return workspace.person(name).id
    except KeyError:
        return None


def _messages(
    workspace: Workspace, shown: list[Message], *, in_thread: bool, viewer: str | None
) -> str:
    parts, day, before = [], None, None
    for message in shown:
        at = _time(message)
        if at.date() != day:
            day, before = at.date(), None
            if not in_thread:
                parts.append(f'<div class="day"><span>{at:%A, %B} {at.day}</span></div>')
        parts.append(_message(workspace, message, before, viewer, in_thread=in_thread))
        if in_thread and message.replies:
            count = _count(len(message.replies))
            parts.append(f'<div class="count"><span>{count}</span></div>')
        before = message
    return "".join(parts) or '<p class="empty">Nothing here yet.</p>'


def _message(
    workspace: Workspace,
    message: Message,
    before: Message | None,
    viewer: str | None,
    *,
    in_thread: bool,
) -> str:
    body = _body(workspace, message, viewer) + _reactions(message, viewer)
    if viewer and not message.visible_to:
        body = _message_menu(workspace) + body
    if message.replies and not in_thread:
        body += _thread_bar(workspace, message, viewer)
    data = f'data-channel="{message.channel}" data-ts="{message.ts}"'
    kind = "whisper" if message.visible_to else ""
    at = _time(message)
    clock = f'<time title="{message.ts}">{at:%H:%M}</time>'
    if before is not None and _continues(before, message):
        return (
            f'<article class="more {kind}" {data}><div class="gutter">{clock}</div>'
            f'<div class="body">{body}</div></article>'
        )
    app = '<span class="app">APP</span>' if message.bot_id else ""
    return (
        f'<article class="{kind}" {data}><div class="gutter">{_avatar(workspace, message)}</div>'
        f'<div class="body">'
        f'<div class="who"><b>{html.escape(message.username)}</b>{app}{clock}</div>{body}'
        "</div></article>"
    )


def _continues(before: Message, message: Message) -> bool:
    """Slack joins what one writer says within five minutes."""
    near = microseconds(message.ts) - microseconds(before.ts) < 300_000_000
    same = before.bot_user == message.bot_user and before.visible_to == message.visible_to
    return near and same and not before.replies


def _body(workspace: Workspace, message: Message, viewer: str | None) -> str:
    chosen = workspace.chosen.get((viewer or "", message.channel, message.ts))
    painter = Painter(message.people, chosen)
    only = '<div class="only">Only visible to you</div>' if message.visible_to else ""
    edited = '<span class="edited">(edited)</span>' if message.edited_mark else ""
    if message.deleted:
        return '<div class="tombstone">This message was deleted.</div>'
    if message.blocks:
        body = painter.blocks(message.blocks) + edited
    elif message.text:
        body = f'<div class="text">{mrkdwn_html(message.text, message.people)} {edited}</div>'
    else:
        body = edited
    body += "".join(painter.attachment(a) for a in message.attachments)
    return only + body + "".join(_file(workspace, str(f["id"])) for f in message.files)


def _reactions(message: Message, viewer: str | None) -> str:
    parts = []
    for name, users in message.reactions.items():
        mine = ' data-mine="1"' if viewer in users else ""
        parts.append(
            f'<button type="button" class="reaction" data-react="{html.escape(name)}"{mine}>'
            f"{emoji_html(html.escape(name))}<span>{len(users)}</span></button>"
        )
    return f'<div class="reactions">{"".join(parts)}</div>' if parts else ""


def _message_menu(workspace: Workspace) -> str:
    """What Slack shows above a message under the pointer: a mark, and message shortcuts."""
    pin = f'<button type="button" data-react="pushpin">{emoji_html("pushpin")}</button>'
    more = "".join(
        f'<button type="button" data-shortcut="{html.escape(each.callback_id)}">'
        f"{html.escape(each.name)}</button>"
        for each in workspace.app.shortcuts.values()
        if each.kind == "message"
    )
    return f'<div class="hover">{pin}{more}</div>'


def _file(workspace: Workspace, file_id: str) -> str:
    file = workspace.files[file_id]
    name = html.escape(file.title or file.name)
    if file.name.endswith((".png", ".jpg", ".jpeg", ".gif")):
        alt = html.escape(file.alt_text or name)
        return f'<figure><figcaption>{name}</figcaption><img src="/_file/{file_id}" alt="{alt}">'\
               "</figure>"  # fmt: skip
    return f'<a class="file" href="/_file/{file_id}">{name}</a>'


def _thread_bar(workspace: Workspace, message: Message, viewer: str | None) -> str:
    replies = workspace.replies(message)
    writers = {reply.bot_user: reply for reply in replies}
    faces = "".join(_avatar(workspace, reply) for reply in list(writers.values())[:4])
    last = _time(replies[-1]) if replies else _time(message)
    viewing = f"?as={viewer}" if viewer else ""
    href = f"/_look/{message.channel}/{message.ts}{viewing}"
    return (
        f'<a class="replies" href="{href}">{faces}<b>{_count(len(replies))}</b>'
        f"<span>Last reply at {last:%H:%M}</span></a>"
    )


def _count(number: int) -> str:
    return f"{number} {'reply' if number == 1 else 'replies'}"


def _avatar(workspace: Workspace, message: Message) -> str:
    if message.bot_id:
        return _BOT_AVATAR
    person = workspace.users.get(message.bot_user)
    letters = "".join(w[0] for w in (person.real_name if person else "?").split()[:2]).upper()
    color = _AVATAR_COLORS[sum(map(ord, message.bot_user)) % len(_AVATAR_COLORS)]
    return f'<span class="avatar" style="background:{color}">{html.escape(letters)}</span>'


def _time(message: Message) -> datetime:
    return datetime.fromtimestamp(float(message.ts), UTC).astimezone(_ZONE)
