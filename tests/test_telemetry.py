"""Logs hold nothing personal or secret, whoever writes them and in whatever form."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.cli.shell import REPOSITORY, environment

SCRIPT = """
import logging, sys
import structlog
from app.engine.privacy import hide
from app.telemetry import set_up_logging

set_up_logging(sys.argv[1], hide)
log = structlog.get_logger()
log.info("a webhook came", path="/x?cpf=52998224725", parts=["ana@gmail.com"], number=7)
try:
    raise ValueError("password=hunter2 of 529.982.247-25")
except ValueError as error:
    log.exception("it failed")
    log.warning("so", why=error)
    logging.getLogger("uvicorn.error").error("Exception in ASGI application", exc_info=error)
"""
ORIGINALS = ("52998224725", "529.982.247-25", "ana@gmail.com", "hunter2")


@pytest.mark.parametrize("form", ["json", "console"])
def test_what_is_logged_is_masked_tracebacks_too(form: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, form],
        cwd=REPOSITORY,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    said = done.stderr
    assert not [each for each in ORIGINALS if each in said], said
    assert said.count("password=*** of ***.982.247-**") == 3
    assert "/x?cpf=***982247**" in said
    assert "Exception in ASGI application" in said
    assert said.count("Traceback (most recent call last)") == 2
