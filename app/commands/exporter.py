"""`plantao exporter`: metrics of Delta Lake tables and of the model registry."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from app.commands.options import Config, settings_with
from app.errors import PlantaoError

_PORT = 9108
_MLFLOW_WITHIN = 10.0


def exporter(
    host: Annotated[
        str, typer.Option(help="Address to listen on.", metavar="ADDRESS")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(help="Port to listen on.", min=0, max=65535, metavar="PORT")
    ] = _PORT,
    config: Config = None,
) -> None:
    """Serve metrics of Delta Lake tables and the model registry.

    Which ones, the section `exporter` of plantao.yml says; MLflow is that of
    MLFLOW_TRACKING_URI. Until stopped.
    """
    import structlog  # noqa: PLC0415

    from app.config import Config as Configuration  # noqa: PLC0415
    from app.config import load  # noqa: PLC0415
    from app.config_exporter import TrackedModel  # noqa: PLC0415
    from app.engine.privacy import hide  # noqa: PLC0415
    from app.exporters.exporter import Watching, serve  # noqa: PLC0415
    from app.mlflow.registry import open_mlflow  # noqa: PLC0415
    from app.telemetry import set_up_logging  # noqa: PLC0415

    settings = settings_with(config=config)
    file = settings.config_file
    configuration = load(file) if file else Configuration()

    section = configuration.exporter
    if not section.tables and settings.mlflow_tracking_uri is None:
        raise PlantaoError(
            "nothing to export: name tables in the section exporter of plantao.yml, "
            "or set MLFLOW_TRACKING_URI"
        )
    set_up_logging(settings.log_format, hide)
    models = tuple(TrackedModel(name=entry.name) for entry in configuration.models)
    mlflow = partial(open_mlflow, settings, within=_MLFLOW_WITHIN)
    watching = Watching(section, models, mlflow if settings.mlflow_tracking_uri else None)
    bound, thread = serve(watching, host=host, port=port)
    structlog.get_logger().info("exporting", address=f"http://{host}:{bound}/metrics")
    thread.join()
