"""What changed in the model registry, by what it said before and says now."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import TypeAdapter

from app.core.facts import Change
from app.core.registry import (
    ModelState,
    RegistryState,
    VersionState,
    alias_deleted,
    alias_moved,
    differences,
    heard,
    model_created,
    number,
    page,
    tag_changed,
    version_created,
)

AT = datetime(2026, 11, 23, 18, 30, tzinfo=UTC)
EARLIER = AT - timedelta(seconds=20)
URL = "https://mlflow.example.com"


def model(versions: str = "1 2 3", **aliases: str) -> ModelState:
    return ModelState({version: VersionState() for version in versions.split()}, aliases)


def registry(*names: str, **models: ModelState) -> RegistryState:
    return RegistryState(
        {name.replace("_", "-"): state for name, state in models.items()}, names or None
    )


def staged(stage: str, updated_at: datetime | None = None) -> ModelState:
    return ModelState({"1": VersionState(stage, updated_at=updated_at)})


BEFORE = model(champion="2")


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        pytest.param(BEFORE, BEFORE, [], id="nothing"),
        pytest.param(BEFORE, model(champion="3"), ["alias_moved pix-fraud: champion 2 → 3"], id="moved"),
        pytest.param(BEFORE, model(champion="1"), ["alias_moved pix-fraud: champion 2 → 1"], id="moved back"),
        pytest.param(BEFORE, model(champion="2", challenger="3"), ["alias_moved pix-fraud: challenger → 3"], id="first set"),
        pytest.param(BEFORE, model(), ["alias_deleted pix-fraud: champion deleted, was 2"], id="alias deleted"),
        pytest.param(BEFORE, model("1 2 3 4", champion="2"), ["version_created pix-fraud: version 4 registered"], id="version"),
        pytest.param(BEFORE, model("2 3", champion="2"), ["version_deleted pix-fraud: version 1 deleted"], id="version deleted"),
        pytest.param(
            model("1 9", champion="9"),
            model("1 9 10 11", champion="11"),
            [
                "version_created pix-fraud: version 10 registered",
                "version_created pix-fraud: version 11 registered",
                "alias_moved pix-fraud: champion 9 → 11",
            ],
            id="versions in their order, then aliases",
        ),
        pytest.param(
            BEFORE,
            model("1 3"),
            ["version_deleted pix-fraud: version 2 deleted", "alias_deleted pix-fraud: champion deleted, was 2"],
            id="the served version deleted",
        ),
        pytest.param(
            None,
            model("1", champion="1"),
            [
                "model_created pix-fraud: registered",
                "version_created pix-fraud: version 1 registered",
                "alias_moved pix-fraud: champion → 1",
            ],
            id="new model",
        ),
        pytest.param(
            model(" ".join(map(str, range(500))), champion="2"),
            None,
            ["alias_deleted pix-fraud: champion deleted, was 2", "model_deleted pix-fraud: deleted"],
            id="deleted model, one line and not 500",
        ),
        pytest.param(staged(""), staged("Production"), ["stage_changed pix-fraud: version 1 no stage → Production"], id="staged"),
        pytest.param(staged("Production"), staged("Archived"), ["stage_changed pix-fraud: version 1 Production → Archived"], id="archived"),
        pytest.param(staged("", EARLIER), staged("", AT), [], id="a description edited"),
    ],
)  # fmt: skip
def test_differences(before: ModelState | None, after: ModelState | None, told: list[str]) -> None:
    states = [RegistryState({"pix-fraud": state} if state else {}) for state in (before, after)]
    assert [f"{change.kind} {change.title}" for change in differences(*states, at=AT)] == told


def test_a_move_says_what_where_and_when() -> None:
    (change,) = differences(
        registry(pix_fraud=BEFORE), registry(pix_fraud=model(champion="3")), at=AT, url=URL
    )
    assert change == Change(
        source="mlflow",
        kind="alias_moved",
        title="pix-fraud: champion 2 → 3",
        at=AT,
        labels={"model": "pix-fraud", "alias": "champion", "version": "3", "previous": "2"},
        link="https://mlflow.example.com/#/models/pix-fraud/versions/3",
    )


@pytest.mark.parametrize(
    ("registry_says", "expected"),
    [(EARLIER, EARLIER), (None, AT), (AT + timedelta(hours=1), AT)],
    ids=["its own time", "no time", "a clock that is fast"],
)
def test_versions_and_stages_have_the_registrys_time(
    registry_says: datetime | None, expected: datetime
) -> None:
    new = ModelState({"1": VersionState("Production", registry_says, registry_says)})
    (created,) = differences(registry(a=ModelState()), registry(a=new), at=AT)
    (moved,) = differences(registry(a=staged("Staging")), registry(a=new), at=AT)
    assert (created.at, moved.at) == (expected, expected)


def test_a_model_nobody_asked_about_before_is_not_new() -> None:
    one = registry("pix-fraud", pix_fraud=BEFORE)
    both = registry("pix-fraud", "churn", pix_fraud=BEFORE, churn=model(champion="1"))
    assert differences(one, both, at=AT) == []
    assert differences(both, one, at=AT) == []
    assert differences(registry("pix-fraud"), one, at=AT) != []


def test_a_state_is_kept_as_json() -> None:
    state = registry(
        "pix-fraud", pix_fraud=ModelState({"1": VersionState("", AT, AT)}, {"champion": "1"})
    )
    form = TypeAdapter(RegistryState)
    assert form.validate_json(form.dump_json(state)) == state


# --- what webhooks tell, beside what was asked


ASKED = AT - timedelta(seconds=10)
LATE = ASKED - timedelta(seconds=5)


def test_a_webhook_and_the_next_comparison_tell_a_move_once() -> None:
    asked = registry(pix_fraud=BEFORE)
    state, news = heard(asked, alias_moved("pix-fraud", "champion", "3", at=AT), asked_at=ASKED)
    assert news
    assert news.title == "pix-fraud: champion 2 → 3"
    assert news.labels["previous"] == "2"
    assert differences(state, registry(pix_fraud=model(champion="3")), at=AT) == []
    again = heard(state, alias_moved("pix-fraud", "champion", "3", at=AT), asked_at=ASKED)
    assert again == (state, None)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (alias_moved("pix-fraud", "champion", "2", at=AT), None),
        (alias_deleted("pix-fraud", "champion", at=AT), "pix-fraud: champion deleted, was 2"),
        (alias_deleted("pix-fraud", "shadow", at=AT), None),
        (version_created("pix-fraud", "3", at=AT), None),
        (version_created("pix-fraud", "4", at=AT), "pix-fraud: version 4 registered"),
        (model_created("pix-fraud", at=AT), None),
        (model_created("churn", at=AT), "churn: registered"),
        (tag_changed("pix-fraud", "3", "validation", "ok", at=AT), "pix-fraud: version 3, tag validation = ok"),
        (tag_changed("pix-fraud", "3", "validation", None, at=AT), "pix-fraud: version 3, tag validation deleted"),
    ],
)  # fmt: skip
def test_what_a_webhook_adds(change: Change, told: str | None) -> None:
    before = registry(pix_fraud=BEFORE)
    state, news = heard(before, change, asked_at=ASKED)
    assert (news and news.title) == told
    assert (state == before) == (told is None or "tag" in told)
    assert heard(state, change, asked_at=ASKED)[1] == (news if told and "tag" in told else None)


def test_a_late_webhook_is_news_and_no_longer_how_things_stand() -> None:
    asked = registry(pix_fraud=model(champion="3"))
    change = alias_moved("pix-fraud", "champion", "1", at=LATE)
    # What went before is not known: the 3 came after.
    assert heard(asked, change, asked_at=ASKED) == (asked, change)


def test_a_model_that_is_not_watched_is_told_and_not_kept() -> None:
    watched = registry("pix-fraud", pix_fraud=BEFORE)
    state, news = heard(watched, alias_moved("churn", "champion", "1", at=AT), asked_at=ASKED)
    assert news
    assert state == replace(watched)


# --- names


@pytest.mark.parametrize(
    ("written", "read"),
    [("3", "3"), ("v3", "3"), (" 12 ", "12"), ("None", ""), ("", ""), ("blue", "blue")],
)
def test_versions_as_gauges_write_them(written: str, read: str) -> None:
    assert number(written) == read


def test_pages_of_names_with_odd_letters() -> None:
    assert (
        page(URL, "fraude/pix ção", "3")
        == f"{URL}/#/models/fraude%2Fpix%20%C3%A7%C3%A3o/versions/3"
    )
    assert page("", "pix-fraud") is None
