"""Alerts: what they are, what names them, and how bad they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

Labels: TypeAlias = Mapping[str, str]


class AlertStatus(StrEnum):
    """Only each alert's own status counts; a group's status is computed after truncation."""

    FIRING = "firing"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class Alert:
    """One labelled condition as somebody reported it. All times are in UTC.

    `fingerprint` names the alert; (`fingerprint`, `starts_at`) names one occurrence.
    `ends_at` is None while the alert fires.
    """

    fingerprint: str
    status: AlertStatus
    labels: Labels
    annotations: Labels
    starts_at: datetime
    ends_at: datetime | None = None
    generator_url: str = ""

    @property
    def firing(self) -> bool:
        return self.status is AlertStatus.FIRING


_FNV64_OFFSET = 0xCBF29CE484222325
_FNV64_PRIME = 0x100000001B3
_SEPARATOR = b"\xff"


def fingerprint(labels: Labels) -> str:
    """The alert's name as Alertmanager computes it: FNV-1a 64 over the sorted label set.

    Source: prometheus/common `model/signature.go`, `labelSetToFingerprint`.
    """
    digest = _FNV64_OFFSET
    for name in sorted(labels):
        text = name.encode() + _SEPARATOR + labels[name].encode() + _SEPARATOR
        for byte in text:
            digest = ((digest ^ byte) * _FNV64_PRIME) & 0xFFFFFFFFFFFFFFFF
    return f"{digest:016x}"


NO_SEVERITY = "unknown"
_SEVERITY_RANK = {
    "none": 0,
    "info": 1,
    "informational": 1,
    "notice": 1,
    "low": 1,
    "warning": 2,
    "warn": 2,
    "medium": 2,
    "ticket": 2,
    "error": 3,
    "high": 3,
    "major": 3,
    "critical": 4,
    "crit": 4,
    "page": 4,
    "fatal": 4,
    "emergency": 4,
    "disaster": 4,
}


def severity(labels: Labels) -> str:
    """The `severity` label in lower case, or "unknown" where there is none."""
    return labels.get("severity", "").strip().lower() or NO_SEVERITY


def severity_rank(name: str) -> int:
    """0 (none) to 4 (critical). A word nobody knows counts as a warning: it could be anything."""
    return _SEVERITY_RANK.get(name, 2)


#: The severities that we know the meaning of; and what stands for all others, where the number
#: of names must be bounded.
SEVERITIES = tuple(_SEVERITY_RANK)
OTHER_SEVERITY = "other"


def known_severity(name: str) -> str:
    """The name if it is one of `SEVERITIES`, else "other"."""
    return name if name in _SEVERITY_RANK else OTHER_SEVERITY


def worst(*names: str) -> str:
    """The worst of some severities; the first of equals."""
    return max(names, key=severity_rank)


def shared(left: Labels, right: Labels) -> dict[str, str]:
    """The labels that both have with the same value."""
    return {name: value for name, value in left.items() if right.get(name) == value}
