"""`plantao tokens …`: who may call the API. On the database itself: it needs no token yet."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from app.commands.database import in_database
from app.commands.options import AsJson, Number, settings_with
from app.commands.terminal import moment, remark, say, say_json, table, width
from app.core.durations import DurationError, parse_duration
from app.core.rights import Right
from app.core.tokens import RANDOM_BYTES, Token, digest, written

if TYPE_CHECKING:
    from app.settings import Settings
    from app.store.database import Transaction

app = typer.Typer(
    help="Make, list and revoke API tokens, in the database itself.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

T = TypeVar("T")

_HEADER = ("TOKEN", "NAME", "RIGHT", "STATE", "MADE", "LAST USED", "EXPIRES")
_LONGEST_NAME = 100
_LONGEST_LIFE = timedelta(days=3650)


def _name(name: str) -> str:
    if not name.strip() or len(name) > _LONGEST_NAME:
        raise typer.BadParameter(f"expected a name of at most {_LONGEST_NAME} characters")
    return name.strip()


def _life(text: str | None) -> str | None:
    try:
        if text is not None and parse_duration(text) > _LONGEST_LIFE:
            raise typer.BadParameter("expected at most 10y")
    except (DurationError, OverflowError) as error:
        raise typer.BadParameter(str(error)) from None
    return text


@app.command()
def create(
    name: Annotated[
        str,
        typer.Argument(
            help="Whose it is: it stands beside what is done with it. `Ana <ana@example.com>` "
            "also says who that is.",
            callback=_name,
            show_default=False,
        ),
    ],
    *,
    right: Annotated[
        Right,
        typer.Option(help="read, respond (also act) or admin (also see what came in, unmasked)."),
    ] = Right.RESPOND,
    expires: Annotated[
        str | None,
        typer.Option(
            help="Opens nothing after this time, such as 90d.",
            callback=_life,
            show_default="never",
            metavar="DURATION",
        ),
    ] = None,
    json: AsJson = False,
) -> None:
    """Make a token, and show it this once."""
    secret = written(secrets.token_bytes(RANDOM_BYTES))
    settings, now = settings_with(), datetime.now(UTC)
    until = now + parse_duration(expires) if expires else None

    def add(tx: Transaction) -> Token:
        from app.store import tokens  # noqa: PLC0415

        return tokens.add(tx, name, right, digest(secret), expires_at=until, now=now)

    made = _done(settings, add)
    if json:
        say_json(_json(made, now) | {"token": secret})
        return
    say(secret)
    remark(f"Token {made.id} of {made.name}, right: {made.right}. It is not shown again.")


@app.command("list")
def list_(*, json: AsJson = False) -> None:
    """List all tokens that were ever made; none is shown itself.

    Times are in PLANTAO_TIMEZONE.
    """
    from app.store import tokens  # noqa: PLC0415

    settings, now = settings_with(), datetime.now(UTC)
    found = [_json(token, now) for token in _done(settings, tokens.every)]
    if json:
        say_json({"items": found})
    elif found:
        say(*table([_HEADER, *(_row(each, settings.timezone) for each in found)], within=width()))
    else:
        remark("There is no token: plantao tokens create makes one.")


@app.command()
def revoke(number: Number, *, json: AsJson = False) -> None:
    """End a token, and every session that was begun with it, at once."""
    now = datetime.now(UTC)

    def revoked(tx: Transaction) -> Token:
        from app.store import tokens  # noqa: PLC0415

        return tokens.revoke(tx, number, now=now)

    ended = _done(settings_with(), revoked)
    if json:
        say_json(_json(ended, now))
    else:
        say(f"Token {ended.id} of {ended.name} opens nothing any more.")


def _done(settings: Settings, work: Callable[[Transaction], T]) -> T:
    return asyncio.run(in_database(settings, work))


def _json(token: Token, now: datetime) -> dict[str, Any]:
    times = {"created_at": token.made_at, "last_used_at": token.used_at}
    times |= {"expires_at": token.expires_at, "revoked_at": token.revoked_at}
    return {
        "id": token.id,
        "name": token.name,
        "right": str(token.right),
        "state": token.state(now),
        **{name: _rfc3339(at) for name, at in times.items()},
    }


def _rfc3339(at: datetime | None) -> str | None:
    return at.isoformat(timespec="seconds").replace("+00:00", "Z") if at else None


def _row(token: dict[str, Any], zone: str) -> tuple[str, ...]:
    times = (token["created_at"], token["last_used_at"], token["expires_at"])
    shown = (moment(at, zone, "%Y-%m-%d %H:%M") or "never" for at in times)
    return (str(token["id"]), token["name"], token["right"], token["state"], *shown)
