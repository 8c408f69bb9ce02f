"""A process beside this one for calls that may hang and cannot be stopped otherwise.

delta-rs holds Python's lock while it waits for a store: in this process a store that hangs would
stop every thread, the one that answers Prometheus among them. Memory, too, is given back at once.
"""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import TypeVar, cast

from app.exporters.rounds import TIMEOUT, Trouble

T = TypeVar("T")

_SPAWN = multiprocessing.get_context("spawn")  # a fork would copy the threads' locks


class Worker:
    """Started when first needed, and again after it was killed. One call at a time: who calls
    from several threads takes turns. Functions and arguments must be picklable."""

    def __init__(self) -> None:
        self._process: BaseProcess | None = None
        self._pipe: Connection | None = None

    def call(self, function: Callable[..., T], *arguments: object, within: float) -> T:
        """What the function returns. Raises Trouble if it has not within so many seconds, or
        raised, or its process died; it runs no longer then."""
        pipe = self._started()
        pipe.send((function, arguments))
        if not pipe.poll(within):
            self.stop()
            raise Trouble(f"No answer within {within:g} s.", TIMEOUT)
        try:
            returned, value = pipe.recv()
        except EOFError:
            self.stop()
            raise Trouble("The process that reads tables died; it is started again.") from None
        if not returned:
            raise Trouble(value)
        return cast("T", value)

    def _started(self) -> Connection:
        if self._pipe is None or self._process is None or not self._process.is_alive():
            self.stop()
            self._pipe, theirs = _SPAWN.Pipe()
            self._process = _SPAWN.Process(target=_work, args=(theirs,), daemon=True)
            self._process.start()
            theirs.close()
        return self._pipe

    def stop(self) -> None:
        """End the process, whatever it does."""
        if self._process is not None:
            self._process.kill()
            self._process.join()
        if self._pipe is not None:
            self._pipe.close()
        self._process = self._pipe = None


def _work(pipe: Connection) -> None:
    """Answer calls until the other end is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that started us
    with suppress(EOFError):
        while True:
            function, arguments = pipe.recv()
            try:
                answer = (True, function(*arguments))
            except BaseException as error:  # noqa: BLE001  (a panic in Rust is no Exception)
                answer = (False, f"{type(error).__name__}: {error}")
            pipe.send(answer)
