"""Modals and the App Home, as a person sees them."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

from . import elements
from .look_blocks import Painter

if TYPE_CHECKING:
    from .model import JsonObject
    from .views import View
    from .workspace import Workspace


def modal_html(workspace: Workspace, user: str | None) -> str:
    """What lies over the page: the modal on top of this person's stack, if there is one."""
    view = workspace.views.top(user) if user else None
    if view is None:
        return ""
    deeper = view.previous is not None
    close = view.content["close"] or {"text": "Back" if deeper else "Close"}
    submit = view.content["submit"]
    save = f'<button type="submit" class="primary">{_escaped(submit)}</button>' if submit else ""
    warning = f'<p class="trouble">{html.escape(view.warning)}</p>' if view.warning else ""
    return (
        f'<div class="shade"><form class="modal" data-view="{view.id}" data-hash="{view.hash}">'
        f"<header><b>{html.escape(view.title)}</b></header>{warning}"
        f'<div class="fill">{blocks_html(view)}</div><footer>'
        f'<button type="button" class="default" data-close="1">{_escaped(close)}</button>{save}'
        "</footer></form></div>"
    )


def home_html(workspace: Workspace, user: str) -> str:
    view = workspace.views.home(user)
    if view is None:
        return '<p class="empty">This is the home of an app that has not published anything.</p>'
    return f'<div class="home" data-view="{view.id}">{blocks_html(view)}</div>'


def blocks_html(view: View) -> str:
    """Input blocks with their labels, hints and errors; the others as in messages."""
    held = {c.action_id: view.holds(c) for c in view.controls if c.kind not in elements.STATELESS}
    painter = Painter(view.people, held)
    parts = []
    for block in view.content["blocks"]:
        if block["type"] == "input":
            parts.append(_input(painter, block, view.errors.get(block["block_id"])))
        else:
            parts.append(painter.blocks([block]))
    return "".join(parts)


def _input(painter: Painter, block: JsonObject, error: str | None) -> str:
    optional = " <small>(optional)</small>" if block.get("optional") else ""
    hint = f'<div class="hint">{painter.text(block["hint"])}</div>' if "hint" in block else ""
    wrong = f'<div class="error">{html.escape(error)}</div>' if error else ""
    return (
        f'<div class="input"><b>{painter.text(block["label"])}</b>{optional}'
        f"{painter.element(block['element'])}{hint}{wrong}</div>"
    )


def _escaped(text: JsonObject) -> str:
    return html.escape(str(text["text"]))
