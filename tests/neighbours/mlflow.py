"""A real MLflow tracking server and model registry, in its own virtual environment."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import httpx

from tests.neighbours.processes import NeighbourFailed, Process, free_port, request

_PROGRAM = Path(__file__).parents[2] / ".venv-mlflow/bin/mlflow"
_SECONDS_TO_START = 90.0  # five on a machine at rest

#: What the registry can announce, as entity and action.
EVENTS = (
    ("REGISTERED_MODEL", "CREATED"),
    ("MODEL_VERSION", "CREATED"),
    ("MODEL_VERSION_TAG", "SET"),
    ("MODEL_VERSION_TAG", "DELETED"),
    ("MODEL_VERSION_ALIAS", "CREATED"),
    ("MODEL_VERSION_ALIAS", "DELETED"),
)

_ENVIRONMENT = {
    # Without it the server starts a job runner of several processes and 2 GiB.
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_WEBHOOK_ALLOWED_SCHEMES": "http,https",
    "MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS": "true",
    # Else a webhook is unknown for a minute to a server that has just looked for it.
    "MLFLOW_WEBHOOK_CACHE_TTL": "0",
    "PYTHONWARNINGS": "ignore",
}


class Mlflow:
    """A context manager: one worker on SQLite, everything in `directory`.

    With `metrics` it tells Prometheus of itself. With `accounts` it asks for a user and password;
    `admin` below has every right. Raises NeighbourFailed when an answer is no success.
    """

    admin = ("admin", "a-password-for-tests")

    def __init__(self, directory: Path, *, accounts: bool = False, metrics: bool = False) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.directory = directory / f"mlflow-{self.port}"
        self.directory.mkdir(parents=True)
        self.accounts = accounts
        options = ["--app-name=basic-auth"] if accounts else []
        options += [f"--expose-prometheus={self.directory / 'metrics'}"] if metrics else []
        self.process = Process(
            [*self._command(), *options],
            log=self.directory / "log",
            env={**_ENVIRONMENT, **(self._account_settings() if accounts else {})},
            cwd=self.directory,
        )

    def _command(self) -> list[str]:
        if not _PROGRAM.exists():
            raise NeighbourFailed("MLflow is not installed: run make .venv-mlflow/.installed")
        return [
            str(_PROGRAM),
            "server",
            f"--backend-store-uri=sqlite:///{self.directory / 'mlflow.db'}",
            f"--artifacts-destination={self.directory / 'artifacts'}",
            "--host=127.0.0.1",
            f"--port={self.port}",
            "--workers=1",
        ]

    def _account_settings(self) -> dict[str, str]:
        user, password = self.admin
        settings = self.directory / "accounts.ini"
        settings.write_text(
            "[mlflow]\ndefault_permission = READ\n"
            f"database_uri = sqlite:///{self.directory / 'accounts.db'}\n"
            f"admin_username = {user}\nadmin_password = {password}\n"
            "authorization_function = mlflow.server.auth:authenticate_request_basic_auth\n"
        )
        return {
            "MLFLOW_AUTH_CONFIG_PATH": str(settings),
            "MLFLOW_FLASK_SERVER_SECRET_KEY": "for-tests-only",
        }

    # --- the registry, as its own client changes it

    def create_model(self, name: str) -> None:
        self.call("POST", "registered-models/create", name=name)

    def delete_model(self, name: str) -> None:
        self.call("DELETE", "registered-models/delete", name=name)

    def create_version(
        self,
        name: str,
        *,
        metrics: Mapping[str, float] | None = None,
        params: Mapping[str, str] | None = None,
        user: str = "ana",
    ) -> tuple[str, str]:
        """Log a run and register a version for it; the version and the run's id."""
        run = self.create_run(metrics=metrics or {}, params=params or {}, user=user)
        return self.register(name, run), run

    def register(self, name: str, run: str) -> str:
        """Register a version for a run; the version."""
        source = f"runs:/{run}/model"
        answer = self.call("POST", "model-versions/create", name=name, source=source, run_id=run)
        return str(answer["model_version"]["version"])

    def create_run(
        self, *, metrics: Mapping[str, float], params: Mapping[str, str], user: str = "ana"
    ) -> str:
        """A finished run with these metrics and parameters; its id."""
        answer = self.call(
            "POST",
            "runs/create",
            experiment_id="0",
            start_time=1_700_000_000_000,
            tags=[{"key": "mlflow.user", "value": user}],
        )
        run = str(answer["run"]["info"]["run_id"])
        self.call(
            "POST",
            "runs/log-batch",
            run_id=run,
            metrics=[
                {"key": key, "value": value, "timestamp": 1_700_000_000_000, "step": 0}
                for key, value in metrics.items()
            ],
            params=[{"key": key, "value": value} for key, value in params.items()],
        )
        return run

    def delete_version(self, name: str, version: str) -> None:
        self.call("DELETE", "model-versions/delete", name=name, version=version)

    def set_alias(self, name: str, alias: str, version: str) -> None:
        self.call("POST", "registered-models/alias", name=name, alias=alias, version=version)

    def delete_alias(self, name: str, alias: str) -> None:
        self.call("DELETE", "registered-models/alias", name=name, alias=alias)

    def set_tag(self, name: str, version: str, key: str, value: str) -> None:
        self.call(
            "POST", "model-versions/set-tag", name=name, version=version, key=key, value=value
        )

    def delete_tag(self, name: str, version: str, key: str) -> None:
        self.call("DELETE", "model-versions/delete-tag", name=name, version=version, key=key)

    def set_stage(self, name: str, version: str, stage: str) -> None:
        self.call(
            "POST", "model-versions/transition-stage", name=name, version=version, stage=stage
        )

    def create_webhook(
        self, url: str, *, secret: str, events: Sequence[tuple[str, str]] = EVENTS
    ) -> str:
        """Have the registry's events posted to `url`; the webhook's id."""
        answer = self.call(
            "POST",
            "webhooks",
            name="plantao",
            url=url,
            secret=secret,
            events=[{"entity": entity, "action": action} for entity, action in events],
        )
        return str(answer["webhook"]["webhook_id"])

    def test_webhook(self, webhook: str) -> Any:
        """Have an example event posted, as MLflow's own button does; what came of it."""
        return self.call("POST", f"webhooks/{webhook}/test")["result"]

    def delete_webhook(self, webhook: str) -> None:
        self.call("DELETE", f"webhooks/{webhook}")

    def call(self, method: str, path: str, /, **body: object) -> Any:
        """One call of the REST API; the answer."""
        response = request(method, self._address(path), json=body)
        if not response.is_success:
            raise NeighbourFailed(f"{method} {path}: {response.status_code} {response.text}")
        return response.json()

    def _address(self, path: str) -> str:
        user, password = self.admin if self.accounts else ("", "")
        base = httpx.URL(self.url, username=user, password=password)
        return str(base.copy_with(path=f"/api/2.0/mlflow/{path}"))

    # --- the process

    def start(self) -> None:
        """Start it, or start it again on what it kept after `stop` or `kill`."""
        self.process.start()
        self.process.wait_for_url(f"{self.url}/health", within=_SECONDS_TO_START)

    def stop(self) -> None:
        self.process.stop()

    def kill(self) -> None:
        self.process.kill()

    def pause(self) -> None:
        """Freeze it: connections are accepted by the system and nothing answers."""
        self.process.pause()

    def resume(self) -> None:
        self.process.resume()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
