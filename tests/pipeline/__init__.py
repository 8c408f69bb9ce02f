"""The pipeline test: everything real, on loopback, broken piece by piece (`make test-pipeline`).

    town.py        starts it all: Kafka, Spark, Delta Lake, MLflow, scoring, Prometheus …
    apps/          the pipeline's own programs, each a process of .venv-pipeline
    neighbours/    how the big components are started
    overlay.py     the shipped rules and routes with their waiting made short; pure
    faults/        one class for each thing that is broken and repaired; WAVES says when
    season.py      breaks wave by wave, and keeps account of what was seen
    table.py       writes the account down: docs/pipeline-proof.md (`--write-table`)

`pytest -s tests/pipeline --only=FileDeleted` runs the waves with that fault alone.
"""
