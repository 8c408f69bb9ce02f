"""What every page of the console has: its reader's language and colours, addresses, headers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal, cast

from fastapi import Depends, Request
from starlette.responses import Response

from app.core.rights import Right
from app.notifiers.wording import N_, Words, words
from app.web import headers
from app.web.auth import ConsoleAdmin, ConsoleReader, ConsoleResponder, Viewer
from app.web.console import static
from app.web.context import Context, Service
from app.web.pages import environment

Theme = Literal["auto", "light", "dark"]

LANGUAGES: Mapping[str, str] = {"en": "English", "pt-BR": "Português"}
THEMES: Mapping[Theme, str] = {
    "auto": N_("As the system"),
    "light": N_("Light"),
    "dark": N_("Dark"),
}
LANGUAGE, THEME = "plantao_language", "plantao_theme"  # cookies
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
    viewer: Viewer
    ancestors: Sequence[str] = ()
    embedded: bool = False

    @property
    def name(self) -> str:
        """ "" where nobody said who it is."""
        return self.viewer.person.name if self.viewer.person else ""

    @property
    def acts(self) -> bool:
        """Whether they are offered what can be done; not where the page stands in another."""
        return self.viewer.may(Right.RESPOND) and not self.embedded

    @property
    def administers(self) -> bool:
        return self.viewer.may(Right.ADMIN) and not self.embedded

    def since(self, at: datetime) -> str:
        """How long ago that was."""
        return self.words.duration(self.now - at)

    def moment(self, at: datetime) -> str:
        return self.words.moment(at, beside=self.now)


def reader(request: Request, service: Context, viewer: Viewer) -> Reader:
    """How pages are made for who asks for one."""
    locale = _locale(request, service.settings.locale)
    theme = request.cookies.get(THEME, "auto")
    return Reader(
        words=words(locale, service.settings.timezone),
        locale=locale,
        theme=cast("Theme", theme) if theme in THEMES else "auto",
        root="../" * (_path(request).count("/") - 1),
        now=service.clock.now(),
        viewer=viewer,
        ancestors=service.settings.frame_ancestors,
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
            csrf=who.viewer.csrf,
        )
    )
    return headers.page(html, status, ancestors=who.ancestors if who.embedded else ())


def _reading(request: Request, service: Service, viewer: ConsoleReader) -> Reader:
    return reader(request, service, viewer)


def _acting(request: Request, service: Service, viewer: ConsoleResponder) -> Reader:
    return reader(request, service, viewer)


def _administering(request: Request, service: Service, viewer: ConsoleAdmin) -> Reader:
    return reader(request, service, viewer)


Reading = Annotated[Reader, Depends(_reading)]
Acting = Annotated[Reader, Depends(_acting)]
Administering = Annotated[Reader, Depends(_administering)]
