"""What pip installs is whole: what it reads lies beside its code, what it imports is pinned."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

_ROOT = Path(__file__).parents[1]
_INSTALLED = ("app", "migrations", "runbooks")


def test_a_wheel_has_every_file(tmp_path: Path) -> None:
    source, out = tmp_path / "source", tmp_path / "out"
    for part in _INSTALLED:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(_ROOT / part, source / part, ignore=ignored)
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(_ROOT / name, source)
    command = ["-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    built = [sys.executable, *command, "--wheel-dir", str(out), str(source)]
    expected = {str(p.relative_to(source)) for p in source.rglob("*/*") if p.is_file()}
    subprocess.run(built, check=True, capture_output=True, timeout=120)
    [wheel] = out.glob("*.whl")
    assert expected - set(zipfile.ZipFile(wheel).namelist()) == set()


@pytest.mark.parametrize(
    ("extra", "pinned"),
    [
        ("", "requirements.txt"),
        ("exporter", "requirements-exporter.txt"),
        ("dev", "requirements-dev.txt"),
    ],
)
def test_everything_asked_for_is_pinned(extra: str, pinned: str) -> None:
    project = tomllib.loads((_ROOT / "pyproject.toml").read_text())["project"]
    asked = [*project["dependencies"], *project["optional-dependencies"].get(extra, [])]
    lines = (_ROOT / pinned).read_text().splitlines()
    there = {canonicalize_name(line.split("==")[0]) for line in lines if "==" in line}
    assert {canonicalize_name(Requirement(each).name) for each in asked} - {"plantao"} <= there
