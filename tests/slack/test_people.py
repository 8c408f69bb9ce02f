"""Who is who: people, user groups, reactions, permalinks."""

from __future__ import annotations

from typing import Any

import pytest
from slack_sdk.errors import SlackApiError

from tests.neighbours.slack import ALL_SCOPES, Person, Workspace
from tests.slack.app import CHANNEL, App, Json


async def refused(app: App, method: str, **arguments: object) -> Json:
    with pytest.raises(SlackApiError) as caught:
        await app.web.api_call(method, json=arguments)
    data: Json = caught.value.response.data
    return data


async def error_of(app: App, method: str, **arguments: object) -> str:
    return str((await refused(app, method, **arguments))["error"])


async def test_an_address_needs_its_own_scope(app: App, slack: Workspace) -> None:
    found = await app.web.users_info(user="U0ANA")
    assert found["user"]["profile"]["email"] == "ana@example.com"
    slack.set_scopes(*(ALL_SCOPES - {"users:read.email"}))
    found = await app.web.users_info(user="U0ANA")
    assert "email" not in found["user"]["profile"]
    refusal = await refused(app, "users.lookupByEmail", email="ana@example.com")
    assert (refusal["error"], refusal["needed"]) == ("missing_scope", "users:read.email")


async def test_a_language_is_told_to_who_asks(app: App, slack: Workspace) -> None:
    slack.users["U0ANA"].locale = "pt-BR"
    assert "locale" not in (await app.web.users_info(user="U0ANA"))["user"]
    found = await app.web.users_info(user="U0ANA", include_locale=True)
    assert found["user"]["locale"] == "pt-BR"


async def test_who_is_deactivated_is_found_no_more(app: App, slack: Workspace) -> None:
    slack.deactivate("ana")
    assert (await app.web.users_info(user="U0ANA"))["user"]["deleted"] is True
    assert await error_of(app, "users.lookupByEmail", email="ana@example.com") == "users_not_found"


async def test_everybody_is_listed_page_by_page(app: App, slack: Workspace) -> None:
    slack.add_user("carla", "Carla Dias", guest=True)
    slack.deactivate("bruno")
    people: dict[str, Json] = {}
    async for page in await app.web.users_list(limit=2):
        people |= {each["name"]: each for each in page["members"]}
    assert list(people) == ["plantao", "ana", "bruno", "carla"]
    assert people["plantao"]["is_bot"]
    assert people["bruno"]["deleted"]
    assert people["carla"]["is_restricted"]
    assert not people["ana"]["is_restricted"]


async def test_user_groups(app: App, slack: Workspace) -> None:
    group = slack.add_group("oncall", "ana", "bruno", name="On call")
    (shown,) = (await app.web.usergroups_list(include_users=True))["usergroups"]
    assert (shown["handle"], shown["users"]) == ("oncall", ["U0ANA", "U0BRUNO"])
    slack.deactivate("bruno")
    members = await app.web.usergroups_users_list(usergroup=group.id)
    assert members["users"] == ["U0ANA"]
    group.disabled = True
    assert (await app.web.usergroups_list())["usergroups"] == []
    assert await error_of(app, "usergroups.users.list", usergroup=group.id) == "no_such_subteam"
    slack.set_scopes("users:read")
    refusal = await refused(app, "usergroups.users.list", usergroup=group.id)
    assert (refusal["error"], refusal["needed"]) == ("missing_scope", "usergroups:read")


async def test_reactions(app: App, slack: Workspace, ana: Person) -> None:
    note = ana.say("it was the deploy")
    await ana.react(note, "pushpin")
    at: Any = {"channel": CHANNEL, "timestamp": note.ts}
    await app.web.reactions_add(**at, name="pushpin")
    got = await app.web.reactions_get(**at)
    assert got["message"]["reactions"] == [
        {"name": "pushpin", "users": ["U0ANA", "U0PLANTAO"], "count": 2}
    ]
    assert await error_of(app, "reactions.add", **at, name="pushpin") == "already_reacted"
    await app.web.reactions_remove(**at, name="pushpin")
    assert await error_of(app, "reactions.remove", **at, name="pushpin") == "no_reaction"
    assert await error_of(app, "reactions.add", **at, name="Not an emoji") == "invalid_name"
    assert await error_of(app, "reactions.add", name="x") == "no_item_specified"
    missing = at | {"timestamp": "1.000000"}
    assert await error_of(app, "reactions.add", **missing, name="x") == "message_not_found"
    slack.set_scopes("chat:write")
    refusal = await refused(app, "reactions.add", **at, name="x")
    assert refusal["needed"] == "reactions:write"


async def test_permalinks(app: App, ana: Person) -> None:
    root = ana.say("root")
    reply = ana.say("reply", thread_of=root)
    found = await app.web.chat_getPermalink(channel=CHANNEL, message_ts=root.ts)
    digits = root.ts.replace(".", "")
    assert found["permalink"] == f"https://example.slack.com/archives/{CHANNEL}/p{digits}"
    found = await app.web.chat_getPermalink(channel=CHANNEL, message_ts=reply.ts)
    assert found["permalink"].endswith(f"?thread_ts={root.ts}&cid={CHANNEL}")
    unknown = {"channel": CHANNEL, "message_ts": "1.000000"}
    assert await error_of(app, "chat.getPermalink", **unknown) == "message_not_found"
