"""What we are compared with: an endpoint that validates the body and stores nothing.

`python -m bench.plain PORT` serves it with the settings the service itself is served with.
"""

from __future__ import annotations

import sys
from datetime import datetime
from typing import Literal

import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel


class Alert(BaseModel):
    status: Literal["firing", "resolved"]
    labels: dict[str, str]
    annotations: dict[str, str]
    startsAt: datetime  # noqa: N815  (Alertmanager's names)
    endsAt: datetime  # noqa: N815
    generatorURL: str  # noqa: N815
    fingerprint: str


class Notification(BaseModel):
    receiver: str
    status: Literal["firing", "resolved"]
    alerts: list[Alert]
    groupLabels: dict[str, str]  # noqa: N815
    commonLabels: dict[str, str]  # noqa: N815
    commonAnnotations: dict[str, str]  # noqa: N815
    externalURL: str  # noqa: N815
    version: str
    groupKey: str  # noqa: N815
    truncatedAlerts: int  # noqa: N815


app = FastAPI()


@app.get("/readyz")
async def ready() -> dict[str, str]:
    return {"status": "ready"}


@app.post("/webhooks/alertmanager", status_code=202)
async def receive(notification: Notification) -> dict[str, int]:
    return {"alerts": len(notification.alerts)}


if __name__ == "__main__":
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=int(sys.argv[1]),
        loop="uvloop",
        http="httptools",
        backlog=4096,
        access_log=False,
        log_config=None,
        server_header=False,
    )
