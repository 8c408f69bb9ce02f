"""The index page: what the product does in two minutes, with a button for each story.

It also is the pipeline's exporter (`/metrics`), the mailbox (`/mail`), and where Prometheus is not
installed what stands in for it (`/prometheus`).
"""

from __future__ import annotations

import base64
import time
from collections.abc import Mapping
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from demo.stories import STORIES
from demo.teller import Teller
from demo.town import Town
from demo.words import WORDS
from tests.neighbours.slack import DEFAULT_CHANNEL

_HERE = Path(__file__).parent
_TYPES = {"demo.js": "text/javascript", "demo.css": "text/css"}
_MOST_MAILS = 30


def create_page(town: Town, teller: Teller) -> Starlette:
    """Everything that is served at the demo's own address."""
    pages = _Pages(town, teller)
    return Starlette(
        routes=[
            Route("/", pages.index),
            Route("/mail", pages.mail),
            Route("/state", pages.state),
            Route("/stories/{story}/{deed}", pages.act, methods=["POST"]),
            Route("/metrics", pages.metrics),
            Route("/prometheus/api/v1/{path:path}", pages.stand_in, methods=["GET", "POST"]),
            Route("/static/{name}", pages.static),
        ]
    )


class _Pages:
    def __init__(self, town: Town, teller: Teller) -> None:
        self._town = town
        self._teller = teller
        self._say = WORDS[town.locale]
        loader = FileSystemLoader(_HERE)
        self._templates = Environment(loader=loader, autoescape=True, undefined=StrictUndefined)

    async def index(self, _: Request) -> Response:
        return self._page("demo.html", stories=[each.name for each in STORIES], links=self._links())

    async def mail(self, _: Request) -> Response:
        mails = [
            _shown(each.message) for each in self._town.smtp.mailbox.messages[-_MOST_MAILS:][::-1]
        ]
        return self._page("mail.html", mails=mails)

    async def state(self, _: Request) -> Response:
        states = await self._teller.states()
        return JSONResponse({"stories": states, "failure": self._teller.failure})

    async def act(self, request: Request) -> Response:
        """From our own page only: other sites may not press these buttons."""
        if request.headers.get("origin", self._town.page) != self._town.page:
            return PlainTextResponse("Press the button on the demo's own page.", 403)
        deeds = {"tell": self._teller.tell, "mend": self._teller.mend}
        try:
            await deeds[request.path_params["deed"]](request.path_params["story"])
        except KeyError:
            return PlainTextResponse("There is no such story.", 404)
        return await self.state(request)

    async def metrics(self, _: Request) -> Response:
        text = self._town.figures.text(time.time())
        return PlainTextResponse(text, media_type="text/plain; version=0.0.4")

    async def stand_in(self, request: Request) -> Response:
        """A Prometheus that knows nothing, or is gone: enough to be asked whether it lives."""
        if self._town.prometheus or self._town.blind:
            return PlainTextResponse("gone", 503)
        nothing: Mapping[str, dict[str, Any]] = {
            "query_range": {"resultType": "matrix", "result": []},
            "rules": {"groups": []},
            "targets": {"activeTargets": []},
        }
        data = nothing.get(request.path_params["path"], {"resultType": "vector", "result": []})
        return JSONResponse({"status": "success", "data": data})

    async def static(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name not in _TYPES:
            return Response(status_code=404)
        return Response((_HERE / name).read_text(encoding="utf-8"), media_type=_TYPES[name])

    def _page(self, template: str, **values: object) -> Response:
        html = self._templates.get_template(template).render(
            say=self._say, language=self._town.locale, town=self._town, **values
        )
        return HTMLResponse(html)

    def _links(self) -> Mapping[str, str]:
        """By the key of what each is called."""
        town = self._town
        slack = f"{town.slack.url}/_look/{DEFAULT_CHANNEL}"
        links = {
            "console": f"{town.service_url}/console",
            "slack": f"{slack}?as=ana",
            "slack_bruno": f"{slack}?as=bruno",
            "home": f"{town.slack.url}/_home/ana",
            "mail": "/mail",
            "log": f"{town.service_url}/incidents?status=triggered&status=acknowledged",
            "api": f"{town.service_url}/docs",
            "metrics": "/metrics",
        }
        if town.prometheus and town.alertmanager:
            links |= {
                "Prometheus": f"{town.prometheus.url}/alerts",
                "Alertmanager": town.alertmanager.url,
            }
        return links


def _shown(message: EmailMessage) -> Mapping[str, str]:
    """A mail as a mail program shows it, with its pictures in it."""
    html, text = message.get_body(("html",)), message.get_body(("plain",))
    page = str(html.get_content()) if html else ""
    for part in message.walk():
        cid = str(part.get("Content-ID", "")).strip("<> ")
        if cid and part.get_content_maintype() == "image":
            data = base64.b64encode(part.get_payload(decode=True) or b"").decode()  # type: ignore[arg-type]
            page = page.replace(f"cid:{cid}", f"data:{part.get_content_type()};base64,{data}")
    return {
        "subject": str(message["Subject"]),
        "to": str(message["To"]),
        "date": str(message["Date"]),
        "html": page.replace("<head>", '<head><base target="_blank">', 1),
        "text": str(text.get_content()) if text else "",
    }
