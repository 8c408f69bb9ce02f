"""The composition root: the one place that knows everything and puts it together."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx
import structlog
from fastapi import FastAPI
from starlette.types import Receive, Scope, Send

from app.alertmanager.api import Alertmanager
from app.certificates import trust, trust_in_mlflow
from app.configured import read_policy
from app.core.signing import KEY_LENGTH
from app.engine.actions import Actions
from app.engine.clock import Clock, SystemClock
from app.engine.deliver import Deliver
from app.engine.digest import Digests
from app.engine.enrich import Enrich
from app.engine.feed import Feed
from app.engine.figures import LogFigures
from app.engine.guard import Guard
from app.engine.indexing import Indexing
from app.engine.ingest import Ingest
from app.engine.intake import Intake
from app.engine.ledger import Ledger
from app.engine.loops import Loop, Loops
from app.engine.outlook import Outlook
from app.engine.policy import PolicyInForce
from app.engine.registry_watch import RegistryEvents, RegistryWatcher
from app.engine.retention import Retention
from app.engine.runbooks import Runbooks
from app.engine.signals import Signals
from app.engine.signed_links import SignedLinks, link_key
from app.engine.silence_watch import SilenceWatch
from app.engine.silences import Silencing
from app.engine.sources import Sources
from app.engine.verify import Verify
from app.engine.watch import Watching
from app.enrichers.prometheus import Prometheus
from app.errors import ConfigError
from app.mlflow.registry import make_mlflow
from app.notifiers.notifier import Notifier
from app.notifiers.transports import make_notifiers
from app.settings import Settings
from app.store import keys, schema
from app.store.database import Database
from app.web import (
    act,
    actions,
    console,
    head,
    health,
    incidents,
    mlflow,
    openapi,
    postmortem,
    problems,
    receipts,
    reference,
    runbooks,
    sign_in,
    silences,
    stats,
    stream,
    webhooks,
)
from app.web import changes as changes_api
from app.web import slack as slack_requests
from app.web.context import Context
from app.web.headers import secured

if TYPE_CHECKING:
    from app.slack.side import SlackSide

log = structlog.get_logger()

_REGISTRY_WITHIN = 10.0  # seconds; nobody waits for the poll

_MODULES = (
    webhooks,
    mlflow,
    stream,  # before /incidents/{number}
    incidents,
    actions,
    silences,
    act,
    receipts,
    changes_api,
    stats,
    postmortem,
    runbooks,
    slack_requests,
    sign_in,
    reference,
    health,
    console,
)

_DESCRIPTION = """Alert routing and incidents for a real-time Pix fraud-detection pipeline.
Errors are RFC 9457 problem documents; times are RFC 3339 in UTC."""


class _Service(FastAPI):
    """FastAPI, past which webhooks go: its own part costs more than storing them."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if webhooks.is_notification(scope):
            await webhooks.take(self.state.context, scope, receive, send)
        elif head.is_head(scope):
            await head.answer(super().__call__, scope, secured(send))
        else:
            await super().__call__(scope, receive, secured(send))


def create_app(settings: Settings, *, clock: Clock | None = None) -> FastAPI:
    """The service. Raises ConfigError if its configuration cannot be used."""
    policy = PolicyInForce(read_policy(settings))

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            app.state.context = await _start(stack, settings, policy, clock or SystemClock())
            yield

    app = _Service(
        title="Plantão",
        version="1",
        description=_DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    problems.install(app)
    sign_in.install(app)
    for module in _MODULES:
        app.include_router(module.router)
    openapi.install(app)
    return app


async def _start(
    stack: AsyncExitStack, settings: Settings, policy: PolicyInForce, clock: Clock
) -> Context:
    db = Database(settings.database_url.get_secret_value())
    stack.callback(db.close)
    await db.write(schema.migrate)
    parts = await _parts(stack, settings, db, policy, clock)
    side = _slack_side(settings, parts)
    if side:
        stack.push_async_callback(side.close)
    loops = Loops(_loops(settings, parts) | (side.loops if side else {}))
    loops.start()
    stack.push_async_callback(loops.stop)
    return Context(
        settings=settings,
        db=db,
        intake=Intake(db, policy, parts.signals, clock),
        actions=parts.actions,
        slack=side.desk if side else None,
        silencing=parts.silencing,
        ledger=parts.ledger,
        enrich=parts.enrich,
        links=parts.links,
        guard=await _guard(settings, db, clock),
        registry=RegistryEvents(parts.registry, parts.ledger),
        loops=loops,
        feed=parts.feed,
        policy=policy,
        outlook=parts.outlook,
        clock=clock,
        reload=reloader(settings, policy),
    )


async def _guard(settings: Settings, db: Database, clock: Clock) -> Guard:
    key = await db.write(keys.lasting, "sessions", length=KEY_LENGTH, now=clock.now())
    return Guard(
        db,
        clock,
        key=key,
        settings_tokens=[token.get_secret_value() for token in settings.api_tokens],
        strict=settings.exposed or settings.proxy_user_header is not None,
    )


@dataclass(frozen=True, slots=True)
class _Parts:
    """What several loops and endpoints share."""

    db: Database
    policy: PolicyInForce
    clock: Clock
    signals: Signals
    notifiers: Mapping[str, Notifier]
    links: SignedLinks
    alertmanagers: Sequence[Alertmanager]
    prometheus: Prometheus | None
    actions: Actions
    silencing: Silencing
    outlook: Callable[[], Outlook]
    ledger: Ledger
    enrich: Enrich
    feed: Feed
    sources: Sources
    registry: RegistryWatcher | None


async def _parts(
    stack: AsyncExitStack, settings: Settings, db: Database, policy: PolicyInForce, clock: Clock
) -> _Parts:
    client = await _client(stack, trust(settings.prometheus_url, *settings.alertmanager_url))
    registry_client = await _client(stack, trust_in_mlflow(settings))
    links = SignedLinks(await link_key(db, settings.link_secret, clock), settings.base_url, clock)
    notifiers = make_notifiers(settings, act_link=links.address)
    for notifier in notifiers.values():
        stack.push_async_callback(notifier.close)
    signals = Signals()
    prometheus = Prometheus(settings.prometheus_url, client) if settings.prometheus_url else None
    sources = Sources(db, policy, clock.now, prometheus, make_mlflow(settings, registry_client))
    registry = make_mlflow(settings, registry_client, within=_REGISTRY_WITHIN)
    alertmanagers = [Alertmanager(url, client) for url in settings.alertmanager_url]
    return _Parts(
        db=db,
        policy=policy,
        clock=clock,
        signals=signals,
        notifiers=notifiers,
        links=links,
        alertmanagers=alertmanagers,
        prometheus=prometheus,
        actions=Actions(db, policy, signals, clock),
        silencing=Silencing(
            db,
            policy,
            signals,
            clock,
            alertmanagers=alertmanagers,
            public_url=settings.base_url,
        ),
        outlook=_outlook(settings, policy),
        ledger=Ledger(db, policy, signals, clock),
        enrich=Enrich(db, policy, signals, clock, enrichers=sources.enrichers()),
        feed=Feed(db),
        sources=sources,
        registry=RegistryWatcher(registry, clock.now) if registry else None,
    )


async def _client(stack: AsyncExitStack, trusted: ssl.SSLContext) -> httpx.AsyncClient:
    return await stack.enter_async_context(httpx.AsyncClient(verify=trusted))


def _outlook(settings: Settings, policy: PolicyInForce) -> Callable[[], Outlook]:
    runbooks = Runbooks.read()

    def outlook() -> Outlook:
        current = policy.current
        return Outlook(
            settings.base_url,
            current.config.runbooks.base_url,
            settings.grafana_url,
            runbooks,
            current.topology,
            current.privacy,
        )

    return outlook


def _loops(settings: Settings, parts: _Parts) -> dict[str, Loop]:
    watchers = parts.sources.watchers(parts.registry)
    shared = (parts.db, parts.policy, parts.signals, parts.clock)
    return {
        "ingest": Ingest(*shared),
        "deliver": Deliver(*shared, parts.notifiers, outlook=parts.outlook, locale=settings.locale),
        "enrich": parts.enrich,
        "watch": Watching(watchers, parts.ledger, parts.policy, parts.clock),
        "verify": Verify(*shared, alertmanagers=parts.alertmanagers, prometheus=parts.prometheus),
        "silences": SilenceWatch(
            *shared, alertmanagers=parts.alertmanagers, silencing=parts.silencing
        ),
        "index": Indexing(parts.db),
        "feed": parts.feed,
        "digest": Digests(
            parts.db,
            parts.policy,
            parts.clock,
            parts.notifiers,
            outlook=parts.outlook,
            locale=settings.locale,
            zone=settings.timezone,
        ),
        "figures": LogFigures(parts.db, parts.clock),
        "retention": Retention(parts.db, parts.policy, parts.clock),
    }


def _slack_side(settings: Settings, parts: _Parts) -> SlackSide | None:
    """What hears Slack, if it is set up to be heard."""
    if not settings.slack_bot_token or not settings.hears_slack:
        return None
    # Imported only where Slack is set up: it costs 15 MB and a tenth of a second.
    from app.slack.side import Engine, slack_side  # noqa: PLC0415

    app_token = settings.slack_app_token
    return slack_side(
        Engine(parts.db, parts.policy, parts.actions, parts.silencing, parts.clock, parts.outlook),
        bot_token=settings.slack_bot_token.get_secret_value(),
        app_token=app_token.get_secret_value() if app_token else None,
        api_url=settings.slack_api_url,
        locale=settings.locale,
        zone=settings.timezone,
    )


def reloader(settings: Settings, policy: PolicyInForce) -> Callable[[], None]:
    """A function that reads the configuration anew; a bad file leaves the old one in force."""

    def reload() -> None:
        try:
            policy.current = read_policy(settings)
        except ConfigError as error:
            log.warning("the new configuration is not used", problems=str(error))
            raise
        log.info("the configuration was read anew")

    return reload
