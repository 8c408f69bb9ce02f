"""`plantao receipts …`: what came in, byte for byte."""

from __future__ import annotations

import base64
import sys
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Annotated, Any

import typer

from app.commands.client import api
from app.commands.options import AsJson, Number, Token, Url, settings_with
from app.commands.terminal import facts, moment, remark, say, say_json, table, width

app = typer.Typer(
    help="List what came in, look at it, and apply it again.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


class State(StrEnum):
    """A receipt's, as the API calls them."""

    ACCEPTED = "accepted"
    APPLIED = "applied"
    QUARANTINED = "quarantined"


_HEADER = ("RECEIPT", "STATE", "RECEIVED", "BYTES", "RECEIVER", "PROBLEM")


@app.command("list")
def list_(
    *,
    state: Annotated[
        State | None,
        typer.Option(help="Only in this state.", show_default=False, metavar="|".join(State)),
    ] = None,
    limit: Annotated[
        int, typer.Option(min=1, max=500, help="At most so many.", metavar="COUNT")
    ] = 50,
    json: AsJson = False,
    url: Url = None,
    token: Token = None,
) -> None:
    """List receipts, the newest first.

    Times are in PLANTAO_TIMEZONE.
    """
    settings = settings_with()
    query = {"state": state, "limit": limit}
    page = api(settings, url, token).get("/receipts", query, holding="items")
    if json:
        say_json(page)
        return
    if page["items"]:
        rows = [_HEADER, *(_row(receipt, settings.timezone) for receipt in page["items"])]
        say(*table(rows, within=width()))
    else:
        remark("There is no such receipt.")
    if page.get("next"):
        remark(f"There are more than these {limit}: see --limit.")


@app.command()
def show(
    number: Number,
    *,
    body: Annotated[
        bool, typer.Option("--body", help="Print the body and nothing else, for programs.")
    ] = False,
    json: AsJson = False,
    url: Url = None,
    token: Token = None,
) -> None:
    """Show one receipt and its body."""
    settings = settings_with()
    receipt = api(settings, url, token).get(f"/receipts/{number}", holding="receipt")
    if json:
        say_json(receipt)
    elif body and not sys.stdout.isatty():
        sys.stdout.buffer.write(_body(receipt))
    else:
        say(*([] if body else _text(receipt, settings.timezone)))
        say(_body(receipt).decode(errors="replace"))


@app.command()
def replay(number: Number, *, url: Url = None, token: Token = None) -> None:
    """Apply a receipt again, as if it came now.

    What has become known since is not undone.
    """
    service = api(settings_with(), url, token)
    answer = service.post(f"/receipts/{number}/replay", holding="receipt")
    say(f"Receipt {answer['receipt']} is {answer.get('state')} again.")


def _row(receipt: Mapping[str, Any], zone: str) -> tuple[str, ...]:
    return (
        str(receipt["receipt"]),
        receipt["state"],
        moment(receipt["received_at"], zone),
        str(receipt["size"]),
        receipt["receiver"] or "",
        receipt["problem"] or "",
    )


def _text(receipt: Mapping[str, Any], zone: str) -> Iterator[str]:
    yield f"Receipt {receipt['receipt']}: {receipt['state']}"
    yield from facts(
        [
            ("Received", moment(receipt["received_at"], zone)),
            ("Applied", moment(receipt["applied_at"], zone)),
            ("Receiver", receipt["receiver"] or ""),
            ("Problem", receipt["problem"] or ""),
            *sorted(receipt["headers"].items()),
        ]
    )
    yield ""


def _body(receipt: Mapping[str, Any]) -> bytes:
    if "body_base64" in receipt:
        return base64.b64decode(receipt["body_base64"])
    return str(receipt["body"]).encode()
