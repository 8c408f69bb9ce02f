"""Everything that is broken, in waves: what is in one wave is broken at the same time, as it does
not disturb the others in it. What takes long to break comes first, so that the others do not wait.
"""

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
    (storage.NeverOptimised, ingestion.BrokerKilled, quality.LabelsStop),
    # After the compaction: the story of a lost file has a change before it.
    (
        serving.PromotionNotDeployed,
        storage.FileDeleted,
        storage.FileTruncated,
        ingestion.MessagesTooLarge,
        monitoring.ReceiptsRefused,
    ),
    (serving.SlowModel, storage.LogBroken, monitoring.ConfigurationBroken),
    (quality.CustomersChanged, training.RegistryFrozen),
    (processing.PoisonedQueries, training.AliasDeleted),
    (processing.SlowBatches, quality.ChallengerBad),
    (serving.BadModel, processing.ExecutorFrozen),
    # From here on nothing is trained, until that is overdue.
    (ingestion.ScorerFrozen, storage.RowsDeleted),
    (ingestion.ControllersLost, training.ArtifactsDeleted),
    (ingestion.CustomersFew, processing.ExecutorStarved),
    (ingestion.CustomersGone, serving.ScoringKilled),
    (storage.AmountsOff, training.TrainingOverdue, serving.FeaturesMisshapen),
    (processing.DriverKilled,),
    (monitoring.AlertmanagerKilled,),
    (monitoring.PlantaoKilled,),
    (monitoring.PrometheusKilled,),
)

FAULTS = tuple(fault for wave in WAVES for fault in wave)

__all__ = ["FAULTS", "WAVES", "Fault"]
