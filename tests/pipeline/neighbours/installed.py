"""Where `make .venv-pipeline/.installed` has put what the pipeline is made of."""

from pathlib import Path

from tests.neighbours.processes import NeighbourFailed, find_program

REPOSITORY = Path(__file__).parents[3]
_HOME = REPOSITORY / ".venv-pipeline"


def python() -> Path:
    """The interpreter that has Spark, a Kafka client and MLflow's client."""
    return _there(_HOME / "bin/python")


def jars(name: str) -> list[Path]:
    """A class path of tests/pipeline/jars: `kafka`, `agent` or `spark`."""
    return sorted(_there(_HOME / "jars" / name).glob("*.jar"))


def spark_work() -> Path:
    """Where Spark's local cluster puts what its executors work with."""
    [spark] = _HOME.glob("lib/python3*/site-packages/pyspark")
    return spark / "work"


def java() -> str:
    return find_program("java")


def _there(path: Path) -> Path:
    if not path.exists():
        raise NeighbourFailed(f"{path} is missing: run make .venv-pipeline/.installed")
    return path
