"""How text is made to fit a terminal."""

import subprocess

import pytest

from app.commands.terminal import columns, fit, moment, table
from tests.cli.shell import COMMAND, Shell, environment


@pytest.mark.parametrize(
    ("text", "within", "fits"),
    [
        ("short", 5, "short"),
        ("longer", 5, "long…"),
        ("two words", 5, "two…"),
        ("予測モデル", 10, "予測モデル"),
        ("予測モデル", 8, "予測モ…"),
        ("anything", None, "anything"),
        ("é" * 4, 3, "éé…"),
    ],
)
def test_fit(text: str, within: int | None, fits: str) -> None:
    assert fit(text, within) == fits
    assert within is None or columns(fit(text, within)) <= within


def test_columns_are_aligned_whatever_is_in_them() -> None:
    lines = table([("A", "B"), ("予測", "x\ny"), ("e\u0301", "")], within=None)
    assert lines == ["A     B", "予測  x y", "e\u0301"]


def test_a_moment_is_local_and_none_is_nothing() -> None:
    assert moment("2026-11-23T02:30:00Z", "America/Sao_Paulo") == "2026-11-22 23:30:00 -03"
    assert moment(None, "UTC") == ""


@pytest.mark.parametrize(
    ("to", "code", "said"),
    [
        ("> /dev/full", 1, "plantao: cannot write: No space left on device\n"),
        (">&-", 0, ""),
        ("| true", 1, ""),
    ],
)
def test_where_nobody_takes_what_is_printed(shell: Shell, to: str, code: int, said: str) -> None:
    command = ["bash", "-c", f'set -o pipefail; (sleep 0.5; exec "$@") {to}', "-", *COMMAND]
    done = subprocess.run(
        [*command, "check"],
        cwd=shell.directory,
        env=environment(),
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (code, said)
