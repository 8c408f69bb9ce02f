"""What commands have in common: their options, and the settings these begin from."""

from __future__ import annotations

import getpass
import os
from collections.abc import Callable
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated

import typer

from app.settings import Settings, read_settings
from app.values import check_http_url


def settings_with(
    *, config: Path | None = None, host: str | None = None, port: int | None = None
) -> Settings:
    """The settings of the environment, with those that were given as options above them."""
    given = {"PLANTAO_HOST": host, "PLANTAO_PORT": port, "PLANTAO_CONFIG": config}
    stated = {name: str(value) for name, value in given.items() if value is not None}
    return read_settings({**os.environ, **stated})


def service_address(settings: Settings) -> str:
    """Where the service of these settings answers, without a slash at its end."""
    if settings.public_url or not _is_wildcard(settings.host):
        return settings.base_url
    # Nobody can be called at "every address of this machine"; the service itself answers here.
    return f"http://127.0.0.1:{settings.port}"


def _is_wildcard(host: str) -> bool:
    try:
        return ip_address(host.strip("[]")).is_unspecified
    except ValueError:
        return False


def parse_label(text: str) -> tuple[str, str]:
    """`name=value` as a pair. Raises BadParameter."""
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise typer.BadParameter(f"expected LABEL=VALUE such as severity=critical, found {text!r}")
    return name, value


def parse_labels(texts: list[str]) -> dict[str, str]:
    """Every `name=value`, each name once. Raises BadParameter."""
    labels: dict[str, str] = {}
    for name, value in map(parse_label, texts):
        if labels.setdefault(name, value) != value:
            raise typer.BadParameter(f"the label {name!r} is given twice")
    return labels


def _usable(check: Callable[[str], str]) -> Callable[[str | None], str | None]:
    """A callback that lets `check` judge a text, if there is one."""

    def judge(text: str | None) -> str | None:
        try:
            return check(text) if text is not None else None
        except ValueError as error:
            raise typer.BadParameter(str(error)) from None

    return judge


def _check_token(token: str) -> str:
    # Told without the token: what a header cannot carry may still be most of a secret.
    if not token or not token.isascii() or not token.isprintable():
        raise ValueError("expected printable ASCII characters")
    return token


def _check_person(name: str) -> str:
    if not name.strip():
        raise ValueError("expected a name")
    return name.strip()


def _login() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return ""


Config = Annotated[
    Path | None, typer.Option(help="The plantao.yml to use.", show_default=False, metavar="FILE")
]
Url = Annotated[
    str | None,
    typer.Option(
        help="Address of the service.",
        callback=_usable(check_http_url),
        show_default="PLANTAO_PUBLIC_URL, or PLANTAO_HOST and PLANTAO_PORT",
        metavar="URL",
    ),
]
Token = Annotated[
    str | None,
    typer.Option(
        help="Token of the API.",
        callback=_usable(_check_token),
        show_default="PLANTAO_API_TOKEN, or the first of PLANTAO_API_TOKENS",
        metavar="TOKEN",
    ),
]
WebhookToken = Annotated[
    str | None,
    typer.Option(
        "--token",
        help="Token of the webhook.",
        callback=_usable(_check_token),
        show_default="PLANTAO_WEBHOOK_TOKEN",
        metavar="TOKEN",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
By = Annotated[
    str,
    typer.Option(
        help="Who acts; `Ana <ana@example.com>` also says who that is.",
        default_factory=_login,
        callback=_usable(_check_person),
        show_default="the user who is logged in",
        metavar="NAME",
    ),
]
Number = Annotated[int, typer.Argument(min=1, metavar="NUMBER", show_default=False)]
