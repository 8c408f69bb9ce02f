"""How `plantao check` tries each neighbour: with what the service itself talks to it.

Each attempt says in a line what it found, is None for what is not set up, and raises Failed
with what to do about it. None takes longer than a deadline.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import ParamSpec, TypeVar

import httpx
import sqlalchemy as sa

from app.alertmanager.api import Alertmanager
from app.certificates import trust, trust_in_mlflow
from app.commands.client import shown
from app.core.postings import EMAIL, SLACK
from app.enrichers.prometheus import Prometheus
from app.errors import DeliveryFailed, NeighbourFailed, PlantaoError, Refused, StoreUnavailable
from app.notifiers.email import EmailNotifier
from app.notifiers.slack import SlackNotifier
from app.notifiers.slack_api import SlackApi
from app.notifiers.slack_scopes import GROUPS
from app.notifiers.transports import make_notifiers
from app.settings import Settings
from app.store import schema
from app.store.database import Database

_SECONDS = 20.0
_HTTP_SECONDS = 10.0
_CONNECT_SECONDS = "5"
_REFUSED = (401, 403)
_NOT_THERE = 404
_REGISTRY = "/api/2.0/mlflow/registered-models/search"


class Failed(PlantaoError):
    """A neighbour cannot be worked with; `str()` says what to do."""


P = ParamSpec("P")
T = TypeVar("T")


def _in_time(attempt: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[T]]:
    @wraps(attempt)
    async def timed(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            async with asyncio.timeout(_SECONDS):
                return await attempt(*args, **kwargs)
        except TimeoutError:
            raise Failed(f"no answer within {_SECONDS:.0f} s: is it there?") from None

    return timed


def _clause(error: PlantaoError) -> str:
    """What an error says, ready to be continued."""
    return str(error).rstrip(".")


@_in_time
async def slack(settings: Settings, *, groups: bool = False) -> str | None:
    """Slack's auth.test, and whether the app has the scopes it needs.

    `groups` says that user groups decide who may act.
    """
    notifier = make_notifiers(settings).get(SLACK)
    if not isinstance(notifier, SlackNotifier):
        return None
    try:
        told = await notifier.auth_test(wanted=GROUPS if groups else ())
    except DeliveryFailed as error:
        advice = "check SLACK_BOT_TOKEN" if isinstance(error, Refused) else "can it be reached?"
        raise Failed(f"{_clause(error)}: {advice}") from None
    finally:
        await notifier.close()
    if "missing scopes" in told:
        raise Failed(f"{told}: add them to the Slack app, then install it again")
    return told


@_in_time
async def slack_requests(settings: Settings) -> str | None:
    """How what people do in Slack reaches us. Of Socket Mode an address is asked for, not used."""
    token = settings.slack_app_token
    if not settings.slack_bot_token or not settings.hears_slack:
        return None
    if token is None:
        return f"over HTTP, signed, at {settings.base_url}/slack/interactions, /commands, /events"
    api = SlackApi(token.get_secret_value(), api_url=settings.slack_api_url)
    try:
        await api.call("apps.connections.open", {})
    except DeliveryFailed as error:
        advice = "check SLACK_APP_TOKEN (xapp-…, with connections:write), and that it is enabled"
        raise Failed(f"Socket Mode: {_clause(error)}: {advice}") from None
    finally:
        await api.close()
    return "over Socket Mode"


@_in_time
async def smtp(settings: Settings) -> str | None:
    """A session with the mail server, up to the login."""
    notifier = make_notifiers(settings).get(EMAIL)
    if not isinstance(notifier, EmailNotifier):
        return None
    try:
        return await notifier.check()
    except DeliveryFailed as error:
        raise Failed(f"{_clause(error)}: check PLANTAO_SMTP_URL") from None


@_in_time
async def prometheus(settings: Settings) -> str | None:
    """A query."""
    url = settings.prometheus_url
    if url is None:
        return None
    async with httpx.AsyncClient(verify=trust(url)) as client:
        with _explained(url, "PLANTAO_PROMETHEUS_URL"):
            await Prometheus(url, client).check_alive()
    return f"{shown(url)} answers queries"


@_in_time
async def alertmanager(url: str) -> str:
    """The status of one Alertmanager."""
    async with httpx.AsyncClient(verify=trust(url)) as client:
        with _explained(url, "PLANTAO_ALERTMANAGER_URL"):
            status = await Alertmanager(url, client).status()
    version, cluster = status.get("versionInfo"), status.get("cluster")
    if not isinstance(version, dict) or not isinstance(cluster, dict):
        raise Failed(f"{shown(url)} is no Alertmanager (PLANTAO_ALERTMANAGER_URL)")
    return f"{shown(url)} version {version.get('version')}, cluster {cluster.get('status')}"


@_in_time
async def mlflow(settings: Settings) -> str | None:
    """The tracking server's version, and its model registry with our credentials."""
    url = settings.mlflow_tracking_uri
    if url is None:
        return None
    with _explained(url, "MLFLOW_TRACKING_URI"):
        async with _mlflow_client(settings) as client:
            version = await client.get(f"{url}/version")
            if version.status_code == _NOT_THERE:
                version = await client.get(f"{url}/health")
            version.raise_for_status()
            registry = await client.get(url + _REGISTRY, params={"max_results": 1})
            registry.raise_for_status()
    return f"{shown(url)} version {version.text.strip()[:40]}, its model registry answers"


def _mlflow_client(settings: Settings) -> httpx.AsyncClient:
    user, password = settings.mlflow_tracking_username, settings.mlflow_tracking_password
    token = settings.mlflow_tracking_token
    return httpx.AsyncClient(
        timeout=_HTTP_SECONDS,
        verify=trust_in_mlflow(settings),
        auth=(user, password.get_secret_value()) if user and password else None,
        headers={"Authorization": f"Bearer {token.get_secret_value()}"} if token else None,
    )


@contextmanager
def _explained(url: str, variable: str) -> Iterator[None]:
    """Turns what goes wrong over HTTP into Failed, with what to look at and without the URL's
    credentials."""
    try:
        yield
    except (NeighbourFailed, httpx.HTTPError, httpx.InvalidURL) as error:
        cause = error.__cause__ or error
        raise Failed(f"{_why(cause, shown(url))} ({variable})") from None


def _why(error: BaseException, url: str) -> str:
    match error:
        case httpx.ConnectError():
            return f"nothing answers at {url} ({error}): is it running there?"
        case httpx.TimeoutException():
            return f"{url} did not answer in time: is it overloaded?"
        case httpx.HTTPStatusError() if error.response.status_code in _REFUSED:
            return f"{url} refuses us with HTTP {error.response.status_code}: check the credentials"
        case httpx.HTTPStatusError():
            return f"{url} answers HTTP {error.response.status_code}: is the address right?"
        case ValueError():
            return f"{url} does not answer in JSON: is the address right?"
        case _:
            return f"{url}: {type(error).__name__}: {error}"


@_in_time
async def database(settings: Settings) -> str:
    """That it opens, can be written to, and has a schema we know. Nothing is written to it."""
    try:
        url = sa.make_url(settings.database_url.get_secret_value())
    except (sa.exc.ArgumentError, ValueError):
        raise Failed("the URL cannot be read (PLANTAO_DATABASE_URL)") from None
    where = url.render_as_string(hide_password=True)
    if url.get_backend_name() == "sqlite":
        if not _there(Path(url.database or "")):
            return f"{where} is not there yet: plantao serve makes it"
    else:
        url = url.update_query_dict({"connect_timeout": _CONNECT_SECONDS})
    try:
        revision = await _revision(url)
    except StoreUnavailable as error:
        raise Failed(f"{where}: {_clause(error)} (PLANTAO_DATABASE_URL)") from None
    return f"{where} {_schema(revision)}"


def _there(file: Path) -> bool:
    """Whether the file is there; raises Failed if it, or one in its place, cannot be written."""
    there = (
        file if file.exists() else next(each for each in file.absolute().parents if each.exists())
    )
    if file.is_dir() or not os.access(there, os.W_OK):
        raise Failed(f"{there} cannot be written to (PLANTAO_DATABASE_URL)")
    return file.exists()


async def _revision(url: sa.URL) -> str | None:
    db = Database(url.render_as_string(hide_password=False))
    try:
        return await db.read(schema.revision)
    finally:
        db.close()


def _schema(revision: str | None) -> str:
    if revision is None:
        return "is empty: plantao serve sets it up"
    if revision < schema.HEAD:
        return f"at schema {revision}: plantao serve brings it to {schema.HEAD}"
    if revision > schema.HEAD:
        raise Failed(
            f"its schema {revision} is newer than this version of Plantão ({schema.HEAD}): "
            "use the newer version"
        )
    return f"at schema {revision}"
