"""Faults of the model's judgement, and of what it is judged by."""

from __future__ import annotations

from tests.pipeline.faults.fault import Fault
from tests.pipeline.town import MODEL, Town


class CustomersChanged(Fault):
    how = "payments are seven times as large as at the training: the scores drift"
    mended = "they are as they were"
    alerts = ("ScoreDrift", "PrecisionLow")

    def provoke(self, town: Town) -> None:
        town.customers.change(dearer=2.0)

    def repair(self, town: Town) -> None:
        town.customers.change(dearer=0.0)


class LabelsStop(Fault):
    how = "no more chargebacks are told"
    mended = "they are told again"
    alerts = ("LabelsStopped",)

    def provoke(self, town: Town) -> None:
        town.chargebacks.change(labels=False)

    def repair(self, town: Town) -> None:
        town.chargebacks.change(labels=True)


class ChallengerBad(Fault):
    how = "a challenger trained on mixed-up labels runs beside the champion"
    mended = "the challenger is withdrawn"
    alerts = ("CanaryDiverges",)

    def provoke(self, town: Town) -> None:
        town.train("challenger", "--labels-mixed-up")
        town.reload_scoring()

    def repair(self, town: Town) -> None:
        town.mlflow.delete_alias(MODEL, "challenger")
        town.reload_scoring()
