"""Everything about hearing Slack, put together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from app.engine.actions import Actions
from app.engine.clock import Clock
from app.engine.loops import Loop
from app.engine.outlook import Outlook
from app.engine.policy import PolicyInForce
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
from app.slack.socket_mode import SocketMode
from app.slack.speech import Speech
from app.store.database import Database


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
    db: Database,
    policy: PolicyInForce,
    actions: Actions,
    clock: Clock,
    outlook: Callable[[], Outlook],
    *,
    bot_token: str,
    app_token: str | None,
    api_url: str,
    locale: str,
    zone: str,
) -> SlackSide:
    """With an app token there is a loop for Socket Mode; without, requests come over HTTP."""
    api = SlackApi(bot_token, api_url=api_url)
    directory = Directory(api, clock)
    speech = Speech(db, policy, locale=locale, zone=zone)
    doer = Doer(actions, Answers(api, speech), Rights(directory, policy), clock)
    home = Home(db, api, directory=directory, speech=speech, outlook=outlook, clock=clock)
    errands = Errands()
    interactions = Interactions(doer, api, directory)
    desk = Desk(
        errands,
        interactions,
        Commands(doer, db, interactions=interactions, directory=directory, outlook=outlook),
        Marks(doer, db, Messages(api, clock), directory, policy),
        home,
        zone=zone,
    )
    loops: dict[str, Loop] = {"home": home}
    apis = (api,)
    if app_token:
        socket_api = SlackApi(app_token, api_url=api_url)
        loops["socket mode"] = SocketMode(socket_api, desk, clock)
        return SlackSide(desk, loops, errands, (*apis, socket_api))
    return SlackSide(desk, loops, errands, apis)
