"""`python -m grafana.boards`: write the dashboards' JSON, as it is committed."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

from grafana.boards import (
    ingestion,
    overview,
    processing,
    quality,
    service,
    serving,
    storage,
    training,
)
from grafana.boards.board import PLANTAO

FOLDER = Path(__file__).parents[1] / "dashboards"

BOARDS: dict[str, Callable[[str], Dashboard]] = {
    "overview": overview.make,
    "ingestion": ingestion.make,
    "processing": processing.make,
    "storage": storage.make,
    "training": training.make,
    "serving": serving.make,
    "quality": quality.make,
    "service": service.make,
}


def written(plantao: str = PLANTAO) -> dict[str, str]:
    """The JSON of each board by the name of its file."""
    encoder = JSONEncoder(sort_keys=True, indent=2, ensure_ascii=False)
    return {f"{name}.json": encoder.encode(make(plantao)) + "\n" for name, make in BOARDS.items()}


def main() -> None:
    options = argparse.ArgumentParser(prog="python -m grafana.boards", description=__doc__)
    options.add_argument("--plantao", default=PLANTAO, help="where Plantão is (%(default)s)")
    options.add_argument("--folder", type=Path, default=FOLDER, help="where they go")
    chosen = options.parse_args()
    chosen.folder.mkdir(parents=True, exist_ok=True)
    for name, content in written(chosen.plantao).items():
        (chosen.folder / name).write_text(content, encoding="utf-8")


if __name__ == "__main__":
    main()
