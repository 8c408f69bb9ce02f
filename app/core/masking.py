"""How something is found in a text and masked: one row of the table of kinds."""

from __future__ import annotations

import re
from collections.abc import Callable, Container
from dataclasses import dataclass

#: What stands in for what is left out.
STARS = "***"

DASH = "[-\u2010-\u2013]"
#: A number begins here: not within a word or a longer number, nor behind a decimal point. The
#: letters of an escaped line end, and the name of what follows, do not count. It stands behind
#: the number's first character, which so can be looked for first: that is several times faster.
HEAD = (
    r"(?:(?<![0-9A-Za-z].)|(?<=\\[nrt].)|(?<=[cC][pP][fF].)|(?<=[nN][pP][jJ].))"
    r"(?<![0-9]\..)(?<![^0-9]0,.)"
)
TAIL = r"(?![0-9A-Za-z])(?!\.[0-9])"
#: What every written number that is looked for has somewhere, and dates and IP addresses have not.
NUMBER = re.compile(
    rf"[0-9]{{3}}(?:[0-9]{{5}}|(?:{DASH}|[\s.])[0-9]{{4}}"
    rf"|[\s.]?[0-9]{{3}}(?:{DASH}|[/\s])?[0-9]{{2}})"
)


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of thing that is masked.

    `name` is its label in the metric. `mask` makes of a match what is shown, or gives it back as
    it is if its check digits say that it is something else. To save time a text is only searched
    if it holds one of `signs` (in lower case), or if there are none, the `form`, which RE2 must
    understand too.
    """

    name: str
    pattern: re.Pattern[str]
    mask: Callable[[re.Match[str]], str]
    signs: tuple[str, ...] = ()
    form: re.Pattern[str] = NUMBER

    def may_be_in(self, text: str, low: str) -> bool:
        """Whether it is worth looking; `low` is the text in lower case."""
        if self.signs:
            return any(map(low.__contains__, self.signs))
        return self.form.search(text) is not None


def stars(text: str, *, keep: Container[int] = (), last: int = 0, also: str = "") -> str:
    """The text with a star for each letter and digit, and for each character of `also`.

    Those at the places `keep` stay, counted from 0 without what separates them, and the `last`.
    """
    hidden = [char.isalnum() or char in also for char in text]
    count, place, shown = sum(hidden), 0, []
    for char, hides in zip(text, hidden, strict=True):
        stays = not hides or place in keep or place >= count - last
        shown.append(char if stays else "*")
        place += hides
    return "".join(shown)
