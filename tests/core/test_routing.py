"""The route tree, compared with Alertmanager's own where it is hard to get right."""

import json
import random
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from app.core.matchers import parse_matchers
from app.core.routing import ALL_LABELS, Match, Route, correlation_key, match


def route(
    receiver: str | None,
    matchers: str = "",
    *routes: Route,
    group_by: tuple[str, ...] | None = None,
    continue_: bool = False,
) -> Route:
    return Route(receiver, parse_matchers(matchers), group_by, continue_, routes)


TREE = route(
    "everyone",
    "",
    route(None, "component=delta", route("storage-pager", "severity=critical"), continue_=True),
    route("storage", "component=~delta|kafka", group_by=("table",)),
    route("models", "component=serving", group_by=()),
    route("never", "component=serving"),
    group_by=("alertname",),
)


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ({}, [("everyone", ("alertname",))]),
        ({"component": "kafka"}, [("storage", ("table",))]),
        ({"component": "delta"}, [("everyone", ("alertname",)), ("storage", ("table",))]),
        (
            {"component": "delta", "severity": "critical"},
            [("storage-pager", ("alertname",)), ("storage", ("table",))],
        ),
        ({"component": "serving"}, [("models", ())]),
    ],
)
def test_receivers_and_what_they_inherit(
    labels: dict[str, str], expected: list[tuple[str, tuple[str, ...]]]
) -> None:
    assert [(found.receiver, found.group_by) for found in match(TREE, labels)] == expected


def test_the_path_tells_by_which_route() -> None:
    pager = Route("pager", parse_matchers("severity=critical"), location="routes.routes[0]")
    found = match(Route("all", routes=(pager,)), {"severity": "critical"})
    assert found == (
        Match("pager", None, ("routes: every alert", 'routes.routes[0]: severity="critical"')),
    )


def test_the_root_matches_whatever_it_says_and_must_name_a_receiver() -> None:
    assert match(route("all", "a=b"), {})[0].receiver == "all"
    with pytest.raises(ValueError, match="the root route must name a receiver"):
        match(route(None), {})


def test_grouping_decides_the_correlation_key() -> None:
    labels = {"alertname": "Lag", "topic": "pix", "empty": ""}

    def key(group_by: tuple[str, ...] | None) -> str:
        return correlation_key(Match("r", group_by, ()), labels, {"alertname": "Lag"})

    assert key(None) == key(("alertname",)) == key(("alertname", "alertname", "absent", "empty"))
    assert key(ALL_LABELS) == key(("topic", "alertname"))
    assert json.loads(key(())) == ["r", []]
    assert len({key(None), key(()), key(ALL_LABELS)}) == 3


LABELS = st.dictionaries(st.text(max_size=3), st.text(min_size=1, max_size=3), max_size=3)


@given(LABELS, LABELS, st.text(max_size=3), st.text(max_size=3))
def test_different_groups_never_share_a_key(
    some: dict[str, str], other: dict[str, str], receiver: str, second: str
) -> None:
    keys = [
        correlation_key(Match(name, ALL_LABELS, ()), labels, {})
        for name, labels in ((receiver, some), (second, other))
    ]
    assert (keys[0] == keys[1]) is ((receiver, some) == (second, other))


# --- the same trees, asked of Alertmanager

CHOICES = {
    "component": ["delta", "kafka", "serving", "a b", 'q"t', "x,y", "back\\slash"],
    "severity": ["critical", "warning"],
    "team": ["fraud", "data"],
}
CONDITIONS = [
    'component="delta"',
    "component=kafka",
    'component=~"delta|kafka"',
    "component!=serving",
    'component!~".*a.*"',
    'component = "a b"',
    r'component="q\"t"',
    'component="x,y"',
    r'component="back\\slash"',
    r'component=~"\w+"',
    'severity="critical"',
    'severity=""',
    "severity!=critical",
    'team=~"fr.*"',
    'team!~"^fraud$"',
    'team=~""',
    "{team=data, severity=~.+}",
]


def random_route(rng: random.Random, depth: int) -> dict[str, object]:
    children = [random_route(rng, depth - 1) for _ in range(rng.randint(0, 3))] if depth else []
    written: dict[str, object] = {
        "matchers": rng.sample(CONDITIONS, rng.choice([0, 1, 1, 1, 2])),
        "continue": rng.random() < 0.7,
        "routes": children,
    }
    if rng.random() < 0.8:
        written["receiver"] = f"r{rng.randint(0, 30)}"
    return written


def as_route(written: Mapping[str, object]) -> Route:
    matchers, children = written.get("matchers", ()), written["routes"]
    assert isinstance(matchers, list | tuple)
    assert isinstance(children, list)
    receiver = written.get("receiver")
    return Route(
        receiver=None if receiver is None else str(receiver),
        matchers=tuple(found for text in matchers for found in parse_matchers(text)),
        continue_=bool(written.get("continue")),
        routes=tuple(as_route(child) for child in children),
    )


def generated(seed: int) -> tuple[dict[str, object], list[dict[str, str]]]:
    rng = random.Random(seed)  # noqa: S311
    labelsets = [
        {name: rng.choice(values) for name, values in CHOICES.items() if rng.random() < 0.7}
        for _ in range(12)
    ]
    return {"receiver": "root", "routes": [random_route(rng, 3) for _ in range(4)]}, labelsets


def amtool(config: Path, labels: Mapping[str, str]) -> list[str]:
    """The receivers Alertmanager's own command names for these labels."""
    command = ["amtool", "config", "routes", "test", f"--config.file={config}"]
    # amtool reads its arguments as matchers, so that values need their quotes and escapes.
    escaped = {
        name: value.replace("\\", "\\\\").replace('"', '\\"') for name, value in labels.items()
    }
    arguments = [f'{name}="{value}"' for name, value in escaped.items()]
    done = subprocess.run([*command, *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip().split(",")


@pytest.mark.neighbour
@pytest.mark.parametrize("seed", range(12))
def test_alertmanager_sends_alerts_to_the_same_receivers(seed: int, tmp_path: Path) -> None:
    root, labelsets = generated(seed)
    receivers = [{"name": name} for name in ["root", *(f"r{at}" for at in range(31))]]
    config = tmp_path / "alertmanager.yml"
    config.write_text(yaml.safe_dump({"route": root, "receivers": receivers}))
    for labels in labelsets:
        ours = [found.receiver for found in match(as_route(root), labels)]
        assert ours == amtool(config, labels), labels
