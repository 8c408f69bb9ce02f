"""Personal data and secrets, masked in whatever is shown; what is stored stays as it came.

The kinds stand in `identifiers.py` and `credentials.py`. Labels are matched, silenced and
correlated by what they are, so that nothing here touches what is kept: only a copy that leaves.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from datetime import date, datetime, timedelta
from functools import cache, lru_cache
from typing import Any, TypeVar, cast
from urllib.parse import quote, unquote

import re2

from app.core.alerts import Alert
from app.core.credentials import CREDENTIALS, is_said, names_a_secret
from app.core.facts import Earlier, Measured, ModelVersion
from app.core.identifiers import IDENTIFIERS
from app.core.incidents import Entry, Incident, Note
from app.core.masking import STARS
from app.core.matchers import Matcher
from app.core.postings import Posting
from app.core.silences import Silence

T = TypeVar("T")
_NO_TEXT = frozenset({int, float, bool, type(None), datetime, timedelta, date})

KINDS = (*CREDENTIALS, *IDENTIFIERS)
NAMES = tuple(dict.fromkeys(kind.name for kind in KINDS))
"""Every kind's name, as the metric has it."""

#: Who acted, whom we tell, and what things are called among machines stays: people need it, and
#: an outsider has no say in it.
_STAYS: Mapping[type, frozenset[str]] = {
    Incident: frozenset(
        {
            "acknowledged_by",
            "acknowledged_ref",
            "assigned_to",
            "assigned_ref",
            "resolved_by",
            "resolved_ref",
            "replies_muted_by",
            "receivers",
        }
    ),
    Entry: frozenset({"actor", "actor_ref"}),
    Note: frozenset({"author", "source", "link", "thread", "removed_by"}),
    Silence: frozenset({"by", "ending_by", "ended_by", "token", "reference"}),
    Alert: frozenset({"fingerprint"}),
    Earlier: frozenset({"last_note_by"}),
    ModelVersion: frozenset({"registered_by"}),
    Measured: frozenset({"line"}),  # numbers only, and hundreds of them
    Posting: frozenset({"destination", "token", "receiver", "root", "details", "chart"}),
}
#: The same of what an entry's data holds under names of our own.
_STAYS_IN_DATA = frozenset(
    {"fingerprints", "destination", "to", "author", "by", "thread", "mention"}
)


def _one_look() -> Any:
    """All signs and forms at once: most texts hold none, and RE2 says so in a microsecond."""
    options = re2.Options()
    options.never_capture = True
    signs = "|".join(re2.escape(sign) for kind in KINDS for sign in kind.signs)
    forms = (kind.form.pattern for kind in KINDS if not kind.signs)
    return re2.compile("|".join([f"(?i:{signs})", *dict.fromkeys(forms)]).encode(), options)


_WORTH_A_LOOK = _one_look()
_ESCAPE = re.compile("%[0-9A-Fa-f]{2}")
_WORD = re.compile(r"\S+")
_URL_PARTS = re.compile(r"([/?#&=;,]+)")
_UNSEEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]"
)
_NAMES_SOMETHING = re.compile(
    "(?i)pix|chave|evp|key|tel|fone|phone|cel|mobile|msisdn|whats|pass|senha|secret|segredo|token"
    "|pwd|auth|cred|sig|cookie|cv[vc]"
)
_MOST_ROUNDS = 5
_AS_THEY_ARE = "*@+:,()-._~"


class Masks:
    """Masks one thing that is about to leave; `counts` then says how much of each kind.

    What is in `keep` stays: texts such as an address of ours, or all of a domain's addresses,
    as "@example.com"; in lower case.
    """

    def __init__(self, keep: frozenset[str] = frozenset()) -> None:
        self.counts: Counter[str] = Counter()
        self._keep = keep
        self._known: dict[tuple[str, str], str] = {}

    def of(self, value: T, name: str = "") -> T:
        """A copy with every text in it masked, keys of mappings too; itself if there is none.

        `name` is the label or key that it stands under.
        """
        masked: Any = value
        if type(value) is str:
            masked = self.text(cast("str", value), name)
        elif type(value) in _NO_TEXT:
            pass
        elif isinstance(value, Mapping):
            masked = self._mapping(value)
        elif isinstance(value, list | tuple):
            masked = self._sequence(value, name)
        elif isinstance(value, Matcher):
            masked = self._matcher(value)
        elif is_dataclass(value) and not isinstance(value, type):
            masked = self._dataclass(value)
        return cast("T", masked)

    def text(self, text: str, name: str = "") -> str:
        """The text masked. It stays as it is when it is masked again."""
        name = name if _says_something(name) else ""
        known = self._known.get((name, text))
        if known is None:
            known = self._labelled(text, name) if name else self._masked(text)
            self._known[name, text] = known
        return known

    def _labelled(self, text: str, name: str) -> str:
        if names_a_secret(name):
            self.counts["secret"] += not is_said(text)
            return text if is_said(text) else STARS
        # A label is read as people write it: its name says what the value is.
        before = f"{name}="
        masked = self._masked(before + text)
        return masked[len(before) :] if masked.startswith(before) else self._masked(text)

    def _masked(self, text: str) -> str:
        """What one mask leaves can make room for another, as in a number between two others."""
        for _ in range(_MOST_ROUNDS):
            masked = self._once(text)
            if masked == text:
                break
            text = masked
        return text

    def _once(self, text: str) -> str:
        if "%" in text and _ESCAPE.search(text):
            text = _WORD.sub(self._decoded, text)
        if not text.isprintable():
            # What cannot be seen is left out where the text is shown: it must hide nothing.
            seen = _UNSEEN.sub("", text)
            if seen != text and (masked := self._by_kinds(seen)) != seen:
                return masked
        return self._by_kinds(text)

    def _by_kinds(self, text: str) -> str:
        if not _WORTH_A_LOOK.search(text.encode(errors="surrogatepass")):
            return text
        low = text.lower()
        for kind in KINDS:
            if kind.may_be_in(text, low):
                text = kind.pattern.sub(self._counting(kind.name, kind.mask), text)
        return text

    def _counting(
        self, name: str, mask: Callable[[re.Match[str]], str]
    ) -> Callable[[re.Match[str]], str]:
        def counted(found: re.Match[str]) -> str:
            text = found[0]
            masked = text if self._stays(text, name) else mask(found)
            self.counts[name] += masked != text
            return masked

        return counted

    def _stays(self, text: str, kind: str) -> bool:
        low = text.lower()
        domain = low[low.rfind("@") :] if kind == "email" else low
        return low in self._keep or domain in self._keep

    def _decoded(self, word: re.Match[str]) -> str:
        """A link's parts say with % what a text says plainly; what holds nothing stays as it is.

        A masked link may lead elsewhere, or nowhere: one that tells is worse.
        """
        if "%" not in word[0]:
            return word[0]
        parts = _URL_PARTS.split(word[0])
        return "".join(self._part(part) for part in parts)

    def _part(self, part: str) -> str:
        plain = unquote(unquote(unquote(part)))  # a link in a link in a link
        masked = self._by_kinds(plain)
        return part if masked == plain else quote(masked, safe=_AS_THEY_ARE)

    def _mapping(
        self, value: Mapping[Any, Any], stays: frozenset[str] = frozenset()
    ) -> Mapping[Any, Any]:
        masked = {}
        for key, each in value.items():
            named = self.of(key)
            name = named if isinstance(named, str) else ""
            masked[named] = each if name in stays else self.of(each, name)
        return value if masked == value else masked

    def _sequence(self, value: Sequence[Any], name: str) -> Sequence[Any]:
        masked = [self.of(each, name) for each in value]
        if all(new is old for new, old in zip(masked, value, strict=True)):
            return value
        return type(value)(masked)  # type: ignore[call-arg]

    def _matcher(self, value: Matcher) -> Matcher:
        """One to read; stars would be no regular expression where they stand for a number."""
        name, text = self.text(value.name), self.text(value.value, value.name)
        if (name, text) == (value.name, value.value):
            return value
        return Matcher(name, value.op, text.replace("*", ".") if value.is_regex else text)

    def _dataclass(self, value: Any) -> Any:
        changed = {}
        kind: type = type(value)
        for name in _walked(kind):
            old = getattr(value, name)
            ours = name == "data" and kind is Entry
            new = self._mapping(old, _STAYS_IN_DATA) if ours else self.of(old)
            if new is not old:
                changed[name] = new
        return replace(value, **changed) if changed else value


@lru_cache(maxsize=2048)
def _says_something(name: str) -> bool:
    return _NAMES_SOMETHING.search(name) is not None


@cache
def _walked(kind: type) -> tuple[str, ...]:
    stays = _STAYS.get(kind, frozenset())
    return tuple(field.name for field in fields(kind) if field.name not in stays)


def mask(text: str, name: str = "") -> str:
    """One text masked, and nothing counted; `name` is the label it stands under."""
    return Masks().text(text, name)
