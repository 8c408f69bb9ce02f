"""The answers of MLflow's REST API, as far as they are read."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field


def _moment(value: object) -> datetime | None:
    """Milliseconds since 1970, which some servers write as text; None for no such thing."""
    try:
        return datetime.fromtimestamp(int(str(value)) / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return None


# PostgreSQL keeps no NUL in a text.
Text = Annotated[
    str,
    BeforeValidator(lambda value: "" if value is None else str(value)),
    AfterValidator(lambda text: text.replace("\0", "")),
]
Moment = Annotated[datetime | None, BeforeValidator(_moment)]


class Pair(BaseModel):
    key: Text
    value: Text = ""


class Metric(BaseModel):
    key: Text
    value: float  # "NaN" and "Infinity" are written as text


class Alias(BaseModel):
    alias: Text
    version: Text


class ModelForm(BaseModel):
    name: Text
    aliases: list[Alias] = Field(default_factory=list)


class VersionForm(BaseModel):
    name: Text = ""
    version: Text
    run_id: Text = ""
    user_id: Text = ""
    source: Text = ""
    current_stage: Text = ""
    creation_timestamp: Moment = None
    last_updated_timestamp: Moment = None


class RunInfo(BaseModel):
    run_id: Text
    experiment_id: Text = ""
    user_id: Text = ""
    end_time: Moment = None


class RunData(BaseModel):
    metrics: list[Metric] = Field(default_factory=list)
    params: list[Pair] = Field(default_factory=list)
    tags: list[Pair] = Field(default_factory=list)


class RunForm(BaseModel):
    info: RunInfo
    data: RunData = Field(default_factory=RunData)


class ModelAnswer(BaseModel):
    registered_model: ModelForm


class VersionAnswer(BaseModel):
    model_version: VersionForm


class RunAnswer(BaseModel):
    run: RunForm


class ModelsPage(BaseModel):
    registered_models: list[ModelForm] = Field(default_factory=list)
    next_page_token: str | None = None


class VersionsPage(BaseModel):
    model_versions: list[VersionForm] = Field(default_factory=list)
    next_page_token: str | None = None


class ExperimentForm(BaseModel):
    experiment_id: Text


class ExperimentAnswer(BaseModel):
    experiment: ExperimentForm


class RunsPage(BaseModel):
    runs: list[RunForm] = Field(default_factory=list)


class FileForm(BaseModel):
    path: Text
    is_dir: bool = False
    file_size: int = 0


class FilesPage(BaseModel):
    files: list[FileForm] = Field(default_factory=list)
    next_page_token: str | None = None
