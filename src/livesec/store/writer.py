"""The store's one writer: a batch with everything it changes is one transaction."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, func, insert, select

from livesec.core.anomaly import KEPT_LINE_BYTES, Anomaly, Commit, Gap, StreamPosition
from livesec.core.batch import RawBatch, StreamInfo
from livesec.core.clock import now_us
from livesec.core.errors import LiveSecError
from livesec.core.fault_points import reach
from livesec.core.severity import Severity
from livesec.core.snapshot import SavedPart, Snapshot
from livesec.store import tables as t
from livesec.store.journal import forget_passed, journal_batches, journal_row, journalled_line
from livesec.store.mirror import CsvMirror
from livesec.store.open import LOCK_WAIT_MS, damage_alone_named, damage_named, store_path, writer_engine
from livesec.store.result_rows import ResultRows
from livesec.store.saved_state import put_snapshot, saved_parts
from livesec.store.statements import MARK_DELIVERED, OUTBOX_END, PUT_HEALTH, PUT_META, PUT_STREAM, put_many
from livesec.store.stored_anomalies import WaitingAlerts, all_anomalies, waiting_alerts
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
        with ExitStack() as on_failure:
            on_failure.callback(self._lock.release)
            on_failure.callback(self._engine.dispose)
            self._open(recent_events, reject_samples)
            on_failure.pop_all()

    def _open(self, recent_events: int, reject_samples: int) -> None:
        with damage_named(self.path):
            with self._engine.connect() as connection:
                values = {row.key: row.value for row in connection.execute(select(t.meta))}
                rejects_kept = connection.execute(select(func.count()).select_from(t.rejects)).scalar_one()
                self._outbox_end = connection.execute(OUTBOX_END).scalar_one()
            if "mirror" not in values:
                # claimed before it is made: a crash between the two must not make it another store's
                values["mirror"] = str(self._choose_mirror())
                with self._engine.begin() as connection:
                    put_many(connection, PUT_META, [{"key": "mirror", "value": values["mirror"]}])
                reach("store.mirror_named")
        self._results = ResultRows(
            self._engine.dialect, recent_events=recent_events, reject_samples=reject_samples - rejects_kept
        )
        self.next_sequence = int(values.get("next_sequence", "0"))
        self.is_demo = values.get("demo") == "1"
        self._delivered_upto = 0
        self._shown_upto = 0
        length = int(values.get("mirror_length", "0"))
        try:
            self._mirror = CsvMirror(Path(values["mirror"]), length, self._stored_anomalies)
        except OSError as error:
            reason = f"{values['mirror']}: the CSV of the anomalies cannot be written ({error.strerror})"
            raise LiveSecError(f"{reason}; make room or give the right to write it") from error
        if length not in (0, self._mirror.length):
            with damage_named(self.path), self._engine.begin() as connection:
                put_many(connection, PUT_META, [{"key": "mirror_length", "value": str(self._mirror.length)}])
        reach("store.mirror_cut")

    def _stored_anomalies(self) -> Iterator[Sequence[Anomaly]]:
        with self._reading() as connection:
            yield from all_anomalies(connection)

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

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with damage_alone_named(self.path), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with damage_named(self.path), self._engine.connect() as connection:
            yield connection

    def commit(self, commit: Commit) -> None:
        """Store everything of `commit` in one transaction; on return it is on disk.

        Raises sqlalchemy.exc.OperationalError (disk full, locked) or OSError: nothing was stored; it may be tried
        again. Raises StoreDamagedError: trying again is of no use.
        """
        result = commit.result
        mirror_length = self._mirror.append(result.anomalies)
        reach("commit.mirror_appended")
        outbox_end = self._outbox_end
        with self._writing() as connection:
            if commit.streams:
                put_many(connection, PUT_STREAM, [asdict(stream) for stream in commit.streams])
            reach("commit.positions")
            if commit.batch is not None:
                connection.execute(insert(t.journal), journal_row(commit.batch, commit.historical))
            reach("commit.journal")
            if commit.snapshot is not None:
                self._put_snapshot(connection, commit.snapshot)
            self._results.put(connection, result, alerting=commit.alerting)
            if result.anomalies:
                outbox_end = connection.execute(OUTBOX_END).scalar_one()
            reach("commit.results")
            put_many(connection, insert(t.gaps), [asdict(gap) | {"committed_us": now_us()} for gap in commit.gaps])
            reach("commit.gaps")
            settings = {
                "next_sequence": commit.next_sequence,
                "mirror": self._mirror.path,
                "mirror_length": mirror_length,
            }
            put_many(connection, PUT_META, [{"key": key, "value": str(value)} for key, value in settings.items()])
            self._mark_delivered(connection)
            reach("commit.meta")
        reach("commit.done")
        self._mirror.length = mirror_length
        self._results.committed(result)
        self._delivered_upto = self._shown_upto
        self._outbox_end = outbox_end
        self.next_sequence = commit.next_sequence

    @staticmethod
    def _put_snapshot(connection: Connection, snapshot: Snapshot) -> None:
        put_snapshot(connection, snapshot)
        passed = connection.execute(select(func.coalesce(func.max(t.journal.c.batch), 0))).scalar_one()
        forget_passed(connection, passed)
        put_many(connection, PUT_META, [{"key": "snapshot_batch", "value": str(passed)}])
        reach("snapshot.inside")

    def note_alerts_shown(self) -> None:
        """Every alert stored so far has been shown, or will not be: the next transaction marks them as delivered."""
        self._shown_upto = self._outbox_end

    def _mark_delivered(self, connection: Connection) -> None:
        if self._shown_upto > self._delivered_upto:
            connection.execute(MARK_DELIVERED, {"upto": self._shown_upto, "at_us": now_us()})
            reach("alerts.marking")

    def waiting_alerts(self, severities: Sequence[Severity], *, since_us: int, at_most: int) -> WaitingAlerts:
        """What the outbox holds undelivered, see `stored_anomalies`."""
        with self._reading() as connection:
            return waiting_alerts(connection, severities, since_us=since_us, at_most=at_most)

    def put_health(self, values: Mapping[str, Any]) -> None:
        """Store the daemon's health by key (JSON values); a transaction of its own."""
        with self._writing() as connection:
            rows = [{"key": key, "value": json.dumps(value)} for key, value in values.items()]
            put_many(connection, PUT_HEALTH, rows)
            self._mark_delivered(connection)
        self._delivered_upto = self._shown_upto

    def streams(self) -> list[StreamPosition]:
        """Every stream known to the store."""
        with self._reading() as connection:
            return [StreamPosition(**row._mapping) for row in connection.execute(select(t.streams))]

    def saved_parts(self) -> list[SavedPart]:
        """The parts of the state as the last snapshots left them."""
        with self._reading() as connection:
            return saved_parts(connection)

    def journalled(
        self, infos: Mapping[int, StreamInfo], damaged: list[Gap] | None = None
    ) -> Iterator[tuple[RawBatch, bool]]:
        """The batches committed since the last snapshot, in order, each with whether it was historical.

        Those that cannot be read are added to `damaged`; without it they raise StoreDamagedError.
        """
        with self._reading() as connection:
            passed = connection.execute(select(t.meta.c.value).where(t.meta.c.key == "snapshot_batch")).scalar()
            yield from journal_batches(connection, infos, int(passed or 0), damaged)

    def journalled_line(self, stream_id: int, offset: int) -> tuple[bytes, int] | None:
        """The line at an address, while the journal still has it."""
        with self._reading() as connection:
            return journalled_line(connection, stream_id, offset, KEPT_LINE_BYTES)
