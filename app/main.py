"""The composition root: the one place that knows everything and puts it together."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

import httpx
import structlog
from fastapi import FastAPI

from app.alertmanager.api import Alertmanager
from app.config import Config, default_config, load
from app.engine.actions import Actions
from app.engine.clock import Clock, SystemClock
from app.engine.deliver import Deliver
from app.engine.ingest import Ingest
from app.engine.intake import Intake
from app.engine.loops import Loops
from app.engine.policy import CONSOLE, EMAIL, SLACK, Policy, PolicyInForce
from app.engine.retention import Retention
from app.engine.signals import Signals
from app.engine.verify import Verify
from app.enrichers.prometheus import Prometheus
from app.errors import ConfigError
from app.notifiers.console import ConsoleNotifier
from app.notifiers.email import EmailNotifier
from app.notifiers.notifier import Notifier
from app.settings import Settings
from app.store import schema
from app.store.database import Database
from app.web import health, incidents, problems, receipts, webhooks
from app.web.context import Context

log = structlog.get_logger()

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
    for module in (webhooks, incidents, receipts, health):
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
    client = await stack.enter_async_context(httpx.AsyncClient())
    notifiers = make_notifiers(settings)
    for notifier in notifiers.values():
        stack.push_async_callback(notifier.close)
    signals = Signals()
    loops = _loops(
        settings, db, policy, signals=signals, clock=clock, notifiers=notifiers, client=client
    )
    loops.start()
    stack.push_async_callback(loops.stop)
    return Context(
        settings=settings,
        db=db,
        intake=Intake(db, policy, signals, clock),
        actions=Actions(db, policy, signals, clock),
        loops=loops,
        policy=policy,
        clock=clock,
        reload=reloader(settings, policy),
    )


def _loops(
    settings: Settings,
    db: Database,
    policy: PolicyInForce,
    *,
    signals: Signals,
    clock: Clock,
    notifiers: Mapping[str, Notifier],
    client: httpx.AsyncClient,
) -> Loops:
    prometheus = Prometheus(settings.prometheus_url, client) if settings.prometheus_url else None
    return Loops(
        {
            "ingest": Ingest(db, policy, signals, clock),
            "deliver": Deliver(
                db,
                policy,
                signals,
                clock,
                notifiers,
                public_url=settings.base_url,
                locale=settings.locale,
            ),
            "verify": Verify(
                db,
                policy,
                signals,
                clock,
                alertmanagers=[Alertmanager(url, client) for url in settings.alertmanager_url],
                prometheus=prometheus,
            ),
            "retention": Retention(db, policy, clock),
        }
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
