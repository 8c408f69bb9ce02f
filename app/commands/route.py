"""`plantao route`: where an alert would go, and by which way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.commands.options import AsJson, Config, parse_labels, settings_with
from app.commands.terminal import facts, say, say_json
from app.core.durations import format_duration
from app.core.routing import ALL_LABELS, Match, correlation_key, match
from app.notifiers.text import one_line

if TYPE_CHECKING:
    from app.engine.policy import Policy


def route(
    labels: Annotated[
        list[str],
        typer.Argument(metavar="LABEL=VALUE", help="The labels of the alert.", show_default=False),
    ],
    config: Config = None,
    json: AsJson = False,
) -> None:
    """Tell where an alert with these labels goes.

    That is: to which receivers, by which routes, and with which other alerts it is one incident.
    Nothing is sent, and no service needs to run.
    """
    alert = parse_labels(labels)
    policy = _policy(config)
    found = match(policy.config.root_route(), alert)
    if json:
        say_json(_as_json(alert, found, policy))
    else:
        say(*_as_text(alert, found, policy))


def _policy(config: Any) -> Policy:
    from app.configured import read_policy  # noqa: PLC0415

    return read_policy(settings_with(config=config))


def _receivers(found: Sequence[Match]) -> list[str]:
    return list(dict.fromkeys(each.receiver for each in found))


def _key(found: Sequence[Match], labels: Mapping[str, str]) -> str | None:
    """None where only Alertmanager, which groups the alert, could tell."""
    first = found[0]
    return correlation_key(first, labels, {}) if first.group_by is not None else None


def _as_json(labels: Mapping[str, str], found: Sequence[Match], policy: Policy) -> dict[str, Any]:
    return {
        "labels": labels,
        "receivers": _receivers(found),
        "routes": [
            {"receiver": each.receiver, "path": each.path, "group_by": each.group_by}
            for each in found
        ],
        "destinations": [
            {"receiver": place.receiver, "destination": str(place.destination)}
            for place in policy.places(_receivers(found))
        ],
        "group_by": found[0].group_by,
        "correlation_key": _key(found, labels),
        "reopen_within": format_duration(policy.reopen_within),
    }


def _as_text(labels: Mapping[str, str], found: Sequence[Match], policy: Policy) -> Iterator[str]:
    for each in found:
        yield one_line(each.receiver)
        yield from facts(_about(each, policy), indent="  ")
    if len(_receivers(found)) > 1:
        yield "It is one incident with all of these receivers; the first decides the grouping."
    yield ""
    yield from facts(
        [
            ("Grouped by", _grouping(found[0])),
            ("One incident", _together(found[0], labels)),
            ("Reopens", f"within {format_duration(policy.reopen_within)} of its end"),
        ]
    )


def _about(found: Match, policy: Policy) -> list[tuple[str, str]]:
    by = [("by route" if not at else "", step) for at, step in enumerate(found.path)]
    to = [str(place.destination) for place in policy.places([found.receiver])]
    spare = policy.fallback(found.receiver)
    return [
        *by,
        ("shown at", "; ".join(to)),
        ("if Slack fails", str(spare.destination) if spare and _needs_spare(to) else ""),
    ]


def _needs_spare(destinations: Sequence[str]) -> bool:
    return any(each.startswith("slack:") for each in destinations)


def _grouping(found: Match) -> str:
    match found.group_by:
        case None:
            return "what Alertmanager groups by (the route has no group_by)"
        case ():
            return "nothing: all alerts of the receiver are one group (group_by is empty)"
        case names if names == ALL_LABELS:
            return "all labels"
        case names:
            return ", ".join(names)


def _together(found: Match, labels: Mapping[str, str]) -> str:
    """Which alerts share an incident with this one, in words."""
    whose = f"alerts for {found.receiver}"
    if found.group_by is None:
        return f"{whose} that come in one group of Alertmanager's"
    names = sorted(labels) if found.group_by == ALL_LABELS else found.group_by
    pairs = [f'{name}="{labels[name]}"' if labels.get(name) else f"no {name}" for name in names]
    return f"{whose} with {' and '.join(pairs)}" if pairs else f"all {whose}"
