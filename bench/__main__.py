"""`python -m bench`: measure, print each figure with both numbers behind it, and exit with 0."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from bench import chart, context, delta, ingest, interactions, log, machine, memory, start, storm
from bench.figures import Figure

_BENCHMARKS: dict[str, Callable[..., Iterator[Figure | str]]] = {
    "ingest": ingest.run,
    "storm": storm.run,
    "interactions": interactions.run,
    "memory": memory.run,
    "start": start.run,
    "context": context.run,
    "chart": chart.run,
    "delta": delta.run,
    "log": log.run,
}


def main() -> None:
    options = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    options.add_argument("--quick", action="store_true", help="shorter and smaller: a rough look")
    options.add_argument("--only", choices=_BENCHMARKS, action="append", help="may be repeated")
    options.add_argument("--folder", type=Path, help="where the databases go (default: TMPDIR)")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="plantao-bench-", dir=chosen.folder) as folder:
        print(machine.describe(Path(folder)), flush=True)
        figures = [
            figure
            for name in chosen.only or _BENCHMARKS
            for figure in _measure(name, Path(folder) / name, quick=chosen.quick)
        ]
    judged = [figure for figure in figures if figure.judged]
    print(f"\n{sum(f.met for f in judged)} of {len(judged)} targets met", flush=True)


def _measure(name: str, folder: Path, *, quick: bool) -> Iterator[Figure]:
    """Run one benchmark and print as it goes; a failure is told, and the others go on."""
    folder.mkdir()
    print(flush=True)
    try:
        for told in _BENCHMARKS[name](folder, quick=quick):
            print(told, flush=True)
            if isinstance(told, Figure):
                yield told
    except Exception as error:  # noqa: BLE001  (whatever it was, the other figures still count)
        print(f"  {name} FAILED: {type(error).__name__}: {error}", flush=True)


if __name__ == "__main__":
    main()
