"""The boards: committed as they are made, readable by Prometheus, of series that exist, and with
the alerts' own thresholds."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import promql_parser as promql
import pytest
import yaml
from prometheus_client import REGISTRY, CollectorRegistry

import app.telemetry  # noqa: F401  (declares what Plantão itself exports)
from app.config_exporter import Exporter, TableEntry
from app.core.boards import BOARDS as LINKED
from app.core.boards import OVERVIEW
from app.exporters.exporter import Watching
from app.exporters.serving import ServingMetrics
from app.mlflow.registry import open_mlflow
from app.settings import Settings
from grafana.boards.__main__ import BOARDS, FOLDER, written
from grafana.boards.limits import threshold
from tests.conftest import RECORDINGS
from tests.neighbours.processes import find_program
from tests.pack.shipped import PROMETHEUS, ROOT, AlertRule, alert_rules, document, rules, thresholds

ALERTS = {rule.name: rule for rule in alert_rules()}
#: What an alert shows is elsewhere on the boards: 0 is a budget that is spent.
BUDGET_LEFT = "budget left"
_VARIABLE = re.compile(r"\$\{?(\w+)\}?")
_TIMES = {"__rate_interval": "5m", "__range": "1h", "__interval": "1m"}


@dataclass(frozen=True, slots=True)
class Panel:
    """A panel of a committed board."""

    board: str
    made: dict[str, Any]

    @property
    def title(self) -> str:
        return f"{self.board}: {self.made['title']}"

    @property
    def expressions(self) -> list[str]:
        return [target["expr"] for target in self.made["targets"]]

    @property
    def alerts(self) -> list[str]:
        """Those whose runbook it links to."""
        urls = [link["url"] for link in self.made["links"]]
        return [url.rpartition("/")[2] for url in urls if "/runbooks/" in url]

    @property
    def limits(self) -> set[float]:
        steps = self.made["fieldConfig"]["defaults"].get("thresholds", {}).get("steps", [])
        return {step["value"] for step in steps if step["value"] is not None}


def committed(name: str) -> dict[str, Any]:
    board: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text("utf-8"))
    return board


def panels() -> list[Panel]:
    return [
        Panel(name, panel)
        for name in BOARDS
        for panel in committed(name)["panels"]
        if panel["type"] != "row"
    ]


PANELS = panels()


def plain(expression: str) -> str:
    """An expression with something in place of Grafana's variables."""
    return _VARIABLE.sub(lambda found: _TIMES.get(found[1], "any"), expression)


def expressions() -> list[str]:
    """Of panels and annotations; variables ask with their own language."""
    asked = [expression for panel in PANELS for expression in panel.expressions]
    asked += [mark["expr"] for name in BOARDS for mark in committed(name)["annotations"]["list"]]
    return [plain(expression) for expression in dict.fromkeys(asked)]


EXPRESSIONS = expressions()


# --- committed as made


def test_the_committed_boards_are_the_ones_that_are_made() -> None:
    found = {path.name: path.read_text("utf-8") for path in FOLDER.glob("*.json")}
    assert found == written(), "run make boards"


def test_another_address_of_plantao_is_in_every_board() -> None:
    for content in written("https://plantao.example.com").values():
        assert "https://plantao.example.com" in content
        assert "127.0.0.1" not in content


# --- Prometheus can read it


def test_prometheus_reads_every_expression(tmp_path: Path) -> None:
    named = [{"record": f"r{at}", "expr": expr} for at, expr in enumerate(EXPRESSIONS)]
    file = tmp_path / "rules.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "boards", "rules": named}]}))
    checked = subprocess.run(
        [find_program("promtool"), "check", "rules", file],
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_every_variable_is_defined() -> None:
    for name in BOARDS:
        board = committed(name)
        known = {variable["name"] for variable in board["templating"]["list"]} | set(_TIMES)
        used = set(_VARIABLE.findall(json.dumps(board["panels"])))
        assert used <= known, name


# --- of series that exist


def names(node: Any) -> Iterator[str]:
    """The metrics that a parsed expression asks for; those by a pattern are not named."""
    if isinstance(node, promql.VectorSelector):
        if node.name:
            yield node.name
        return
    children = [getattr(node, name, None) for name in ("expr", "lhs", "rhs", "vector_selector")]
    arguments = getattr(node, "args", [])
    for child in (*children, *arguments):
        if child is not None:
            yield from names(child)


def kept() -> set[str]:
    """The recorded names that pass the relabelling of their job, and the new ones that it gives."""
    configured = {
        job["job_name"]: job for job in document(PROMETHEUS / "prometheus.yml")["scrape_configs"]
    }
    found = set()
    for line in (RECORDINGS / "pipeline/names.txt").read_text().splitlines():
        job, name, *request = line.split()
        steps = configured[job]["metric_relabel_configs"]
        if all(passes(step, name, *request) for step in steps):
            found.add(name)
    renamed = configured["spark-driver"]["metric_relabel_configs"]
    return found | {step["replacement"] for step in renamed if step.get("replacement")}


def passes(step: dict[str, Any], name: str, request: str = "") -> bool:
    values = {"__name__": name, "request": request}
    text = ";".join(values[label] for label in step.get("source_labels", []))
    matched = re.fullmatch(step["regex"], text) is not None
    return {"keep": matched, "drop": not matched}.get(step.get("action", "replace"), True)


def exported(registry: CollectorRegistry) -> set[str]:
    """The names of the series that it can have."""
    suffixes = {"counter": ["_total"], "histogram": ["_bucket", "_count", "_sum"]}
    return {
        family.name + suffix
        for family in registry.collect()
        for suffix in suffixes.get(family.type, [""])
    }


def ours() -> set[str]:
    watched = Watching(
        Exporter(tables=(TableEntry(name="any", url="/nowhere"),)),
        mlflow=partial(open_mlflow, Settings(mlflow_tracking_uri="http://127.0.0.1:9")),
    )
    serving = CollectorRegistry()
    ServingMetrics(model="any", version="1", registry=serving)
    return exported(watched.registry) | exported(serving) | exported(REGISTRY)


def test_every_metric_exists() -> None:
    recorded = {rule["record"] for _, rule in rules() if "record" in rule}
    known = kept() | ours() | recorded | {"ALERTS", "up"}
    asked = {name for expr in EXPRESSIONS for name in names(promql.parse(expr))}
    assert len(asked) > 100
    assert asked - known == set()


def test_every_variable_asks_for_a_metric_that_exists() -> None:
    known = kept() | ours()
    for name in BOARDS:
        for variable in committed(name)["templating"]["list"]:
            if variable["type"] == "query":
                (metric,) = re.findall(r"label_values\((\w+), \w+\)", variable["query"])
                assert metric in known, variable["name"]


# --- with the alerts' thresholds


def compared(rule: AlertRule) -> set[float]:
    """The numbers that an alert compares with: those to tune, and those that stand in it.

    What it compares may be recorded, and made with a number to tune.
    """
    recorded = {made["record"]: made["expr"] for _, made in rules() if "record" in made}
    used = [expr for name, expr in recorded.items() if name in rule.expression]
    tuned = re.findall(r"threshold:([\w]+:\w+)", " ".join(map(str, [rule.expression, *used])))
    written_out = re.findall(r"(?:[<>=]=?|!=) *([\d.]+)(?![\w.\[])", rule.expression)
    return {threshold(name) for name in tuned} | {float(number) for number in written_out}


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel.title)
def test_a_panel_turns_red_where_its_alerts_fire(panel: Panel) -> None:
    if BUDGET_LEFT in panel.title:
        return
    known = set().union(*(compared(ALERTS[name]) for name in panel.alerts))
    # "Anything at all" and "not up" begin at 1; an alert writes them as > 0 and == 0.
    assert panel.limits <= known | {1.0}, panel.alerts


def test_every_alert_is_on_a_board_and_every_link_leads_to_one() -> None:
    assert {name for panel in PANELS for name in panel.alerts} == set(ALERTS)


def test_every_number_to_tune_is_on_a_board() -> None:
    shown = {limit for panel in PANELS for limit in panel.limits}
    not_a_line = {"threshold:ingestion_baseline:per_second", "threshold:delta_small_files:files"}
    not_a_line |= {"threshold:ingestion_against_last_week:ratio"}
    for name in set(thresholds()) - not_a_line:
        assert threshold(name.removeprefix("threshold:")) in shown, name


# --- as Grafana wants it


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel.title)
def test_a_panel_says_what_it_shows_and_in_what(panel: Panel) -> None:
    made = panel.made
    assert made["description"].endswith(".")
    if made["type"] in {"timeseries", "stat"}:
        assert made["fieldConfig"]["defaults"]["unit"]
    assert made["datasource"] == {"type": "prometheus", "uid": "${source}"}
    assert len({target["refId"] for target in made["targets"]}) == len(made["targets"])


@pytest.mark.parametrize("name", BOARDS)
def test_panels_are_numbered_and_do_not_overlap(name: str) -> None:
    board = committed(name)
    assert board["uid"] == f"pix-fraud-{name}"
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
    taken: set[tuple[int, int]] = set()
    for panel in board["panels"]:
        at = panel["gridPos"]
        assert at["x"] + at["w"] <= 24
        cells = {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}
        assert not cells & taken, panel["title"]
        taken |= cells


def test_provisioning_names_what_is_there() -> None:
    folder = ROOT / "grafana/provisioning"
    (source,) = document(folder / "datasources/prometheus.yml")["datasources"]
    assert (source["type"], source["isDefault"]) == ("prometheus", True)
    (provider,) = document(folder / "dashboards/pix-fraud.yml")["providers"]
    assert (provider["type"], provider["allowUiUpdates"]) == ("file", False)


def test_incidents_link_to_boards_that_are_there() -> None:
    made = {json.loads(path.read_text())["uid"] for path in FOLDER.glob("*.json")}
    assert {f"pix-fraud-{name}" for name in (OVERVIEW, *LINKED.values())} == made
    ours = {rule.labels["component"] for rule in ALERTS.values()}
    assert ours - set(LINKED) == {"pipeline"}, "what concerns all of it leads to the overview"
