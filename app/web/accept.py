"""`Accept`: which of several forms a client would rather have (RFC 9110, 12.5.1)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TypeAlias

_QUALITY = re.compile(r"q\s*=\s*(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)")

#: A range of forms, such as `text/csv` or `text/*`; its place in the header, and its quality.
_Ranges: TypeAlias = Mapping[str, tuple[int, float]]


def preferred(accept: str, forms: Sequence[str]) -> str:
    """The form of the best quality; of equals the one that is named more exactly, then sooner.

    The first of `forms` where the header wants none of them.
    """
    asked = _ranges(accept)
    return max(forms, key=lambda form: _rank(form, asked))


def _rank(form: str, asked: _Ranges) -> tuple[float, int, int]:
    """The higher, the rather. What is said of a form itself goes before what is said of `*`."""
    for exactness, each in ((2, form), (1, f"{form.partition('/')[0]}/*"), (0, "*/*")):
        if each in asked:
            place, quality = asked[each]
            return (quality, exactness, -place) if quality else _NOT_WANTED
    return _NOT_WANTED


_NOT_WANTED = (0.0, 0, 0)


def _ranges(accept: str) -> _Ranges:
    found: dict[str, tuple[int, float]] = {}
    for place, part in enumerate(accept.lower().split(",")):
        form, *parameters = (each.strip() for each in part.split(";"))
        found.setdefault(form, (place, _quality(parameters)))
    return found


def _quality(parameters: Sequence[str]) -> float:
    known = (_QUALITY.fullmatch(each) for each in parameters)
    return next((float(each[1]) for each in known if each), 1.0)
