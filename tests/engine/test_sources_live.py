"""Sources that hang, stop, or have nothing to say: what the first message then shows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote_plus

import pytest

from tests.house import alert, notification
from tests.neighbours.exporter import Exporter
from tests.neighbours.mlflow import Mlflow
from tests.neighbours.processes import eventually
from tests.neighbours.prometheus import Prometheus
from tests.neighbours.slack import BOT_TOKEN, DEFAULT_CHANNEL, Message, SlackServer, Workspace
from tests.service import Service

pytestmark = [pytest.mark.neighbour, pytest.mark.timeout(300)]

MODEL = "pix-fraud-unregistered"
EXPRESSION = "scoring_latency_p99_seconds > 0.5"
RULES = {"groups": [{"name": "serving", "rules": [{"alert": "ScoringSlow", "expr": EXPRESSION}]}]}
CONFIG = f"""
receivers: {{oncall: {{slack: {{channel: "#{DEFAULT_CHANNEL}"}}}}}}
routes: {{receiver: oncall, group_by: [shard]}}
models: [{{name: {MODEL}, alias: champion, matchers: ['component="serving"']}}]
context: {{serving_gauge: scorer_model_info}}
"""


@dataclass
class Scene:
    prometheus: Prometheus
    exporter: Exporter
    slack: Workspace
    service: Service

    def fire(self, shard: str) -> Message:
        """An incident of its own; its first message."""
        starts = datetime.now(UTC).isoformat()
        fired = alert("ScoringSlow", starts=starts, component="serving", shard=shard)
        link = f"{self.prometheus.url}/graph?g0.expr={quote_plus(EXPRESSION)}&g0.tab=1"
        self.service.post(notification(fired | {"generatorURL": link}))
        marked = f"#{len(self.slack.roots()) + 1}"
        return self.slack.expect_message(containing=["ScoringSlow", marked], within=30)

    def resting(self) -> Sequence[str]:
        found: Sequence[str] = self.service.get("/readyz")["sources_resting"]
        return found


@pytest.fixture
def scene(tmp_path: Path, mlflow_server: Mlflow) -> Iterator[Scene]:
    with ExitStack() as stack:
        exporter = stack.enter_context(Exporter())
        exporter.set("scoring_latency_p99_seconds", 0.83)
        prometheus = Prometheus(tmp_path, targets={"serving": [exporter.address]}, rules=RULES)
        stack.enter_context(prometheus)
        prometheus.wait_for("scoring_latency_p99_seconds")
        slack = stack.enter_context(SlackServer(Workspace(rate_limits=False)))
        service = Service(
            tmp_path,
            config=CONFIG,
            env={
                "PLANTAO_PROMETHEUS_URL": prometheus.url,
                "MLFLOW_TRACKING_URI": mlflow_server.url,
                "SLACK_BOT_TOKEN": BOT_TOKEN,
                "PLANTAO_SLACK_API_URL": slack.api_url,
            },
        )
        service.start()
        stack.callback(service.process.stop)
        yield Scene(prometheus, exporter, slack.workspace, service)


TROUBLES: dict[str, tuple[Callable[[Prometheus], None], Callable[[Prometheus], None], str]] = {
    "hangs": (Prometheus.pause, Prometheus.resume, "did not answer within"),
    "stops": (Prometheus.kill, Prometheus.start, "cannot be reached"),
}


@pytest.mark.parametrize("trouble", TROUBLES)
def test_a_prometheus_in_trouble_is_named_rests_and_is_believed_again(
    scene: Scene, trouble: str
) -> None:
    begin, end, reason = TROUBLES[trouble]
    begin(scene.prometheus)
    root = scene.fire("0")
    scene.slack.allow(thread_of=root)
    scene.slack.expect_shown(root, [f"Prometheus ({reason}"], within=60)
    if trouble == "hangs":  # nobody waited for it: its absence is an edit
        assert "Not known" not in str(root.versions[0].attachments)
    for shard in "123":
        scene.slack.allow(thread_of=scene.fire(shard))
    eventually(lambda: scene.resting() == ["prometheus"], within=60, what="prometheus rests")
    assert scene.service.figure('plantao_source_resting{source="prometheus"}') == 1
    late = scene.fire("4")
    scene.slack.allow(thread_of=late)
    scene.slack.expect_shown(late, ["Prometheus (is down and not asked for now"], within=60)

    end(scene.prometheus)
    scene.exporter.set("scorer_model_info", 1, model=MODEL, version="7")
    scene.prometheus.wait_for("scorer_model_info and on () scoring_latency_p99_seconds")
    eventually(lambda: not scene.resting(), within=150, what="prometheus is asked again")
    again = scene.fire("5")
    scene.slack.allow(thread_of=again)
    scene.slack.expect_shown(again, ["830 ms, above 500 ms", f"{MODEL} v7"], within=60)
    eventually(
        lambda: scene.service.figure('plantao_source_resting{source="prometheus"}') == 0,
        what="prometheus no longer rests",
    )


def test_an_mlflow_that_hangs_is_named_beside_what_others_know(
    scene: Scene, mlflow_server: Mlflow
) -> None:
    mlflow_server.pause()
    try:
        root = scene.fire("0")
        scene.slack.allow(thread_of=root)
        shown = ["830 ms, above 500 ms", "Not known: MLflow (did not answer within"]
        scene.slack.expect_shown(root, shown, within=60)
    finally:
        mlflow_server.resume()


def test_a_model_that_is_not_registered_is_no_mlflow_that_is_down(scene: Scene) -> None:
    for shard in "01234":
        root = scene.fire(shard)
        scene.slack.allow(thread_of=root)
        shown = f"MLflow (does not know the model {MODEL})"
        scene.slack.expect_shown(root, [shown], within=60)
    assert scene.resting() == []
    assert scene.service.figure('plantao_source_resting{source="mlflow"}') == 0
    assert scene.service.figure('plantao_source_calls_total{outcome="ok",source="mlflow"}') >= 5
