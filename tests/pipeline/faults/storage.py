"""Faults of the Delta Lake tables."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deltalake import DeltaTable, write_deltalake
from deltalake.exceptions import CommitFailedError

from tests.pipeline.faults.fault import Fault
from tests.pipeline.town import Town


def oldest_file(town: Town, table: str) -> Path:
    """A data file of the present version: the one that was written first, as nobody writes to it
    any more."""
    home = town.tables / table
    known = DeltaTable(str(home)).file_uris()
    return min(map(Path, known), key=lambda path: path.stat().st_mtime)


@contextmanager
def writers_resting(town: Town) -> Iterator[DeltaTable]:
    """The table `transactions` while nothing is added to it: a delete and an append of others
    would be a conflict, and one of them refused."""
    table = DeltaTable(str(town.tables / "transactions"))
    town.generator.pause()
    try:
        version = -1
        while table.version() != version:
            version = table.version()
            time.sleep(4)  # longer than a trigger of the stream
            table.update_incremental()
        yield table
    finally:
        town.generator.resume()


def deleted(table: DeltaTable, rows: str) -> None:
    """Delete rows; anew where somebody's append, late, has come in between."""
    for attempt in range(_ATTEMPTS):
        table.update_incremental()
        try:
            table.delete(rows)
        except CommitFailedError:
            if attempt == _ATTEMPTS - 1:
                raise
        else:
            return


_ATTEMPTS = 5


class FileDeleted(Fault):
    how = "a Parquet file of the table `transactions` is deleted"
    mended = "as the runbook says: the log forgets the file (`repair`)"
    alerts = ("DeltaFilesMissing",)

    def provoke(self, town: Town) -> None:
        self.version = DeltaTable(str(town.tables / "transactions")).version()
        self.file = oldest_file(town, "transactions")
        self.file.unlink()

    def repair(self, town: Town) -> None:
        DeltaTable(str(town.tables / "transactions")).repair()


class FileTruncated(Fault):
    how = "a Parquet file of the table `features` loses its second half"
    mended = "the file is put back from its copy"
    alerts = ("DeltaFilesTruncated", "DeltaReadFailing")

    def provoke(self, town: Town) -> None:
        self.file = oldest_file(town, "features")
        self.whole = self.file.read_bytes()
        self.file.write_bytes(self.whole[: len(self.whole) // 2])

    def repair(self, town: Town) -> None:
        self.file.write_bytes(self.whole)


class LogBroken(Fault):
    how = "a commit in the middle of the log of `features` is lost"
    mended = "the commit is put back from its copy, and the query that writes there is deployed"
    alerts = ("DeltaTableUnreadable",)

    def provoke(self, town: Town) -> None:
        log = town.tables / "features/_delta_log"
        # After the last checkpoint: what is before it nobody reads.
        self.file = sorted(log.glob("*[0-9].json"))[-2]
        self.kept = town.directory / "kept.json"
        shutil.move(self.file, self.kept)

    def repair(self, town: Town) -> None:
        shutil.move(self.kept, self.file)
        town.deploy("pix_features")


class NeverOptimised(Fault):
    how = "nothing: batches of seconds make small files"
    mended = "the table is compacted (`OPTIMIZE`)"
    alerts = ("DeltaSmallFiles",)
    by_itself = True

    def provoke(self, town: Town) -> None:
        """The stream has done it."""

    def repair(self, town: Town) -> None:
        DeltaTable(str(town.tables / "transactions")).optimize.compact()


class RowsDeleted(Fault):
    how = "somebody deletes half of `transactions`"
    mended = "the rows are written back"
    alerts = ("DeltaRowsLost",)

    def provoke(self, town: Town) -> None:
        with writers_resting(town) as table:
            self.kept = table.to_pyarrow_table(filters=[("channel", "=", "app")])
            deleted(table, "channel = 'app'")

    def repair(self, town: Town) -> None:
        write_deltalake(str(town.tables / "transactions"), self.kept, mode="append")


class AmountsOff(Fault):
    how = "payments are written without their amount, and some with one far too large"
    mended = "they are written as they should be, and those rows are deleted"
    alerts = ("DeltaNullsRising", "DeltaValuesShifted")

    def provoke(self, town: Town) -> None:
        town.customers.change(blank=True, huge=True)

    def repair(self, town: Town) -> None:
        town.customers.change(blank=False, huge=False)
        with writers_resting(town) as table:
            deleted(table, "amount IS NULL OR amount > 1000000")
