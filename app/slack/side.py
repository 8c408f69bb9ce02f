"""Everything about hearing Slack, put together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from app.engine.actions import Actions
from app.engine.clock import Clock
from app.engine.loops import Loop
from app.engine.outlook import Outlook
from app.engine.policy import PolicyInForce
from app.engine.silences import Silencing
from app.notifiers.slack_api import SlackApi
from app.slack.answering import Answers
from app.slack.commands import Commands
from app.slack.desk import Desk
from app.slack.directory import Directory
from app.slack.doing import Doer
from app.slack.errands import Errands
from app.slack.home import Home
from app.slack.interactions import Interactions
from app.slack.marks import Marks
from app.slack.messages import Messages
from app.slack.rights import Rights
from app.slack.silences import Silences
from app.slack.socket_mode import SocketMode
from app.slack.speech import Speech
from app.store.database import Database


@dataclass(frozen=True, slots=True)
class Engine:
    """What of the service hearing Slack works with."""

    db: Database
    policy: PolicyInForce
    actions: Actions
    silencing: Silencing
    clock: Clock
    outlook: Callable[[], Outlook]


@dataclass(frozen=True, slots=True)
class SlackSide:
    """`desk` takes requests, `loops` run beside it; `close` finishes what is under way."""

    desk: Desk
    loops: dict[str, Loop]
    errands: Errands
    apis: tuple[SlackApi, ...]

    async def close(self) -> None:
        await self.errands.close()
        for api in self.apis:
            await api.close()


def slack_side(
    engine: Engine,
    *,
    bot_token: str,
    app_token: str | None,
    api_url: str,
    locale: str,
    zone: str,
) -> SlackSide:
    """With an app token there is a loop for Socket Mode; without, requests come over HTTP."""
    api = SlackApi(bot_token, api_url=api_url)
    errands = Errands()
    desk, home = _desk(engine, api, errands, locale=locale, zone=zone)
    if not app_token:
        return SlackSide(desk, {"home": home}, errands, (api,))
    socket_api = SlackApi(app_token, api_url=api_url)
    socket = SocketMode(socket_api, desk, engine.clock)
    return SlackSide(desk, {"home": home, "socket mode": socket}, errands, (api, socket_api))


def _desk(
    engine: Engine, api: SlackApi, errands: Errands, *, locale: str, zone: str
) -> tuple[Desk, Home]:
    db, policy, clock, outlook = engine.db, engine.policy, engine.clock, engine.outlook
    directory = Directory(api, clock)
    engine.actions.introduced_by(directory.introduce)
    speech = Speech(db, policy, locale=locale, zone=zone)
    doer = Doer(engine.actions, Answers(api, speech, directory), Rights(directory, policy), clock)
    home = Home(db, api, directory=directory, speech=speech, outlook=outlook, clock=clock)
    interactions = Interactions(doer, api, directory)
    silences = Silences(doer, db, api, engine.silencing, outlook)
    commands = Commands(
        doer,
        db,
        interactions=interactions,
        silences=silences,
        directory=directory,
        outlook=outlook,
    )
    desk = Desk(
        errands,
        interactions=interactions,
        silences=silences,
        commands=commands,
        marks=Marks(doer, db, Messages(api, clock), directory, policy),
        home=home,
        zone=zone,
    )
    return desk, home
