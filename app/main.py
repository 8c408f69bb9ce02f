"""The composition root: the one place that knows everything and puts it together."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import httpx
import structlog
from fastapi import FastAPI

from app.alertmanager.api import Alertmanager
from app.config import Config, default_config, load
from app.engine.actions import Actions
from app.engine.clock import Clock, SystemClock
from app.engine.deliver import Deliver
from app.engine.enrich import Enrich
from app.engine.ingest import Ingest
from app.engine.intake import Intake
from app.engine.ledger import Ledger
from app.engine.loops import Loop, Loops
from app.engine.outlook import Outlook
from app.engine.policy import CONSOLE, EMAIL, SLACK, Policy, PolicyInForce
from app.engine.registry_watch import RegistryEvents, RegistryWatcher
from app.engine.retention import Retention
from app.engine.runbooks import Runbooks
from app.engine.signals import Signals
from app.engine.sources import Sources
from app.engine.verify import Verify
from app.engine.watch import Watching
from app.enrichers.prometheus import Prometheus
from app.enrichers.registry import Mlflow
from app.errors import ConfigError
from app.notifiers.console import ConsoleNotifier
from app.notifiers.email import EmailNotifier
from app.notifiers.notifier import Notifier
from app.settings import Settings
from app.store import schema
from app.store.database import Database
from app.web import changes as changes_api
from app.web import health, incidents, mlflow, problems, receipts, runbooks, webhooks
from app.web.context import Context

log = structlog.get_logger()

_REGISTRY_WITHIN = 10.0  # seconds; nobody waits for the poll

_DESCRIPTION = """Alert routing and incidents for a real-time Pix fraud-detection pipeline.
Errors are RFC 9457 problem documents; times are RFC 3339 in UTC."""


def create_app(settings: Settings, *, clock: Clock | None = None) -> FastAPI:
    """The service. Raises ConfigError if its configuration cannot be used."""
    policy = PolicyInForce(read_policy(settings))

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            app.state.context = await _start(stack, settings, policy, clock or SystemClock())
            yield

    app = FastAPI(title="Plantão", version="1", description=_DESCRIPTION, lifespan=lifespan)
    problems.install(app)
    app.add_middleware(webhooks.Shortcut)
    for module in (webhooks, mlflow, incidents, receipts, changes_api, runbooks, health):
        app.include_router(module.router)
    return app


def read_policy(settings: Settings) -> Policy:
    """The policy that the configuration file, or the environment alone, asks for."""
    return Policy(read_config(settings), fallback_email=settings.email_to)


def read_config(settings: Settings) -> Config:
    """`plantao.yml` if there is one; without it one receiver of what is set up, and the console."""
    defaults = default_config(
        slack_channel=settings.slack_channel if settings.slack_bot_token else None,
        email_to=settings.email_to if settings.smtp_url else (),
    )
    return load(settings.config_file, defaults) if settings.config_file else defaults


def make_notifiers(settings: Settings) -> dict[str, Notifier]:
    """The transports that are set up; the console always is."""
    notifiers: dict[str, Notifier] = {CONSOLE: ConsoleNotifier(zone=settings.timezone)}
    if settings.slack_bot_token:
        # Imported only where Slack is set up: it costs 15 MB and a tenth of a second.
        from app.notifiers.slack import SlackNotifier  # noqa: PLC0415

        notifiers[SLACK] = SlackNotifier(
            settings.slack_bot_token.get_secret_value(),
            api_url=settings.slack_api_url,
            zone=settings.timezone,
        )
    if settings.smtp is not None:
        notifiers[EMAIL] = EmailNotifier(
            settings.smtp,
            sender=settings.email_from or f"plantao@{settings.smtp.host}",
            zone=settings.timezone,
        )
    return notifiers


async def _start(
    stack: AsyncExitStack, settings: Settings, policy: PolicyInForce, clock: Clock
) -> Context:
    db = Database(settings.database_url.get_secret_value())
    stack.callback(db.close)
    await db.write(schema.migrate)
    parts = await _parts(stack, settings, db, policy, clock)
    loops = Loops(_loops(settings, parts))
    loops.start()
    stack.push_async_callback(loops.stop)
    return Context(
        settings=settings,
        db=db,
        intake=Intake(db, policy, parts.signals, clock),
        actions=Actions(db, policy, parts.signals, clock),
        ledger=parts.ledger,
        enrich=parts.enrich,
        registry=RegistryEvents(parts.registry, parts.ledger),
        loops=loops,
        policy=policy,
        outlook=parts.outlook,
        clock=clock,
        reload=reloader(settings, policy),
    )


@dataclass(frozen=True, slots=True)
class _Parts:
    """What several loops and endpoints share."""

    db: Database
    policy: PolicyInForce
    clock: Clock
    signals: Signals
    notifiers: Mapping[str, Notifier]
    alertmanagers: Sequence[Alertmanager]
    prometheus: Prometheus | None
    outlook: Callable[[], Outlook]
    ledger: Ledger
    enrich: Enrich
    sources: Sources
    registry: RegistryWatcher | None


async def _parts(
    stack: AsyncExitStack, settings: Settings, db: Database, policy: PolicyInForce, clock: Clock
) -> _Parts:
    client = await stack.enter_async_context(httpx.AsyncClient())
    notifiers = make_notifiers(settings)
    for notifier in notifiers.values():
        stack.push_async_callback(notifier.close)
    signals = Signals()
    prometheus = Prometheus(settings.prometheus_url, client) if settings.prometheus_url else None
    sources = Sources(db, policy, clock.now, prometheus, make_mlflow(settings, client))
    registry = make_mlflow(settings, client, within=_REGISTRY_WITHIN)
    return _Parts(
        db=db,
        policy=policy,
        clock=clock,
        signals=signals,
        notifiers=notifiers,
        alertmanagers=[Alertmanager(url, client) for url in settings.alertmanager_url],
        prometheus=prometheus,
        outlook=_outlook(settings, policy),
        ledger=Ledger(db, policy, signals, clock),
        enrich=Enrich(db, policy, signals, clock, enrichers=sources.enrichers()),
        sources=sources,
        registry=RegistryWatcher(registry, clock.now) if registry else None,
    )


def _outlook(settings: Settings, policy: PolicyInForce) -> Callable[[], Outlook]:
    runbooks = Runbooks.read()

    def outlook() -> Outlook:
        current = policy.current
        base_url = current.config.runbooks.base_url
        return Outlook(settings.base_url, base_url, runbooks, current.topology)

    return outlook


def make_mlflow(settings: Settings, client: httpx.AsyncClient, **how: float) -> Mlflow | None:
    """The model registry, if it is set; `within` is how many seconds a call may take."""
    if settings.mlflow_tracking_uri is None:
        return None
    password, token = settings.mlflow_tracking_password, settings.mlflow_tracking_token
    return Mlflow(
        settings.mlflow_tracking_uri,
        client,
        username=settings.mlflow_tracking_username,
        password=password.get_secret_value() if password else None,
        token=token.get_secret_value() if token else None,
        **how,
    )


def _loops(settings: Settings, parts: _Parts) -> dict[str, Loop]:
    watchers = parts.sources.watchers(parts.registry)
    shared = (parts.db, parts.policy, parts.signals, parts.clock)
    return {
        "ingest": Ingest(*shared),
        "deliver": Deliver(*shared, parts.notifiers, outlook=parts.outlook, locale=settings.locale),
        "enrich": parts.enrich,
        "watch": Watching(watchers, parts.ledger, parts.policy, parts.clock),
        "verify": Verify(*shared, alertmanagers=parts.alertmanagers, prometheus=parts.prometheus),
        "retention": Retention(parts.db, parts.policy, parts.clock),
    }


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
