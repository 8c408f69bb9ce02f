"""What every page of the console has: its reader's language and colours, addresses, headers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, cast
from urllib.parse import unquote

from fastapi import Request
from starlette.responses import HTMLResponse, Response

from app.notifiers.text import cut, one_line
from app.notifiers.wording import N_, Words, words
from app.web.console import static
from app.web.context import Context
from app.web.rendering import environment

Theme = Literal["auto", "light", "dark"]

LANGUAGES: Mapping[str, str] = {"en": "English", "pt-BR": "Português"}
THEMES: Mapping[Theme, str] = {
    "auto": N_("As the system"),
    "light": N_("Light"),
    "dark": N_("Dark"),
}
LANGUAGE, THEME, NAME = "plantao_language", "plantao_theme", "plantao_name"  # cookies
LONGEST_NAME = 60
#: The view people begin with, below the service's root: what is not over.
OPEN = "console/incidents?status=triggered&status=acknowledged"

_NAV = (
    ("incidents", N_("Incidents"), OPEN),
    ("stats", N_("Statistics"), "console/stats"),
    ("changes", N_("Changes"), "console/changes"),
    ("receipts", N_("Receipts"), "console/receipts"),
    ("health", N_("Health"), "console/health"),
)


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads a page, and how it is made for them.

    `root` leads from the page to the service's root, so that pages work behind a proxy that
    serves us below a path of its own. `now` is in UTC. `embedded`: the page stands in another.
    """

    words: Words
    locale: str
    theme: Theme
    root: str
    now: datetime
    name: str
    acts: bool
    administers: bool
    embedded: bool = False

    def since(self, at: datetime) -> str:
        """How long ago that was."""
        return self.words.duration(self.now - at)

    def moment(self, at: datetime) -> str:
        return self.words.moment(at, beside=self.now)


def reader(request: Request, service: Context) -> Reader:
    """Who asks for a page."""
    locale = _locale(request, service.settings.locale)
    theme = request.cookies.get(THEME, "auto")
    return Reader(
        words=words(locale, service.settings.timezone),
        locale=locale,
        theme=cast("Theme", theme) if theme in THEMES else "auto",
        root="../" * (_path(request).count("/") - 1),
        now=service.clock.now(),
        name=cut(one_line(unquote(request.cookies.get(NAME, ""))), LONGEST_NAME),
        acts=True,
        administers=True,
        embedded="embed" in request.query_params,
    )


def _path(request: Request) -> str:
    path: str = request.scope["path"]
    return path.removeprefix(request.scope.get("root_path", ""))


def _locale(request: Request, fallback: str) -> str:
    """What was chosen here, else the first that the browser asks for, else the service's own."""
    chosen = request.cookies.get(LANGUAGE, "")
    if chosen in LANGUAGES:
        return chosen
    for each in request.headers.get("accept-language", "").split(","):
        language = each.partition(";")[0].strip().lower().partition("-")[0]
        for known in LANGUAGES:
            if known.partition("-")[0] == language:
                return known
    return fallback


def page(
    who: Reader, template: str, *, title: str, here: str = "", status: int = 200, **facts: Any
) -> Response:
    """A page made of a template; `here` names the part of the console that it belongs to."""
    html = (
        environment()
        .get_template(f"console/{template}")
        .render(
            facts,
            who=who,
            say=who.words.say,
            count=who.words.count,
            number=who.words.number,
            title=title,
            here=here,
            nav=[(key, who.words.say(name), who.root + where) for key, name, where in _NAV],
            languages=LANGUAGES,
            themes=[(key, who.words.say(name)) for key, name in THEMES.items()],
            static=lambda name: who.root + static.address(name),
            path=lambda where: who.root + where,
            open_view=who.root + OPEN,
            longest_name=LONGEST_NAME,
        )
    )
    return HTMLResponse(html, status, headers=_headers())


def _headers() -> dict[str, str]:
    return {
        "Cache-Control": "no-store",
        "Referrer-Policy": "same-origin",
        "X-Robots-Tag": "noindex, nofollow",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
            "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        ),
    }
