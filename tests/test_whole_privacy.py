"""An alert full of personal data and secrets: nothing that leaves the service tells them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import httpx
import pytest

from app.config import load
from app.core.context import Finding, Moment
from app.core.events import ContextFound
from app.core.facts import Sample, SeriesValue
from app.engine.apply import apply_event
from app.engine.policy import Policy
from app.store import contexts, incidents
from app.store.database import Database, Transaction
from tests.cli.shell import Shell
from tests.house import alert, notification
from tests.neighbours.processes import eventually
from tests.neighbours.slack import (
    BOT_TOKEN,
    DEFAULT_CHANNEL,
    SIGNING_SECRET,
    SlackServer,
    Workspace,
)
from tests.neighbours.smtp import SmtpServer
from tests.notifiers import known
from tests.service import Service

API_TOKEN = "the-api's-own"
ONCALL = "plantao@banco.example"
PERSON = "ana.souza@banco.example"
CONFIG = f"""
receivers:
  oncall:
    slack: {{channel: "#{DEFAULT_CHANNEL}"}}
    email: {{to: [{ONCALL}]}}
    console: true
routes: {{receiver: oncall, group_by: [alertname, component]}}
topology: [kafka -> serving]
reopen_within: 0s
"""

EVP = "0f8fad5b-d9cb-469f-a165-70867728950e"
RUN = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
ORIGINALS = {
    "cpf": "529.982.247-25",
    "cnpj": "12.ABC.345/01DE-35",
    "card": "4111 1111 1111 1111",
    "phone": "+55 11 98765-4321",
    "email": "joana.pagadora@gmail.com",
    "pix": EVP,
    "secret": "s3nh4-muito-secreta",
}
ALL = (
    f"CPF {ORIGINALS['cpf']}, CNPJ {ORIGINALS['cnpj']}, cartao {ORIGINALS['card']},"
    f" fone {ORIGINALS['phone']}, mail {ORIGINALS['email']}, chave {EVP},"
    f" password={ORIGINALS['secret']}, run_id={RUN}"
)
BARE = "52998224725"
LINK = f"https://grafana.example/d/1?cpf={BARE}&to=joana.pagadora%40gmail.com&x=%22{BARE}%22"


class Town:
    """The service as a process, between Slack and a mail server."""

    def __init__(self, directory: Path, slack: SlackServer, smtp: SmtpServer) -> None:
        self.directory = directory
        self.slack: Workspace = slack.workspace
        self.smtp = smtp
        self.service = Service(
            directory,
            config=CONFIG,
            env={
                "SLACK_BOT_TOKEN": BOT_TOKEN,
                "SLACK_SIGNING_SECRET": SIGNING_SECRET,
                "PLANTAO_SLACK_API_URL": slack.api_url,
                "PLANTAO_SMTP_URL": smtp.url,
                "PLANTAO_EMAIL_FROM": "plantao@example.com",
                "PLANTAO_API_TOKENS": API_TOKEN,
                "PLANTAO_LOCALE": "pt-BR",
            },
        )
        self.slack.app.is_at(self.service.url)
        self.http = httpx.Client(
            base_url=self.service.url,
            headers={"Authorization": f"Bearer {API_TOKEN}"},
            trust_env=False,
            timeout=30,
        )

    def get(self, path: str, **params: str) -> Any:
        answer = self.http.get(path, params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, **body: Any) -> None:
        answer = self.http.post(path, json=body)
        assert answer.status_code in {200, 201, 202}, answer.text

    def shown(self, number: int) -> bool:
        """Whether every place shows the incident as it is now."""
        incident = self.get(f"/incidents/{number}")
        revision = incident["revision"]
        return all(each["shown_revision"] == revision for each in incident["postings"])

    def mails(self) -> str:
        """Every mail as a mail program shows it, headers and all parts."""
        shown = []
        for each in self.smtp.mailbox.messages:
            shown += [f"{name}: {value}" for name, value in each.message.items()]
            for part in each.message.walk():
                shown.append(str(part.get_filename()))
                if part.get_content_maintype() == "text":
                    shown.append(part.get_content())
        return "\n".join(shown)


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with ExitStack() as stack:
        slack = stack.enter_context(SlackServer(Workspace(rate_limits=False)))
        smtp = stack.enter_context(SmtpServer(tmp_path))
        town = Town(tmp_path, slack, smtp)
        stack.callback(town.http.close)
        town.service.start()
        stack.callback(town.service.process.stop)
        yield town


def told(text: str) -> list[str]:
    """Which originals a text tells, however they are written there."""
    # Markdown's own escapes (`\\#`) are none of JSON's.
    escaped = re.sub(r"\\(?![\\\"'/bfnrtu])", "", unquote(unquote(text)))
    plain = escaped.encode().decode("unicode_escape", "ignore")
    both = [_squeezed(text), _squeezed(plain)]
    names = [name for name, value in ORIGINALS.items() if any(_squeezed(value) in t for t in both)]
    return [*names, *(["bare"] if any(BARE in each for each in both) else [])]


def _squeezed(text: str) -> str:
    return re.sub(r"[\W_]", "", text)


def full(name: str, status: str = "firing", **labels: str) -> dict[str, Any]:
    """An alert with all of it in values and names of labels, annotations, and links."""
    notes = {
        "summary": f"Pagamento parado: {ALL}",
        "description": f"Detalhe: {ALL}",
        "runbook_url": LINK,
        "dashboard_url": LINK,
        ORIGINALS["email"]: "nota",
    }
    personal = {"payer": BARE, "detail": ALL, BARE: "nome", "senha": ORIGINALS["secret"]}
    labels = {"severity": "critical", "pix_key": EVP, **personal, **labels}
    raw = alert(name, status=status, annotations=notes, ends=_now(), **labels)
    return raw | {"generatorURL": LINK, "startsAt": _now(timedelta(minutes=-5))}


def _now(later: timedelta = timedelta()) -> str:
    return (datetime.now(UTC) + later).isoformat()


def group(one: dict[str, Any]) -> dict[str, Any]:
    return notification(one, groupLabels={**one["labels"]}, externalURL=LINK)


async def measure(town: Town, number: int) -> None:
    """Prometheus spoke of the incident, as the loop that asks would store it."""
    now = datetime.now(UTC)
    rule = replace(known.RULE, name=f"Regra {BARE}", expression=f'x{{cpf="{BARE}"}} > 1')
    line = [Sample(now - timedelta(minutes=10 - n), n / 10) for n in range(10)]
    measured = replace(
        known.MEASURED,
        rule=rule,
        line=line,
        expression=rule.expression,
        worst=[SeriesValue({"payer": BARE, "detail": ALL}, 0.8)],
        also_firing={"kafka": [f"Regra {BARE}"]},
        targets_down=[ORIGINALS["email"]],
    )
    policy = Policy(load(town.directory / "plantao.yml"))

    def learn(tx: Transaction) -> None:
        incident = incidents.get(tx, number, for_update=True)
        incident = replace(incident, context=contexts.of_incident(tx, number))
        finding = Finding("prometheus", Moment.OPENING, now, measured)
        apply_event(tx, incident, ContextFound(finding), policy, now=now)

    db = Database(f"sqlite:///{town.service.database}")
    try:
        await db.write(learn)
    finally:
        db.close()


async def play(town: Town) -> None:
    """Two incidents of one kind, one after another, beside one up the pipeline."""
    labels = {"component": "serving", "payer": BARE, "detail": ALL}
    change = {"source": "ci", "kind": "deploy", "labels": labels, "link": LINK}
    town.post("/changes", title=f"deploy: {ALL}", **change)
    town.post("/webhooks/alertmanager", **group(full("ScoringSlow", component="serving")))
    eventually(lambda: town.get("/incidents")["items"], within=30, what="an incident")
    town.post("/incidents/1/notes", by=PERSON, text=f"Falei com {ALL}")
    eventually(lambda: town.shown(1), within=60, what="the first incident shown")
    town.post("/incidents/1/resolve", by=PERSON, force=True)

    kafka = full("KafkaLag", component="kafka")
    again = full("ScoringSlow", component="serving", instance="b")
    town.post("/webhooks/alertmanager", **group(kafka))
    town.post("/webhooks/alertmanager", **group(again))
    eventually(lambda: len(town.get("/incidents")["items"]) >= 3, within=30, what="the others")
    await measure(town, 1)
    town.post("/incidents/1/notes", by=PERSON, text=f"De novo: {ALL}")
    town.post("/changes", title=f"meanwhile: {ALL}", at=_now(), **change)
    for incident in town.get("/incidents")["items"]:
        if incident["status"] == "triggered":
            town.post(f"/incidents/{incident['id']}/acknowledge", by=PERSON)
    for incident in town.get("/incidents")["items"]:
        eventually(partial(town.shown, incident["id"]), within=60, what="everything shown")
    town.post("/webhooks/alertmanager", alerts=[{"labels": {BARE: 1, ORIGINALS["email"]: 2}}])


async def work_in_slack(town: Town) -> None:
    """Somebody looks at whatever of this Slack can show: App Home, answers, every modal."""
    ana = town.slack.person("ana")
    await ana.open_home()
    await ana.command("/plantao list")
    await ana.command("/plantao show 2")
    (root,) = [each for each in town.slack.roots() if "KafkaLag" in each.text.splitlines()[0]]
    for action in ("incident.note", "incident.assign", "incident.silence", "incident.resolve"):
        await ana.click(root, action)
    # Every modal is opened; a silence's form is filled afterwards, and Home shown meanwhile.
    for method, count in {"views.open": 4, "views.update": 1, "views.publish": 1}.items():
        called = partial(_called_often, town, method, count)
        eventually(called, within=60, what=f"{method}, {count} times")


def _called_often(town: Town, method: str, count: int) -> bool:
    return len(town.slack.calls(method)) >= count


@pytest.mark.timeout(600)  # some hundred requests, on whatever machine
async def test_nothing_that_leaves_tells_what_came_in(town: Town) -> None:
    town.slack.allow(containing=())
    await play(town)
    await work_in_slack(town)
    answers = dict(every_deed(town))
    pages = dict(every_page(town))
    calls = json.dumps([call.arguments for call in town.slack.calls()], ensure_ascii=False)
    files = json.dumps([m.files for m in town.slack.all_messages()], ensure_ascii=False)
    log = (town.directory / "service.log").read_text()
    commands = [
        ("incidents", "list"),
        ("incidents", "show", "1"),
        ("incidents", "show", "1", "--json"),
    ]
    shell = Shell(town.directory)
    where = ("--url", town.service.url, "--token", API_TOKEN)
    printed = {" ".join(each): shell.ok(*each, *where) for each in commands}
    left = {"Slack": calls, "files": files, "mail": town.mails(), "log": log, **printed, **pages}
    left |= answers
    assert {name: told(text) for name, text in left.items() if told(text)} == {}

    # All of them were there to be told, and are still recognised.
    for method in ("views.publish", "views.update"):
        views = [json.dumps(c.arguments, ensure_ascii=False) for c in town.slack.calls(method)]
        left[method] = "\n".join(views)
    notes = "post /incidents/1/notes"
    told_in = ("Slack", "mail", "log", "/incidents/1", "/incidents/1/timeline", "/changes")
    for name in (*told_in, "views.publish", "views.update", notes):
        shown = left[name].replace("\N{ASTERISK OPERATOR}", "*")  # in Slack no star makes bold
        assert "***.982.247-**" in shown, name
        # A view shows titles and matchers, in which a CPF comes first and an address may be cut.
        assert name.startswith("views.") or "j***@gmail.com" in shown, name
    assert "***982247**" in pages["/incidents/1/chart.svg"]
    # Who acted and what people need stays.
    assert PERSON in pages["/incidents/1/timeline"]
    assert PERSON in calls
    assert ONCALL in pages["/incidents/1"]
    assert RUN in pages["/incidents/1"]
    latest = json.loads(pages["/incidents/3"])
    assert latest["context"]["opening"]["history"]["last_note"]
    assert latest["context"]["upstream"]
    assert latest["changes"]


def test_the_receipt_has_all_of_it_for_those_with_the_right(town: Town) -> None:
    town.slack.allow(containing=())
    town.post("/webhooks/alertmanager", **group(full("ScoringSlow", component="serving")))
    eventually(lambda: town.get("/incidents")["items"], within=30, what="an incident")
    where = ("--url", town.service.url, "--token", API_TOKEN)
    body = Shell(town.directory).ok("receipts", "show", "1", "--body", *where)
    assert set(told(body)) == {*ORIGINALS, "bare"}
    assert set(told(town.get("/receipts/1")["body"])) == {*ORIGINALS, "bare"}
    assert httpx.get(f"{town.service.url}/receipts/1", trust_env=False).status_code == 401

    # It is found by what it is, not by how it is shown.
    assert town.get("/incidents", q=BARE)["items"]
    assert not town.get("/incidents", q="***982247**")["items"]
    figures = town.http.get("/metrics").text
    for kind in ORIGINALS:
        count = re.search(rf'^plantao_masked_total{{kind="{kind}"}} (\S+)', figures, re.MULTILINE)
        assert count is not None, kind
        assert float(count[1]) > 0, kind


_BODIES: dict[str, dict[str, Any]] = {
    "/incidents/{number}/notes": {"text": f"Nota: {ALL}"},
    "/incidents/{number}/notes/{note}": {"text": f"Outra: {ALL}"},
    "/incidents/{number}/assign": {"to": PERSON},
    "/incidents/{number}/silence": {"comment": ALL, "duration": "1h"},
    "/changes": {"source": "ci", "kind": "deploy", "title": ALL},
}
_DEEDS = ("post", "patch", "put", "delete")


def every_deed(town: Town) -> Iterator[tuple[str, str]]:
    """Every answer to who changes something, as the service lists what can be changed."""
    listed = town.get("/openapi.json")["paths"]
    for path, methods in listed.items():
        for method in (each for each in _DEEDS if each in methods):
            body = {"by": PERSON} if path.startswith("/incidents") else {}
            at = re.sub(r"{\w+}", "1", path)
            query = {"by": PERSON} if method == "delete" else {}
            given = body | _BODIES.get(path, {})
            answer = town.http.request(method, at, params=query, json=given)
            assert answer.status_code < 500, (method, at, answer.text)
            yield f"{method} {at}", answer.text


def every_page(town: Town) -> Iterator[tuple[str, str]]:
    """Every address that is read with GET, but those of receipts: as the service lists them."""
    listed = town.get("/openapi.json")["paths"]
    paths = [path for path, methods in listed.items() if "get" in methods]
    assert {"/incidents", "/incidents/{number}/timeline", "/changes"} <= set(paths)
    for path in paths:
        if path.startswith("/receipts"):
            continue
        for number in ("1", "2", "3") if "{number}" in path else ("1",):
            at = path.replace("{number}", number)
            assert "{" not in at.replace("{alertname}", "ScoringSlow"), f"fill {path} here"
            if path.endswith("/stream"):
                yield at, streamed(town, at)
                continue
            answer = town.http.get(at.replace("{alertname}", "ScoringSlow"))
            assert answer.status_code in {200, 404, 409}, (at, answer.text)
            yield at, answer.text


def streamed(town: Town, path: str) -> str:
    """What a stream tells from its beginning until it has told all that there is."""
    told: list[str] = []
    again = {"Last-Event-ID": "0"}
    with (
        suppress(httpx.ReadTimeout),
        town.http.stream("GET", path, headers=again, timeout=2) as got,
    ):
        for text in got.iter_text():
            told.append(text)  # noqa: PERF402 - what came before it falls silent counts
    return "".join(told)
