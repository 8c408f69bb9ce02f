"""How pages are made of templates."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from app.notifiers.wording import Words


def render(template: str, words: Words, facts: Mapping[str, Any]) -> str:
    """The page, everything in it escaped. `language` is for the page's `lang`."""
    return environment().get_template(template).render(facts, language=words.language)


@cache
def environment() -> Environment:
    """Where templates come from; what is not given to one is an error."""
    return Environment(loader=PackageLoader("app.web"), autoescape=True, undefined=StrictUndefined)
