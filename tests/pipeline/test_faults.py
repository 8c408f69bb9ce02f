"""Every fault is seen: its alerts fire, are told in Slack with their context, and end."""

from __future__ import annotations

import pytest

from tests.pipeline.faults import FAULTS, Fault
from tests.pipeline.neighbours.prometheus import alerts_shipped
from tests.pipeline.season import Season
from tests.pipeline.table import UNPROVOKED, provoked

ENOUGH = 35


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_a_fault_is_told_and_ends(season: Season, fault: type[Fault]) -> None:
    accounts = season.of(fault)
    if not accounts:
        pytest.skip("not in the waves that --only chose")
    for account in accounts:
        assert not account.trouble, account.trouble
        assert account.told, f"{account.alert} was not told; fired: {account.fired}"
        assert account.green is not None, f"{account.alert} did not end"


def test_what_an_incident_of_a_fault_says(season: Season) -> None:
    """The service and Slack name the rule's runbook, and what the alert is about."""
    for account in season.accounts:
        if account.message is None or account.elsewhere:
            continue
        assert account.root is not None
        assert account.incident["severity"]
        assert account.incident["runbook_url"].endswith(f"/{account.alert}")


def test_every_alert_is_provoked_or_listed_with_the_reason() -> None:
    shipped = set(alerts_shipped())
    assert provoked() | set(UNPROVOKED) == shipped
    assert not provoked() & set(UNPROVOKED)
    assert len(provoked()) >= ENOUGH
