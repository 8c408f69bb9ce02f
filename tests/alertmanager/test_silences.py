"""Alertmanager's API for silences, with a real one."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from app.alertmanager import silences
from app.alertmanager.api import Alertmanager
from app.core.matchers import parse_matchers
from app.errors import NeighbourFailed, NeighbourRefused, NeighbourUnreachable, NotFound
from tests.neighbours.alertmanager import Alertmanager as Real
from tests.neighbours.processes import free_port
from tests.neighbours.serving import Answer, LoopbackServer, Request

QUIET = {"route": {"receiver": "nobody"}, "receivers": [{"name": "nobody"}]}
UNKNOWN = "11111111-1111-1111-1111-111111111111"


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient() as client:
        yield client


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Real]:
    with Real(tmp_path_factory.mktemp("alertmanager"), QUIET) as real:
        yield real


async def create(*alertmanagers: Alertmanager, text: str = 'a="b"') -> str:
    return await silences.create(
        alertmanagers,
        matchers=parse_matchers(text),
        ends_at=datetime.now(UTC) + timedelta(hours=1),
        by="Ana",
        comment="why",
    )


@pytest.mark.neighbour
async def test_a_silence_lives_and_ends(real: Real, client: httpx.AsyncClient) -> None:
    there = Alertmanager(real.url, client)
    text = 'alertname="A", team=~"x|y", env!="prod", zone!~"1.*"'
    reference = await create(there, text=text)
    found = await silences.get(there, reference)
    assert (found.state, found.by, found.comment) == ("active", "Ana", "why")
    assert set(found.matchers) == set(parse_matchers(text))
    await silences.expire([there], reference)
    assert (await silences.get(there, reference)).state == "expired"
    await silences.expire([there], reference)  # twice is no error


@pytest.mark.neighbour
async def test_the_list_and_its_filters(real: Real, client: httpx.AsyncClient) -> None:
    there = Alertmanager(real.url, client)
    one, two = await create(there, text='n="one"'), await create(there, text='n="two"')
    assert {one, two} <= {each.reference for each in await silences.ask(there)}
    filtered = await silences.ask(there, parse_matchers('n="two"'))
    assert [each.reference for each in filtered] == [two]
    listing = await silences.ask_all([there, there])
    assert listing is not None
    assert listing.complete
    assert {one, two} <= set(listing.silences)


@pytest.mark.neighbour
async def test_what_it_does_not_know(real: Real, client: httpx.AsyncClient) -> None:
    there = Alertmanager(real.url, client)
    with pytest.raises(NotFound):
        await silences.get(there, UNKNOWN)
    await silences.expire([there], UNKNOWN)  # nothing is left to be ended
    with pytest.raises(NeighbourRefused, match=r"refused \(422\): .*uuid"):
        await silences.get(there, "nonsense")


@pytest.mark.neighbour
async def test_its_own_words_when_it_refuses(real: Real, client: httpx.AsyncClient) -> None:
    with pytest.raises(NeighbourRefused, match="must not match the empty string"):
        await create(Alertmanager(real.url, client), text='a=~".*"')


@pytest.mark.neighbour
async def test_one_that_answers_is_enough(real: Real, client: httpx.AsyncClient) -> None:
    dead = Alertmanager(f"http://127.0.0.1:{free_port()}", client)
    there = Alertmanager(real.url, client)
    reference = await create(dead, there)
    listing = await silences.ask_all([dead, there])
    assert listing is not None
    assert not listing.complete
    assert reference in listing.silences
    await silences.expire([dead, there], reference)
    # The dead one may be the only one that has heard of it.
    with pytest.raises(NeighbourUnreachable):
        await silences.expire([dead, there], UNKNOWN)


async def test_nobody_answers(client: httpx.AsyncClient) -> None:
    dead = Alertmanager(f"http://user:secret@127.0.0.1:{free_port()}", client)
    with pytest.raises(NeighbourUnreachable, match="cannot be reached") as caught:
        await create(dead)
    assert caught.value.perhaps_done is False
    assert "secret" not in str(caught.value)
    assert await silences.ask_all([dead]) is None


class Odd(LoopbackServer):
    """Answers everything with this."""

    def __init__(self, status: int, body: object) -> None:
        super().__init__()
        self._answer = Answer(status, json.dumps(body).encode(), "application/json")
        self.heard: list[Request] = []

    def answer(self, request: Request) -> Answer:
        self.heard.append(request)
        return self._answer


@pytest.mark.parametrize(("status", "body"), [(200, {}), (200, []), (200, None), (500, "x")])
async def test_an_answer_that_says_nothing(
    client: httpx.AsyncClient, status: int, body: object
) -> None:
    with Odd(status, body) as odd, pytest.raises(NeighbourUnreachable) as caught:
        await create(Alertmanager(odd.url, client))
    assert caught.value.perhaps_done


@pytest.mark.parametrize("body", [{"id": 1}, [{"id": "x"}], None, "text"])
async def test_a_list_that_cannot_be_read(client: httpx.AsyncClient, body: object) -> None:
    with Odd(200, body) as odd:
        with pytest.raises(NeighbourFailed, match="nobody knows"):
            await silences.ask(Alertmanager(odd.url, client))
        assert await silences.ask_all([Alertmanager(odd.url, client)]) is None


async def test_any_label_name_is_asked_for(client: httpx.AsyncClient) -> None:
    """From 0.27 on Alertmanager takes any UTF-8; before, it says what it does not take."""
    with Odd(200, {"silenceID": "new"}) as odd:
        assert await create(Alertmanager(odd.url, client), text='"dépôt.name"=~"é.*"') == "new"
    (asked,) = odd.heard
    (matcher,) = json.loads(asked.body)["matchers"]
    assert matcher == {"name": "dépôt.name", "value": "é.*", "isRegex": True, "isEqual": True}


async def test_a_silence_whose_regex_nobody_can_read_is_left_out(client: httpx.AsyncClient) -> None:
    at = "2026-11-23T03:00:00Z"
    bad = {
        "id": "bad",
        "status": {"state": "active"},
        "matchers": [{"name": "a", "value": "(", "isRegex": True}],
        "startsAt": at,
        "endsAt": at,
        "updatedAt": at,
    }
    good = {**bad, "id": "good", "matchers": [{"name": "a", "value": "(", "isRegex": False}]}
    with Odd(200, [bad, good]) as odd:
        found = await silences.ask(Alertmanager(odd.url, client))
    assert [each.reference for each in found] == ["good"]


def test_the_pages_of_a_cluster_have_no_password(client: httpx.AsyncClient) -> None:
    there = Alertmanager("https://user:secret@am.example:9093/prefix", client)
    assert silences.pages([there]) == "https://am.example:9093/prefix"
    assert silences.pages([]) == ""
