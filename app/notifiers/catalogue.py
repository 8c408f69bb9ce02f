"""Translations: English messages are in the code, other languages in `app/locales/*.po`."""

from __future__ import annotations

import gettext
import re
from functools import cache
from importlib.resources import files
from io import BytesIO

from babel import Locale
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations

#: The pseudo-language of Unicode's CLDR, which nobody speaks: English in which every piece of a
#: message is marked, so that text which is not in the catalogue shows.
PSEUDO = "en-XA"
OPENS, CLOSES = "⟦", "⟧"

_LOCALES = files("app") / "locales"
_VALUE = re.compile(r"({\w*})")


@cache
def translations(locale: str) -> gettext.NullTranslations:
    """The messages in `locale` (as in `pt-BR`); English where there is no catalogue for it."""
    if locale == PSEUDO:
        return _Marked()
    catalogue = _LOCALES / f"{babel_locale(locale)}.po"
    if not catalogue.is_file():
        return gettext.NullTranslations()
    compiled = BytesIO()
    with catalogue.open("rb") as lines:
        write_mo(compiled, read_po(lines))
    compiled.seek(0)
    return Translations(compiled)


@cache
def babel_locale(locale: str) -> Locale:
    """`pt-BR` as Babel knows it. Raises ValueError or UnknownLocaleError if nobody does."""
    return Locale.parse("en" if locale == PSEUDO else locale, sep="-")


class _Marked(gettext.NullTranslations):
    """Marks the pieces between the values: what is put in for those is not ours by that."""

    def gettext(self, message: str) -> str:
        pieces = _VALUE.split(message)
        return "".join(
            piece if number % 2 or not piece.strip() else f"{OPENS}{piece}{CLOSES}"
            for number, piece in enumerate(pieces)
        )

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return self.gettext(msgid1 if n == 1 else msgid2)
