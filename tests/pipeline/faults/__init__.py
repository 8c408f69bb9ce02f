"""Everything that is broken, in waves: what is in one wave is broken at the same time, as it does
not disturb the others in it."""

from tests.pipeline.faults import (
    ingestion,
    monitoring,
    processing,
    quality,
    serving,
    storage,
    training,
)
from tests.pipeline.faults.fault import Fault

WAVES: tuple[tuple[type[Fault], ...], ...] = (
    (storage.NeverOptimised, ingestion.BrokerKilled),
    (storage.FileDeleted, storage.FileTruncated, serving.PromotionNotDeployed, quality.LabelsStop),
    (serving.SlowModel, storage.LogBroken),
    (quality.CustomersChanged,),
    (processing.PoisonedQueries, training.RegistryFrozen),
    (quality.ChallengerBad, monitoring.ConfigurationBroken),
    (serving.BadModel, processing.SlowBatches),
    (ingestion.MessagesTooLarge, training.AliasDeleted, processing.ExecutorFrozen),
    (ingestion.ScorerFrozen, storage.RowsDeleted, monitoring.ReceiptsRefused),
    (ingestion.ControllersLost, training.ArtifactsDeleted),
    (ingestion.CustomersFew, processing.ExecutorStarved),
    (ingestion.CustomersGone, serving.ScoringKilled),
    (storage.AmountsOff, training.TrainingOverdue),
    (serving.FeaturesMisshapen, processing.DriverKilled),
    (monitoring.AlertmanagerKilled,),
    (monitoring.PlantaoKilled,),
    (monitoring.PrometheusKilled,),
)

FAULTS = tuple(fault for wave in WAVES for fault in wave)

__all__ = ["FAULTS", "WAVES", "Fault"]
