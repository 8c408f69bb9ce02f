"""The `plantao` command: each of its commands is in the file of its name in `app/commands`."""

from __future__ import annotations

import io
import os
import sys

import typer
from typer.exceptions import TyperException

from app.commands import incidents, receipts, tokens
from app.commands.check import check
from app.commands.exporter import exporter
from app.commands.reload import reload
from app.commands.route import route
from app.commands.send_test import send_test
from app.commands.serve import serve
from app.commands.stats import stats
from app.errors import Misused, PlantaoError
from app.notifiers.text import clean, one_line

app = typer.Typer(
    name="plantao",
    help="Plantão: alert routing and incidents for a real-time Pix fraud-detection pipeline.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command()(serve)
app.command()(check)
app.command()(route)
app.command("send-test")(send_test)
app.add_typer(incidents.app, name="incidents")
app.add_typer(receipts.app, name="receipts")
app.command()(stats)
app.add_typer(tokens.app, name="tokens")
app.command()(reload)
app.command()(exporter)


def main() -> None:
    """Run the command, and exit with 0, 1 for a failure, or 2 for wrong usage.

    Errors are readable lines on standard error: one, or one for each problem of a configuration.
    """
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # it was closed; files must not take its number
            setattr(sys, name, open(os.devnull, "w"))  # noqa: PTH123, SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # Not every terminal can show every name that somebody gave an alert.
            stream.reconfigure(errors="backslashreplace")
    sys.exit(_run(sys.argv[1:]))


def _run(arguments: list[str]) -> int:
    if not all(_is_unicode(argument) for argument in arguments):
        _complain("the arguments hold bytes that are not UTF-8")
        return 2
    try:
        code = app(arguments, prog_name="plantao", standalone_mode=False)
        sys.stdout.flush()
    except TyperException as error:
        return _wrong_usage(error)
    except typer.Abort:
        return 1
    except PlantaoError as error:
        for line in clean(str(error)).splitlines():
            _complain(line)
        return 2 if isinstance(error, Misused) else 1
    except OSError as error:
        if error.filename is not None:
            raise
        return _not_written(error)
    return code if isinstance(code, int) else 0


def _not_written(error: OSError) -> int:
    """The disk is full, or whoever read has left (`| head`), of which nothing need be said."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for Python's own last flush
    if not isinstance(error, BrokenPipeError):
        _complain(f"cannot write: {error.strerror}")
    return 1


def _is_unicode(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _wrong_usage(error: TyperException) -> int:
    message = error.format_message()
    if message.startswith("Usage:"):  # a group of commands that was given none
        print(message, file=sys.stderr)
        return error.exit_code
    context = getattr(error, "ctx", None)
    where = context.command_path if context else "plantao"
    _complain(f"{one_line(message)} (see {where} --help)")
    return error.exit_code


def _complain(line: str) -> None:
    print(f"plantao: {line}", file=sys.stderr)


if __name__ == "__main__":
    main()
