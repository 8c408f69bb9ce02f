"""`GET /incidents/{id}/postmortem`: from webhooks and people to Markdown."""

from __future__ import annotations

from pathlib import Path

from tests.clock import FakeClock
from tests.house import alert, notification, serving
from tests.waiting import tell
from tests.web.problems import assert_problem


async def test_a_postmortem_is_begun(tmp_path: Path) -> None:
    async with serving(tmp_path, clock=FakeClock(), public_url="https://p.example") as house:
        await tell(house, notification(alert("KafkaLag", severity="critical", host="k|1`")))
        acts = {"acknowledge": {}, "notes": {"text": "CPF 529.982.247-25\n<b>disk</b>"}}
        for action, body in acts.items():
            await house.http.post(f"/incidents/1/{action}", json={"by": "Ana", **body})
        shown = await house.incident(1)
        answer = await house.http.get("/incidents/1/postmortem")
        portuguese = await house.http.get("/incidents/1/postmortem", params={"lang": "pt-BR"})
    assert shown["links"]["postmortem"] == "https://p.example/incidents/1/postmortem"
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/markdown; charset=utf-8"
    assert answer.headers["content-disposition"] == 'inline; filename="postmortem-1.md"'
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.text.startswith("# Postmortem of incident \\#1: KafkaLag")
    assert "**Ana noted:**" in answer.text
    assert "\\<b\\>disk\\</b\\>" in answer.text
    assert "529.982.247-25" not in answer.text
    assert "`` host=k|1` ``" in answer.text
    assert "## Linha do tempo" in portuguese.text
    assert "**Ana anotou:**" in portuguese.text


async def test_incidents_about_ourselves_speak_the_reader_s_language(tmp_path: Path) -> None:
    async with serving(tmp_path, clock=FakeClock(), locale="pt-BR") as house:
        await tell(house, b"no notification")
        page = (await house.http.get("/incidents/1/postmortem")).text
    assert "quarentena" in page


async def test_what_is_not_there_and_who_may_not_look(tmp_path: Path) -> None:
    async with serving(tmp_path, clock=FakeClock(), api_tokens=["secret"]) as house:
        assert_problem(await house.http.get("/incidents/1/postmortem"), 401)
        house.http.headers["Authorization"] = "Bearer secret"
        assert_problem(await house.http.get("/incidents/1/postmortem"), 404, "no incident 1")
        odd = await house.http.get("/incidents/1/postmortem", params={"lang": "xx"})
        assert_problem(odd, 422, "lang")
