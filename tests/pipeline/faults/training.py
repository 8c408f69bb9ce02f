"""Faults of MLflow: the registry and what it keeps."""

from __future__ import annotations

import shutil

from tests.pipeline.faults.fault import Fault
from tests.pipeline.town import MODEL, Town


class RegistryFrozen(Fault):
    how = "the MLflow server hangs (SIGSTOP)"
    mended = "it goes on"
    alerts = ("RegistryUnreachable", "TargetDown")

    def provoke(self, town: Town) -> None:
        town.mlflow.pause()

    def repair(self, town: Town) -> None:
        town.mlflow.resume()


class AliasDeleted(Fault):
    how = "the alias `champion` is deleted"
    mended = "it is set again"
    alerts = ("ChampionAliasMissing",)

    def provoke(self, town: Town) -> None:
        town.mlflow.delete_alias(MODEL, "champion")

    def repair(self, town: Town) -> None:
        town.mlflow.set_alias(MODEL, "champion", "1")


class ArtifactsDeleted(Fault):
    how = "the artifact store loses the champion's files"
    mended = "they are put back"
    alerts = ("ChampionArtifactMissing",)

    def provoke(self, town: Town) -> None:
        self.store = town.mlflow.directory / "artifacts"
        self.kept = town.directory / "artifacts-kept"
        shutil.move(self.store, self.kept)
        self.store.mkdir()

    def repair(self, town: Town) -> None:
        shutil.rmtree(self.store)
        shutil.move(self.kept, self.store)


class TrainingOverdue(Fault):
    how = "nothing is trained for the longest time allowed"
    mended = "a version is trained"
    alerts = ("ModelTrainingOverdue",)
    by_itself = True

    def provoke(self, town: Town) -> None:
        """The waves since the last training have done it."""

    def repair(self, town: Town) -> None:
        town.train()
