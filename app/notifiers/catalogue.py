"""Translations: English messages are in the code, other languages in `app/locales/*.po`."""

from __future__ import annotations

import gettext
from functools import cache
from importlib.resources import files
from io import BytesIO

from babel import Locale
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations

_LOCALES = files("app") / "locales"


@cache
def translations(locale: str) -> gettext.NullTranslations:
    """The messages in `locale` (as in `pt-BR`); English where there is no catalogue for it."""
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
    return Locale.parse(locale, sep="-")
