"""Is the process up, can it do its work, and what are its figures?"""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter, Depends
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic_core import to_json
from starlette.responses import Response

from app.core.rights import Right
from app.errors import StoreUnavailable
from app.store import postings, receipts, schema
from app.store.database import Transaction
from app.telemetry import INGEST_LAG, POSTINGS
from app.web.auth import require
from app.web.context import Context, Service

router = APIRouter(tags=["health"])


@router.get("/healthz", summary="Process up")
async def healthz() -> Response:
    """200 while the process answers at all."""
    return Response(to_json({"status": "up"}), media_type="application/json")


@router.get("/readyz", summary="Able to work", responses={503: {"description": "Not able."}})
async def readyz(service: Service) -> Response:
    """200 while the database takes writes and every loop runs; else 503, with the reason."""
    detail = {"database": await database_state(service), "loops": loops_state(service)}
    ready = all(state == "ok" for state in detail.values())
    # A source that rests costs context, not messages: the service is ready all the same.
    resting = {"sources_resting": service.enrich.resting()}
    content = {"status": "ready" if ready else "not ready", **detail, **resting}
    return Response(to_json(content), 200 if ready else 503, media_type="application/json")


async def database_state(service: Context) -> str:
    """`ok`, or why it takes no writes."""
    try:
        await service.db.write(schema.touch)
    except StoreUnavailable as error:
        return str(error)
    return "ok"


def loops_state(service: Context) -> str:
    """`ok`, or which loops do not run."""
    stopped = service.loops.stopped()
    return f"not running: {', '.join(stopped)}" if stopped else "ok"


@router.get("/metrics", summary="Figures for Prometheus")
async def metrics(service: Service) -> Response:
    """In Prometheus' text format. They hold numbers only, so that scraping needs no token."""
    await _refresh(service)
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


async def _refresh(service: Context) -> None:
    try:
        counts, oldest = await service.db.read(figures)
    except StoreUnavailable:
        return  # the counters still tell what happened
    POSTINGS.clear()
    for (transport, state), number in counts.items():
        POSTINGS.labels(transport, state).set(number)
    waited = (service.clock.now() - oldest).total_seconds() if oldest else 0.0
    INGEST_LAG.set(max(0.0, waited))


def figures(tx: Transaction) -> tuple[dict[tuple[str, str], int], datetime | None]:
    """Postings by transport and state, and when the oldest receipt came that still waits."""
    return postings.counts(tx), receipts.oldest_waiting(tx)


@router.post(
    "/-/reload", summary="Read plantao.yml again", dependencies=[Depends(require(Right.ADMIN))]
)
async def reload(service: Service) -> Response:
    """422 with every problem if the file cannot be used: the old configuration stays in force."""
    service.reload()
    return Response(to_json({"status": "reloaded"}), media_type="application/json")
