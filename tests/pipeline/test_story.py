"""The story that all this is for: a broken Parquet file, at three in the morning."""

from __future__ import annotations

import re

import pytest

from tests.pipeline.faults.storage import FileDeleted
from tests.pipeline.season import Season

#: Commits that Prometheus may not have seen: one in three seconds, looked at every five.
_BEHIND = 4


def test_a_lost_file_of_a_table_is_told_with_what_repairs_it(season: Season) -> None:
    """The thread names the table, its last commit, the change before it, and the step of the
    runbook that repairs it; the fault's repair is that step, and the thread turns green."""
    accounts = season.of(FileDeleted)
    if not accounts:
        pytest.skip("not in the waves that --only chose")
    [account] = accounts
    assert account.root is not None, "no message in Slack"
    assert isinstance(account.acting, FileDeleted)
    replies = season.town.slack.replies(account.root)
    thread = "\n".join(message.visible_text for message in [account.root, *replies])
    assert "transactions has lost files" in thread
    told = re.search(r"last good version is (\d+)", thread)
    assert told is not None, thread
    assert account.acting.version - _BEHIND <= int(told[1]) <= account.acting.version + 1
    assert "transactions: OPTIMIZE" in thread
    assert "repair" in thread
    assert account.green is not None
    assert "🟢" in account.root.visible_text
