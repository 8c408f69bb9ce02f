"""`/runbooks/{alertname}`: the repository's own page for an alert."""

from __future__ import annotations

from html import escape

from fastapi import APIRouter, HTTPException
from markdown_it import MarkdownIt
from starlette.responses import HTMLResponse

from app.web.context import Service
from app.web.headers import page_policy

router = APIRouter(tags=["runbooks"])

# A page is the repository's own, and still may hold no HTML of its own: nothing here runs.
_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table")
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
    html = _PAGE.format(title=escape(alertname), style=_STYLE, body=_MARKDOWN.render(text))
    return HTMLResponse(html, headers=_HEADERS)
