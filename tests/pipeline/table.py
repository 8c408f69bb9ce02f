"""The table of what was broken, and when it was told and over: docs/pipeline-proof.md."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime

from tests.pipeline.faults import FAULTS
from tests.pipeline.neighbours.installed import REPOSITORY
from tests.pipeline.neighbours.prometheus import alerts_shipped
from tests.pipeline.season import Account, Season

PAGE = REPOSITORY / "docs/pipeline-proof.md"

#: Alerts that no fault of this test provokes, and why not.
UNPROVOKED: dict[str, str] = {
    "DeltaMetricsStale": "it needs a store that hangs; one here would hang Spark too",
    "DeltaReadSlow": "it needs a store slower than a local disk",
    "KafkaProduceSlow": "the broker's own percentile looks back for minutes, and so would the wait",
    "PlantaoIngestLate": "the service must be up and its database must not let it write for long",
    "PrometheusRuleFailing": "the shipped rules fail on no data that the components export",
    "SparkExecutorsMissing": "Spark starts a lost executor anew within seconds on this machine",
}

_HEAD = """\
# The pipeline test: what was broken, and what was seen of it

The test in `tests/pipeline` starts a real Kafka (three nodes in KRaft mode, with the JMX agent),
Spark Structured Streaming, Delta Lake, MLflow, a scoring service, Prometheus and Alertmanager with
the files of this repository, the service, and the Slack emulator. It breaks each of them, and with
`--write-table` it writes this page.

All waiting is shortened by one rule (`tests/pipeline/overlay.py`): a `for:` of 5 minutes is
6 seconds here, a range of 5 minutes 22 seconds, and Prometheus looks every 5 seconds.

*To the message*: from when the fault was there to the message in Slack. *To green*: from its repair
to the message turning green. *Muted*: the alert fired, and Alertmanager told of its cause instead.
"""


def provoked() -> set[str]:
    return {alert for fault in FAULTS for alert in fault.alerts}


def write(season: Season) -> None:
    PAGE.write_text(text(season.accounts, datetime.now(UTC).date()))


def text(accounts: Iterable[Account], day: date) -> str:
    seen = sorted((account for account in accounts if account.told), key=_order)
    told = {account.alert for account in seen}
    rows = [_row(account) for account in seen]
    missing = {**UNPROVOKED, **dict.fromkeys(provoked() - told, "not seen in this run")}
    reasons = [f"| {name} | {why} |" for name, why in sorted(missing.items())]
    return "\n".join(
        [
            _HEAD,
            f"{len(told)} of {len(alerts_shipped())} alerts were seen, on {day:%d %B %Y}.\n",
            "| alert | how it was provoked | to the message | how it was repaired | to green |",
            "|---|---|--:|---|--:|",
            *rows,
            "",
            "## Not seen\n",
            "| alert | why |",
            "|---|---|",
            *reasons,
            "",
        ]
    )


def _order(account: Account) -> tuple[str, str]:
    return (alerts_shipped()[account.alert].stem, account.alert)


def _row(account: Account) -> str:
    muted = account.message is None and account.muted
    told = "muted" if muted else f"{_seconds(account.message)} {account.elsewhere}".rstrip()
    end = _seconds(account.green)
    return f"| {account.alert} | {account.fault.how} | {told} | {account.fault.mended} | {end} |"


def _seconds(value: float | None) -> str:
    return "never" if value is None else f"{value:.0f} s"
