"""The ASGI application: the Web API, uploads, the control side and the pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from . import api_files, control, hooks, look
from .arguments import Parsed, multipart_parts, parse_request
from .broken import Dropped, Truncated, still_waiting
from .model import JsonObject, SlackError
from .workspace import Answer

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

    from .faults import Call, Fault
    from .journal import Entry
    from .workspace import Workspace

_OUTAGE = """<!DOCTYPE html><html><head><title>Slack</title></head>
<body><h1>Server Error</h1><p>Something went wrong on our end. We're working on it.</p></body>
</html>"""


def create_app(workspace: Workspace) -> Starlette:
    async def api(request: Request) -> Response:
        return await _Exchange(workspace, request).answer()

    async def upload(request: Request) -> Response:
        data = await request.body()
        kind = request.headers.get("content-type", "")
        if kind.startswith("multipart/"):
            data = next(iter(multipart_parts(kind, data).values()), b"")
        if api_files.receive(workspace, request.path_params["file"], data):
            return PlainTextResponse(f"OK - {len(data)}")
        return PlainTextResponse("not found", 404)

    async def hook(request: Request) -> Response:
        status, body = hooks.post(workspace, request.url.path, await request.body())
        if isinstance(body, str):
            return PlainTextResponse(body, status)
        return JSONResponse(body, status)

    return Starlette(
        routes=[
            Route("/api/{method}", api, methods=["GET", "POST"]),
            Route("/upload/v1/{file}", upload, methods=["POST"]),
            *(Route(f"/{kind}/{{rest:path}}", hook, methods=["POST"]) for kind in hooks.KINDS),
            *control.routes(workspace),
            *look.routes(workspace),
        ]
    )


class _Exchange:
    """One request and its answer."""

    def __init__(self, workspace: Workspace, request: Request) -> None:
        self._workspace = workspace
        self._request = request
        self._method: str = request.path_params["method"]
        self._warnings: list[str] = []

    async def answer(self) -> Response:
        request = self._request
        body = await request.body()
        kind = request.headers.get("content-type", "")
        try:
            parsed = parse_request(request.method, kind, request.url.query, body)
        except SlackError as error:
            return self._unreadable(error)
        self._warnings = parsed.warnings
        return await self._called(parsed)

    def _unreadable(self, error: SlackError) -> Response:
        entry = self._workspace.open_entry(self._method, {})
        entry.status = 200
        entry.answer = {"ok": False, "error": error.code, **error.extra}
        self._workspace.close_entry(entry)
        return JSONResponse(entry.answer)

    async def _called(self, parsed: Parsed) -> Response:
        workspace = self._workspace
        call = workspace.call(self._method, parsed.arguments)
        token = self._token(parsed.arguments)
        entry = workspace.open_entry(self._method, parsed.arguments)
        fault = workspace.strike(call, token)
        try:
            if fault is None:
                return self._response(workspace.answer(call, token, entry))
            entry.fault = f"record_then_{fault.kind}" if fault.record else fault.kind
            return await self._struck(fault, call, token, entry)
        finally:
            workspace.close_entry(entry)

    def _token(self, arguments: JsonObject) -> str | None:
        scheme, _, value = self._request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and value.strip():
            return value.strip()
        token = arguments.pop("token", None)
        return str(token) if token else None

    async def _struck(self, fault: Fault, call: Call, token: str | None, entry: Entry) -> Response:
        """What the client gets instead of the answer, or of the whole call."""
        answer: Callable[[], Answer] = lambda: self._workspace.answer(call, token, entry)  # noqa: E731
        if fault.kind in {"token_revoked", "channel_archived", "removed_from_channel"}:
            return self._response(answer())
        if fault.kind == "hang":
            return await self._hang(fault, answer)
        response = self._response(answer()) if fault.record else JSONResponse({"ok": True})
        return _spoiled(fault, response)

    async def _hang(self, fault: Fault, answer: Callable[[], Answer]) -> Response:
        first = answer() if fault.record else None
        if not await still_waiting(self._request.receive, fault.seconds):
            return Dropped()
        return self._response(first or answer())

    def _response(self, answer: Answer) -> Response:
        body = answer.body
        if self._warnings:
            notes = dict(body.get("response_metadata", {}))
            notes["warnings"] = [*notes.get("warnings", []), *self._warnings]
            body = {"warning": ",".join(self._warnings), **body, "response_metadata": notes}
        if str(body.get("upload_url", "")).startswith("/"):
            body = body | {"upload_url": f"{self._base}{body['upload_url']}"}
        return JSONResponse(body, answer.status, headers=answer.headers)

    @property
    def _base(self) -> str:
        return str(self._request.base_url).rstrip("/")


def _spoiled(fault: Fault, response: Response) -> Response:
    body = bytes(response.body)
    match fault.kind:
        case "drop":
            return Dropped()
        case "reset":
            return Dropped(reset=True)
        case "http_error":
            return HTMLResponse(_OUTAGE, fault.status)
        case "truncated":
            return Truncated(body, media_type="application/json")
        case "cut_json":
            return Response(body[: len(body) // 2], media_type="application/json")
        case "ratelimited":
            wait = {"Retry-After": str(fault.retry_after)}
            return JSONResponse({"ok": False, "error": "ratelimited"}, 429, headers=wait)
        case _:
            return JSONResponse({"ok": False, "error": fault.error})
