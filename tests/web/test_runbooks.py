"""The repository's own runbooks: served as pages, their first steps in the thread."""

from __future__ import annotations

from pathlib import Path

from app.engine.runbooks import Runbooks
from tests.house import serving

PAGE = """# KafkaLag

What it means <script>alert(1)</script>.

## First steps

1. Look at the consumer group
2. Restart the `scorer`
- Third
* Fourth
5) Fifth
6. Sixth is one too many

## Then

- not a first step
"""


def test_first_steps_are_at_most_five_plain_lines(tmp_path: Path) -> None:
    (tmp_path / "KafkaLag.md").write_text(PAGE)
    runbooks = Runbooks.read(tmp_path)
    assert runbooks.first_steps("KafkaLag") == (
        "Look at the consumer group",
        "Restart the `scorer`",
        "Third",
        "Fourth",
        "Fifth",
    )
    assert runbooks.first_steps("Unknown") == ()
    assert Runbooks.read(tmp_path / "missing").pages == {}


async def test_a_runbook_that_is_not_there_says_how_to_add_one(tmp_path: Path) -> None:
    async with serving(tmp_path) as house:
        for name in ("Missing", "..%2F..%2Fetc%2Fpasswd"):
            answer = await house.http.get(f"/runbooks/{name}")
            assert answer.status_code == 404
            assert answer.headers["content-type"] == "application/problem+json"
