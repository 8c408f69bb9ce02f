"""Faults of the scoring service and of the model that it serves."""

from __future__ import annotations

from tests.pipeline.faults.fault import Fault
from tests.pipeline.town import MODEL, Town


def promote(town: Town, version: str, *, alias: str = "champion") -> None:
    town.mlflow.set_alias(MODEL, alias, version)


class PromotionNotDeployed(Fault):
    how = "a version is promoted, and the scoring service goes on with the old one"
    mended = "the scoring service loads it"
    alerts = ("ChampionNotServed",)

    def provoke(self, town: Town) -> None:
        town.train("champion")

    def repair(self, town: Town) -> None:
        town.reload_scoring()


class SlowModel(Fault):
    how = "a version that takes 0.4 s for a payment is promoted and deployed"
    mended = "the version before it is promoted and deployed again"
    alerts = (
        "ScoringSlow",
        "ScoringBudgetBurnsFast",
        "ScoringBudgetBurnsSlowly",
        "PixBudgetBurnsFast",
        "PixBudgetBurnsSlowly",
        "KafkaConsumerLate",
    )

    def provoke(self, town: Town) -> None:
        town.train("champion", "--dawdles=0.4")
        town.reload_scoring()

    def repair(self, town: Town) -> None:
        promote(town, "1")
        town.reload_scoring()


class BadModel(Fault):
    how = "a version trained on mixed-up labels is promoted and deployed"
    mended = "the version before it is promoted and deployed again"
    alerts = ("ChampionMetricLow", "ApprovalRateShifted")

    def provoke(self, town: Town) -> None:
        town.train("champion", "--labels-mixed-up")
        town.reload_scoring()

    def repair(self, town: Town) -> None:
        promote(town, "1")
        town.reload_scoring()


class ScoringKilled(Fault):
    how = "the scoring service is killed (SIGKILL)"
    mended = "it is started again"
    alerts = ("ScoringDown",)

    def provoke(self, town: Town) -> None:
        town.scoring.kill()

    def repair(self, town: Town) -> None:
        town.scoring.start()


class FeaturesMisshapen(Fault):
    how = "payments lack a feature: the model refuses them"
    mended = "they have it again"
    alerts = ("ScoringErrors",)

    def provoke(self, town: Town) -> None:
        town.customers.change(misshapen=True)

    def repair(self, town: Town) -> None:
        town.customers.change(misshapen=False)
