"""The store's one writer: a batch with everything it changes is one transaction."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from operator import attrgetter
from pathlib import Path
from typing import Any

import numpy as np
import zstandard
from sqlalchemy import Connection, delete, func, insert, select

from livesec.core.anomaly import KEPT_LINE_BYTES, BatchResult, Commit, EntityRisk, StreamPosition
from livesec.core.batch import RawBatch, StreamInfo
from livesec.core.clock import now_us
from livesec.core.json_text import json_text
from livesec.store import tables as t
from livesec.store.evidence import pack_evidence
from livesec.store.journal import forget_passed, journal_batches, journalled_line
from livesec.store.mirror import CsvMirror
from livesec.store.open import store_path, writer_engine
from livesec.store.statements import (
    ADD_COUNTS,
    ADD_COVERAGE,
    ADD_REJECTS,
    ADD_TOTALS,
    ANOMALY_COLUMNS,
    JOIN_INCIDENT,
    NEW_IN_OUTBOX,
    NEW_REJECT,
    PUT_HEALTH,
    PUT_INCIDENT,
    PUT_META,
    PUT_RISK,
    PUT_SNAPSHOT,
    PUT_STREAM,
    Bulk,
    put_many,
    upsert,
)

_RISK_VALUES = attrgetter(*EntityRisk.__slots__)


class StoreWriter:
    """Writes a store. Raises StoreHeldError where another process does."""

    def __init__(self, db: str, *, demo: bool = False, recent_events: int = 500, reject_samples: int = 1000) -> None:
        self.path = store_path(db)
        self._engine, self._lock = writer_engine(db, demo=demo)
        self._recent_events = recent_events
        self._reject_samples = reject_samples
        self._compressor = zstandard.ZstdCompressor(level=1)
        dialect = self._engine.dialect
        self._new_anomaly = Bulk(upsert(t.anomalies, ["id"], []), ANOMALY_COLUMNS, dialect)
        self._add_counts = Bulk(ADD_COUNTS, ["log_type", "minute_us", "events"], dialect)
        self._put_risk = Bulk(PUT_RISK, list(EntityRisk.__slots__), dialect)
        with self._engine.connect() as connection:
            values = {row.key: row.value for row in connection.execute(select(t.meta))}
            self._rejects_kept = connection.execute(select(func.count()).select_from(t.rejects)).scalar_one()
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
            if commit.snapshots is not None:
                put_many(
                    connection,
                    PUT_SNAPSHOT,
                    [{"component": name, "data": data} for name, data in commit.snapshots.items()],
                )
                passed = connection.execute(select(func.coalesce(func.max(t.journal.c.batch), 0))).scalar_one()
                forget_passed(connection, passed)
                put_many(connection, PUT_META, [{"key": "snapshot_batch", "value": str(passed)}])
            self._put_result(connection, result, alerting=commit.alerting)
            put_many(connection, insert(t.gaps), [asdict(gap) | {"committed_us": now_us()} for gap in commit.gaps])
            settings = {
                "next_sequence": commit.next_sequence,
                "mirror": self._mirror.path,
                "mirror_length": mirror_length,
            }
            put_many(connection, PUT_META, [{"key": key, "value": str(value)} for key, value in settings.items()])
        self._mirror.length = mirror_length
        self.next_sequence = commit.next_sequence

    def _put_result(self, connection: Connection, result: BatchResult, *, alerting: bool) -> None:
        self._put_anomalies(connection, result, alerting=alerting)
        latest = {(risk.entity_type, risk.entity): risk for risk in result.risks}
        self._put_risk.execute(connection, [_RISK_VALUES(risk) for risk in latest.values()])
        put_many(
            connection,
            ADD_REJECTS,
            [
                {"stream_id": stream_id, "reason": reason, "lines": lines}
                for (stream_id, reason), lines in result.reject_counts.items()
            ],
        )
        samples = result.rejects[: max(0, self._reject_samples - self._rejects_kept)]
        self._rejects_kept += len(samples)
        put_many(connection, NEW_REJECT, [asdict(line) for line in samples])
        self._add_counts.execute(
            connection,
            [(str(log_type), minute_us, events) for (log_type, minute_us), events in result.minute_counts.items()],
        )
        totals = {
            "lines": result.lines,
            "consumed": result.consumed,
            "skipped": result.skipped,
            "rejects": result.rejected,
            "events": result.events,
            "anomalies": len(result.anomalies),
        }
        put_many(
            connection,
            ADD_TOTALS,
            [{"name": name, "value": value} for name, value in totals.items() if value],
        )
        put_many(
            connection,
            ADD_COVERAGE,
            [{"detector": name} | asdict(detector) for name, detector in result.detectors.items()],
        )
        self._put_recent(connection, result)

    def _put_anomalies(self, connection: Connection, result: BatchResult, *, alerting: bool) -> None:
        if not result.anomalies:
            return
        committed_us = now_us()
        known = connection.execute(select(func.coalesce(func.max(t.anomalies.c.number), 0))).scalar_one()
        self._new_anomaly.execute(
            connection,
            [
                (
                    anomaly.id,
                    anomaly.time_us,
                    anomaly.type,
                    str(anomaly.log_type),
                    str(anomaly.severity),
                    anomaly.score,
                    anomaly.entity_type,
                    anomaly.entity,
                    anomaly.user,
                    anomaly.src_ip,
                    anomaly.dst_ip,
                    anomaly.host,
                    anomaly.description,
                    json_text(anomaly.details),
                    json_text(anomaly.techniques),
                    anomaly.reason,
                    anomaly.confidence,
                    anomaly.explanation.to_json(),
                    pack_evidence(anomaly.evidence),
                    "new",
                    anomaly.incident_id,
                    anomaly.historical,
                    committed_us,
                )
                for anomaly in result.anomalies
            ],
        )
        put_many(
            connection,
            PUT_INCIDENT,
            [
                {
                    "id": incident.id,
                    "title": incident.title,
                    "severity": str(incident.severity),
                    "score": incident.score,
                    "first_us": incident.first_us,
                    "last_us": incident.last_us,
                    "anomalies": incident.anomalies,
                    "entities": json_text(incident.entities),
                    "tactics": json_text(incident.tactics),
                    "types": json_text(incident.types),
                    "status": "new",
                }
                for incident in {incident.id: incident for incident in result.incidents}.values()
            ],
        )
        own = {anomaly.id for anomaly in result.anomalies if anomaly.incident_id is not None}
        put_many(
            connection,
            JOIN_INCIDENT,
            [
                {"member": member, "incident": incident.id}
                for incident in result.incidents
                for member in incident.anomaly_ids
                if member not in own
            ],
        )
        if alerting:
            connection.execute(NEW_IN_OUTBOX, {"known": known})

    def _put_recent(self, connection: Connection, result: BatchResult) -> None:
        if not result.recent:
            return
        put_many(
            connection,
            insert(t.recent_events),
            [asdict(event) | {"log_type": str(event.log_type)} for event in result.recent],
        )
        for log_type in {event.log_type for event in result.recent}:
            keep = (
                select(t.recent_events.c.number)
                .where(t.recent_events.c.log_type == str(log_type))
                .order_by(t.recent_events.c.number.desc())
                .limit(1)
                .offset(self._recent_events)
                .scalar_subquery()
            )
            connection.execute(
                delete(t.recent_events).where(
                    t.recent_events.c.log_type == str(log_type), t.recent_events.c.number <= keep
                )
            )

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

    def snapshots(self) -> dict[str, bytes]:
        """Saved state by component."""
        with self._engine.connect() as connection:
            return {row.component: row.data for row in connection.execute(select(t.snapshots))}

    def journalled(self, infos: Mapping[int, StreamInfo]) -> Iterator[tuple[RawBatch, bool]]:
        """The batches committed since the last snapshot, in order, each with whether it was historical."""
        with self._engine.connect() as connection:
            passed = connection.execute(select(t.meta.c.value).where(t.meta.c.key == "snapshot_batch")).scalar()
            yield from journal_batches(connection, infos, int(passed or 0))

    def journalled_line(self, stream_id: int, offset: int) -> tuple[bytes, int] | None:
        """The line at an address, while the journal still has it."""
        with self._engine.connect() as connection:
            return journalled_line(connection, stream_id, offset, KEPT_LINE_BYTES)
