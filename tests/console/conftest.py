"""A browser for the tests of a module, and services for it to look at."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from tests.console.town import Town, night, town
from tests.neighbours.browser import FLAGS, find_chromium

PHONE, DESK = (360, 740), (1280, 860)

#: Chromium says this of every answer that is no success, on purpose or not.
_STATUS = "Failed to load resource: the server responded with a status of"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Of the module, not of the session: while it is there, its thread runs no other loop."""
    with sync_playwright() as playwright:
        flags = [flag for flag in FLAGS if flag != "--headless"]
        chromium = playwright.chromium.launch(executable_path=find_chromium(), args=flags)
        yield chromium
        chromium.close()


@dataclass(slots=True)
class Visitor:
    """Somebody with a browser of their own at a town. What it complains of is kept."""

    page: Page
    url: str
    complaints: list[str] = field(default_factory=list)

    def goto(self, path: str) -> int:
        """Open a page; its status."""
        answer = self.page.goto(f"{self.url}{path}")
        assert answer is not None
        return answer.status

    def sees(self, text: str) -> None:
        """Wait until the page shows this text."""
        self.page.get_by_text(text).first.wait_for(timeout=60_000)

    def press(self, name: str, *, within: str = "body") -> None:
        """Press the first button of that name."""
        self.page.locator(within).get_by_role("button", name=name, exact=True).first.click()

    def opens(self, name: str) -> None:
        """Open what is below that word."""
        self.page.locator("summary", has_text=name).first.click()

    def barriers(self) -> list[str]:
        """What keeps people out, by WCAG 2.2 AA, as axe finds it."""
        rules = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
        found = Axe().run(self.page, options=rules)
        return [
            f"{each['id']}: {node['html'][:200]} {node.get('failureSummary', '')}"
            for each in found.response["violations"]
            for node in each["nodes"]
        ]


class Visit(Protocol):
    def __call__(self, there: Town, **how: Any) -> Visitor: ...


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visit]:
    """Come to a town with a browser that nobody has used; its console must stay silent."""
    with ExitStack() as visits:

        def come(there: Town, **how: Any) -> Visitor:
            return visits.enter_context(visiting(browser, there, **how))

        yield come


@contextmanager
def visiting(
    browser: Browser,
    there: Town,
    *,
    size: tuple[int, int] = DESK,
    dark: bool = False,
    language: str = "en-GB",
    scripts: bool = True,
) -> Iterator[Visitor]:
    width, height = size
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if dark else "light",
        locale=language,
        is_mobile=size == PHONE,
        java_script_enabled=scripts,
        reduced_motion="reduce",
    )
    context.set_default_timeout(60_000)
    visitor = Visitor(context.new_page(), there.url)

    def heard(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and not message.text.startswith(_STATUS):
            visitor.complaints.append(message.text)

    visitor.page.on("console", heard)
    visitor.page.on("pageerror", lambda error: visitor.complaints.append(str(error)))
    try:
        yield visitor
        assert visitor.complaints == []
    finally:
        context.close()


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A night's incidents, for reading."""
    with town(tmp_path_factory.mktemp("quiet")) as there:
        night(there)
        there.run(there.house.post(b"not a notification"))
        yield there


@pytest.fixture
def there(tmp_path: Path) -> Iterator[Town]:
    """A night's incidents, of one's own."""
    with town(tmp_path) as own:
        night(own)
        yield own
