"""The shipped configuration of Prometheus and Alertmanager with its waiting made short.

Nothing is written twice: what the tests run is what users run, with every duration shortened by one
rule, so that what is longer stays longer, and with thresholds that fit a pipeline this small.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "y": 31536000}
_PART = r"\d+(?:ms|[smhdwy])"
#: A range `[5m]`, or an offset, in an expression.
_DURATION = re.compile(rf"(?<=\[)(?:{_PART})+(?=\])|(?<=offset )(?:{_PART})+")

#: Ages and delays, which a fault has to wait for: shortened by `age`.
_WAITED_FOR = re.compile(
    r"threshold:\w*(age|watermark_delay|last_data_commit|ingest_lag)\w*:seconds"
)


Shorten = Callable[[float], float]


def seconds(duration: str) -> float:
    """Prometheus' notation in seconds: `1h30m`."""
    parts = re.findall(r"(\d+)(ms|[smhdwy])", duration)
    return sum(int(number) * _UNITS[unit] for number, unit in parts)


def window(length: float) -> float:
    """A range, shortened: 5 minutes to 22 seconds, a day to 208, a week to 7.5 minutes.

    Below, a range would hold too few scrapes.
    """
    return max(2.2 * math.pow(length, 0.4), 20.0)


def age(length: float) -> float:
    """What has to grow old before an alert, shortened: 5 minutes to 40 seconds, a week to 125."""
    return 40 * math.pow(length / 300, 0.15)


def patience(length: float) -> float:
    """A `for:`, shortened: a minute to 3 seconds, 5 to 6, 15 to 9, 30 to 12."""
    return 0.4 * math.pow(length, 0.46)


def shortened(text: str, shorten: Shorten) -> str:
    return f"{round(shorten(seconds(text)))}s"


def rules(shipped: Mapping[str, Any], thresholds: Mapping[str, float]) -> dict[str, Any]:
    """A file of rules with its waiting made short, and these thresholds in place of its own."""
    groups = [
        {**group, "rules": [_rule(rule, thresholds) for rule in group["rules"]]}
        for group in shipped["groups"]
    ]
    return {"groups": groups}


def _rule(rule: Mapping[str, Any], thresholds: Mapping[str, float]) -> dict[str, Any]:
    changed = dict(rule)
    name = str(rule.get("record", ""))
    if name in thresholds:
        changed["expr"] = str(thresholds[name])
    elif _WAITED_FOR.fullmatch(name):
        changed["expr"] = str(age(_number(rule["expr"])))
    else:
        changed["expr"] = _DURATION.sub(
            lambda found: shortened(found[0], window), str(rule["expr"])
        )
    if "for" in rule:
        changed["for"] = shortened(rule["for"], patience)
    if "keep_firing_for" in rule:
        changed["keep_firing_for"] = shortened(rule["keep_firing_for"], patience)
    return changed


def _number(expr: object) -> float:
    """A threshold's expression is a number, or a product of two."""
    product = 1.0
    for factor in str(expr).split("*"):
        product *= float(factor)
    return product


def prometheus(shipped: Mapping[str, Any], *, interval: str, folder: str) -> dict[str, Any]:
    """prometheus.yml with one short interval; rules and targets are read from `folder`."""
    scrapes = [
        {key: value for key, value in job.items() if key != "scrape_interval"}
        for job in shipped["scrape_configs"]
    ]
    own = {"scrape_interval": interval, "scrape_timeout": interval, "evaluation_interval": interval}
    return {
        **shipped,
        "global": {**shipped["global"], **own},
        "rule_files": [f"{folder}/{name}" for name in shipped["rule_files"]],
        "scrape_configs": scrapes,
    }


def alertmanager(
    shipped: Mapping[str, Any], *, webhook: str, token: str, mail: str, heartbeat: str, folder: str
) -> dict[str, Any]:
    """alertmanager.yml that groups within seconds, with these neighbours in place of its examples.

    `webhook` is the service's address, `mail` a server's `host:port` without a password,
    `heartbeat` whoever is to notice that the Watchdog is silent; templates are read from `folder`.
    """
    mails = {"smtp_smarthost": mail, "smtp_from": "alertmanager@example.com"}
    receivers = {receiver["name"]: dict(receiver) for receiver in shipped["receivers"]}
    receivers["dead-mans-switch"]["webhook_configs"] = [{"url": heartbeat, "send_resolved": False}]
    [posted] = receivers["plantao"]["webhook_configs"]
    bearer = {"authorization": {"type": "Bearer", "credentials": token}}
    receivers["plantao"]["webhook_configs"] = [{**posted, "url": webhook, "http_config": bearer}]
    return {
        **shipped,
        "global": {"resolve_timeout": "5m", "smtp_require_tls": False, **mails},
        "templates": [f"{folder}/{name}" for name in shipped["templates"]],
        "route": _route(shipped["route"]),
        "receivers": list(receivers.values()),
    }


_LONGEST = {"group_wait": 1, "group_interval": 3}


def _route(route: Mapping[str, Any]) -> dict[str, Any]:
    changed = dict(route)
    for key in _LONGEST.keys() & route.keys():
        changed[key] = f"{min(_LONGEST[key], round(seconds(route[key])))}s"
    if seconds(route.get("repeat_interval", "1h")) < _UNITS["h"]:
        changed["repeat_interval"] = f"{_LONGEST['group_interval']}s"
    if "routes" in route:
        changed["routes"] = [_route(child) for child in route["routes"]]
    return changed
