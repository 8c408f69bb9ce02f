"""What MLflow knows about training beside the registry: experiments' runs, and stored files."""

from __future__ import annotations

import re

from app.errors import NeighbourFailed
from app.mlflow.forms import ExperimentAnswer, FilesPage, RunsPage
from app.mlflow.registry import Mlflow, NotRegistered, RegisteredVersion, Run

_OF_RUN = re.compile(r"runs:/([^/]+)/?(.*)")
_OF_MODEL = re.compile(r"models:/(m-[^/]+)")
_CALLS = 100  # folders and pages of one model; real ones have a handful


async def newest_run(mlflow: Mlflow, experiment: str) -> Run | None:
    """The finished run of an experiment that started last; None without one.

    Raises NotRegistered where there is no such experiment.
    """
    found = await mlflow.ask(
        ExperimentAnswer,
        "experiments/get-by-name",
        f"the experiment {experiment}",
        {"experiment_name": experiment},
    )
    answer = await mlflow.ask(
        RunsPage,
        "runs/search",
        f"the runs of {experiment}",
        {},
        body={
            "experiment_ids": [found.experiment.experiment_id],
            "filter": "attributes.status = 'FINISHED'",
            "order_by": ["attributes.start_time DESC"],
            "max_results": 1,
        },
    )
    return mlflow.as_run(answer.runs[0]) if answer.runs else None


async def stored_bytes(mlflow: Mlflow, version: RegisteredVersion) -> int | None:
    """The size of a version's files; 0 if there are none, None where MLflow cannot tell.

    It can for what was logged to it: `runs:/…` and, since MLflow 3, `models:/m-…`.
    """
    if found := _OF_MODEL.fullmatch(version.source):
        # Read from mlflow/mlflow `server/handlers.py`, 3.17: its own path, not a parameter.
        path = f"logged-models/{found[1]}/artifacts/directories"
        return await _size(mlflow, path, {}, "artifact_directory_path", "")
    if found := _OF_RUN.fullmatch(version.source):
        return await _size(mlflow, "artifacts/list", {"run_id": found[1]}, "path", found[2])
    return None


async def _size(
    mlflow: Mlflow, call: str, params: dict[str, str], key: str, folder: str
) -> int | None:
    total, folders = 0, [(folder, "")]
    for _ in range(_CALLS):
        if not folders:
            return total
        folder, page = folders.pop()
        try:
            asked = {**params, key: folder, "page_token": page}
            answer = await mlflow.ask(FilesPage, call, "the files", asked)
        except NotRegistered:
            return 0
        total += sum(file.file_size for file in answer.files)
        folders += [(file.path, "") for file in answer.files if file.is_dir]
        if answer.next_page_token:
            folders.append((folder, answer.next_page_token))
    raise NeighbourFailed("MLflow keeps a model in too many folders to be looked through.")
