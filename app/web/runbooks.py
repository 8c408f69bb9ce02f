"""`/runbooks/{alertname}`: the repository's own page for an alert."""

from __future__ import annotations

from functools import cache
from html import escape
from typing import TYPE_CHECKING

from fastapi import APIRouter, HTTPException
from starlette.responses import HTMLResponse

from app.web.context import Service
from app.web.headers import page_policy

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

router = APIRouter(tags=["runbooks"])

_STYLE = "body{max-width:44rem;margin:2rem auto;padding:0 1rem;font:16px/1.5 system-ui,sans-serif}"
_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark"><title>{title}</title>
<style>{style}</style><body>{body}</body></html>"""
_HEADERS = {"Content-Security-Policy": page_policy(styles=[_STYLE])}


@router.get("/runbooks/{alertname}", response_class=HTMLResponse, summary="Show a runbook")
async def shown(alertname: str, service: Service) -> HTMLResponse:
    """404 if there is none of that name."""
    text = service.outlook().runbooks.pages.get(alertname)
    if text is None:
        raise HTTPException(404, f"There is no runbook {alertname}: add runbooks/{alertname}.md.")
    html = _PAGE.format(title=escape(alertname), style=_STYLE, body=_as_html(text))
    return HTMLResponse(html, headers=_HEADERS)


def _as_html(text: str) -> str:
    """A page is the repository's own, and still may hold no HTML of its own: nothing here runs."""
    return str(_markdown().render(text))


@cache
def _markdown() -> MarkdownIt:
    from markdown_it import MarkdownIt  # noqa: PLC0415  (60 modules, for a page now and then)

    return MarkdownIt("commonmark", {"html": False}).enable("table")
