"""What pip installs is whole: everything that the service reads lies beside its code."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

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
