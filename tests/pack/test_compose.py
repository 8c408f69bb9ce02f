"""compose.yaml and the Dockerfile, as far as they can be checked without an engine."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.config import load
from app.settings import SECRETS, VARIABLES, read_settings
from tests.pack.shipped import PROMETHEUS, ROOT, document

COMPOSE: dict[str, Any] = document(ROOT / "compose.yaml")
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
STAGES = re.findall(r"^FROM \S+ AS (\S+)$", DOCKERFILE, re.MULTILINE)
OURS = ("plantao", "exporter")


def _stage(name: str) -> str:
    return re.split(r"^FROM ", DOCKERFILE.split(f" AS {name}\n")[1], flags=re.MULTILINE)[0]


def _mounts(service: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """(source, target) of each volume."""
    for volume in service.get("volumes", []):
        source, target, *_ = volume.split(":")
        yield source, target


def test_images_are_pinned_and_what_is_built_is_in_the_dockerfile() -> None:
    for name, service in SERVICES.items():
        assert ("image" in service) != ("build" in service), name
        if "image" in service:
            assert re.fullmatch(r"[\w./-]+:v?\d+\.\d+\.\d+", service["image"]), name
        else:
            assert service["build"]["target"] in STAGES, name
    bases = set(re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)) - set(STAGES)
    assert all(re.fullmatch(r"[\w/]+:\d+\.\d+\.\d+[\w.-]*", base) for base in bases), bases


def test_every_mounted_file_is_there_and_every_volume_declared() -> None:
    for service in SERVICES.values():
        for source, _ in _mounts(service):
            if not source.startswith("./"):
                assert source in COMPOSE["volumes"]
            else:
                assert (ROOT / source).exists(), source


def test_prometheus_scrapes_what_runs_at_ports_that_are_open() -> None:
    for path in sorted((PROMETHEUS / "targets").glob("*.yml")):
        for address in document(path)[0]["targets"]:
            host, port = address.split(":")
            name = "prometheus" if host == "127.0.0.1" else host
            service = SERVICES[name]
            published = [each.rpartition(":")[2] for each in service.get("ports", [])]
            assert port in [*service.get("expose", []), *published], address


def test_alertmanager_finds_plantao_and_its_secrets() -> None:
    hook = document(ROOT / "alertmanager" / "alertmanager.yml")["receivers"][0]["webhook_configs"]
    assert hook[0]["url"] == "http://plantao:8080/webhooks/alertmanager"
    targets = {secret["target"] for secret in SERVICES["alertmanager"]["secrets"]}
    assert hook[0]["http_config"]["authorization"]["credentials_file"] in targets


def test_services_wait_for_services_that_there_are() -> None:
    for name, service in SERVICES.items():
        assert set(service.get("depends_on", {})) <= set(SERVICES), name
        for secret in service.get("secrets", []):
            known = secret if isinstance(secret, str) else secret["source"]
            assert known in COMPOSE["secrets"]


def test_plantao_knows_its_settings_and_would_start(tmp_path: Path) -> None:
    environment: dict[str, str] = {}
    for name, text in SERVICES["plantao"]["environment"].items():
        owner = name.removesuffix("_FILE")
        assert name in VARIABLES or owner in SECRETS, name
        value = re.sub(r"\$\{\w+:-(.*)\}", r"\1", str(text))
        if name.endswith("_FILE"):
            secret = value.removeprefix("/run/secrets/")
            assert secret in SERVICES["plantao"]["secrets"]
            (tmp_path / secret).write_text("a-secret-of-some-length")
            value = str(tmp_path / secret)
        environment[name] = value
    settings = read_settings(environment, dotenv=None)
    assert settings.exposed
    assert settings.refusal_to_start() is None
    assert str(settings.config) in {target for _, target in _mounts(SERVICES["plantao"])}


def test_plantao_reads_the_example_and_routes_by_the_pack_s_labels() -> None:
    config = load(ROOT / "compose" / "plantao.yml")
    assert config.edges() == (
        ("kafka", "spark"),
        ("spark", "delta"),
        ("spark", "serving"),
        ("delta", "training"),
    )
    assert config.model_refs()[0].concerns({"component": "serving"})


def test_the_exporter_reads_its_file() -> None:
    assert load(ROOT / "compose" / "exporter.yml").model_refs()


@pytest.mark.parametrize("stage", OURS)
def test_our_images_run_without_root_and_say_how_they_are(stage: str) -> None:
    text = _stage(stage)
    assert "HEALTHCHECK" in text
    # The exporter's stage begins where the service's ends.
    assert re.search(r"^USER (?!root)\w+$", _stage("plantao"), re.MULTILINE)
    assert "USER root" not in DOCKERFILE
    assert "--require-hashes" in _stage(f"{stage}-build")


def test_what_the_service_is_built_of_is_there() -> None:
    for stage in ("plantao-build", "plantao", "exporter-build", "exporter", "kafka", "mlflow"):
        for copied in re.findall(r"^COPY (?!--from)(.+)$", _stage(stage), re.MULTILINE):
            for source in copied.split()[:-1]:
                assert (ROOT / source).exists(), source
