"""The store's one writer: a batch with everything it changes is one transaction."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import zstandard
from sqlalchemy import func, insert, select

from livesec.core.anomaly import KEPT_LINE_BYTES, Commit, StreamPosition
from livesec.core.batch import RawBatch, StreamInfo
from livesec.core.clock import now_us
from livesec.core.snapshot import SavedPart
from livesec.store import tables as t
from livesec.store.journal import forget_passed, journal_batches, journalled_line
from livesec.store.mirror import CsvMirror
from livesec.store.open import LOCK_WAIT_MS, store_path, writer_engine
from livesec.store.result_rows import ResultRows
from livesec.store.saved_state import put_snapshot, saved_parts
from livesec.store.statements import PUT_HEALTH, PUT_META, PUT_STREAM, put_many
from livesec.store.wal import WriteAheadLog


class StoreWriter:
    """Writes a store. Raises StoreHeldError where another process does.

    `lock_wait_ms`: how long a transaction waits for another connection's before it fails.
    """

    def __init__(
        self,
        db: str,
        *,
        demo: bool = False,
        recent_events: int = 500,
        reject_samples: int = 1000,
        lock_wait_ms: int = LOCK_WAIT_MS,
    ) -> None:
        self.path = store_path(db)
        self._engine, self._lock = writer_engine(db, demo=demo, lock_wait_ms=lock_wait_ms)
        self.wal = WriteAheadLog(self.path, self._engine)
        self._compressor = zstandard.ZstdCompressor(level=1)
        with self._engine.connect() as connection:
            values = {row.key: row.value for row in connection.execute(select(t.meta))}
            rejects_kept = connection.execute(select(func.count()).select_from(t.rejects)).scalar_one()
        self._results = ResultRows(
            self._engine.dialect, recent_events=recent_events, reject_samples=max(0, reject_samples - rejects_kept)
        )
        self.next_sequence = int(values.get("next_sequence", "0"))
        self.is_demo = values.get("demo") == "1"
        if (
            "mirror" not in values
        ):  # claimed before it is made: a crash between the two must not make it another store's
            values["mirror"] = str(self._choose_mirror())
            with self._engine.begin() as connection:
                put_many(connection, PUT_META, [{"key": "mirror", "value": values["mirror"]}])
        self._mirror = CsvMirror(Path(values["mirror"]), int(values.get("mirror_length", "0")))

    def _choose_mirror(self) -> Path:
        """`anomalies.csv` beside the store, or `<store>_anomalies.csv` where another store has taken that name."""
        path = self.path.absolute().with_name("anomalies.csv")
        if path.exists():
            path = path.with_name(f"{self.path.stem}_anomalies.csv")
        return path

    @property
    def mirror_path(self) -> Path:
        """Where the CSV of the anomalies is."""
        return self._mirror.path

    def close(self) -> None:
        """Close the store and give the right to write back."""
        self._engine.dispose()
        self._mirror.close()
        self._lock.release()

    def commit(self, commit: Commit) -> None:
        """Store everything of `commit` in one transaction; on return it is on disk.

        Raises sqlalchemy.exc.OperationalError (disk full, locked): nothing was stored; it may be tried again.
        """
        result = commit.result
        mirror_length = self._mirror.append(result.anomalies)
        with self._engine.begin() as connection:
            if commit.streams:
                put_many(connection, PUT_STREAM, [asdict(stream) for stream in commit.streams])
            if commit.batch is not None:
                connection.execute(insert(t.journal), self._journal_row(commit.batch, commit.historical))
            if commit.snapshot is not None:
                put_snapshot(connection, commit.snapshot)
                passed = connection.execute(select(func.coalesce(func.max(t.journal.c.batch), 0))).scalar_one()
                forget_passed(connection, passed)
                put_many(connection, PUT_META, [{"key": "snapshot_batch", "value": str(passed)}])
            self._results.put(connection, result, alerting=commit.alerting)
            put_many(connection, insert(t.gaps), [asdict(gap) | {"committed_us": now_us()} for gap in commit.gaps])
            settings = {
                "next_sequence": commit.next_sequence,
                "mirror": self._mirror.path,
                "mirror_length": mirror_length,
            }
            put_many(connection, PUT_META, [{"key": key, "value": str(value)} for key, value in settings.items()])
        self._mirror.length = mirror_length
        self.next_sequence = commit.next_sequence

    def _journal_row(self, batch: RawBatch, historical: bool) -> dict[str, Any]:
        addresses = None
        if not np.array_equal(batch.kept, batch.lengths):
            table = np.stack([batch.starts, batch.kept, batch.offsets, batch.lengths]).astype(np.int64)
            addresses = self._compressor.compress(table.tobytes())
        return {
            "first_sequence": batch.first_sequence,
            "lines": len(batch),
            "stream_id": batch.stream.stream_id,
            "start_offset": int(batch.offsets[0]) if len(batch) else batch.end_offset,
            "end_offset": batch.end_offset,
            "historical": historical,
            "addresses": addresses,
            "data": self._compressor.compress(batch.data),
        }

    def put_health(self, values: Mapping[str, Any]) -> None:
        """Store the daemon's health by key (JSON values); a transaction of its own."""
        with self._engine.begin() as connection:
            put_many(
                connection,
                PUT_HEALTH,
                [{"key": key, "value": json.dumps(value)} for key, value in values.items()],
            )

    def streams(self) -> list[StreamPosition]:
        """Every stream known to the store."""
        with self._engine.connect() as connection:
            return [StreamPosition(**row._mapping) for row in connection.execute(select(t.streams))]

    def saved_parts(self) -> list[SavedPart]:
        """The parts of the state as the last snapshots left them."""
        with self._engine.connect() as connection:
            return saved_parts(connection)

    def journalled(self, infos: Mapping[int, StreamInfo]) -> Iterator[tuple[RawBatch, bool]]:
        """The batches committed since the last snapshot, in order, each with whether it was historical."""
        with self._engine.connect() as connection:
            passed = connection.execute(select(t.meta.c.value).where(t.meta.c.key == "snapshot_batch")).scalar()
            yield from journal_batches(connection, infos, int(passed or 0))

    def journalled_line(self, stream_id: int, offset: int) -> tuple[bytes, int] | None:
        """The line at an address, while the journal still has it."""
        with self._engine.connect() as connection:
            return journalled_line(connection, stream_id, offset, KEPT_LINE_BYTES)
