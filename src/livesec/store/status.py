"""The record behind `livesec status` and the desk's health panel."""

from __future__ import annotations

import json
import os
from typing import Any

from sqlalchemy import Connection, func, select

from livesec.core.clock import US_PER_DAY, US_PER_S, now_us, rfc3339
from livesec.store import tables as t
from livesec.store.open import reader_engine, store_path

SILENT_AFTER_S = 15.0
"""The daemon beats every 2 s; after this long without one it is called silent."""

_REALISED_OVER_DAYS = 7


def _streams(connection: Connection) -> list[dict[str, Any]]:
    records = []
    for row in connection.execute(select(t.streams).order_by(t.streams.c.stream_id)):
        size = _size_now(row) if row.kind == "file" else row.offset
        behind = max(0, size - row.offset) if row.state in ("active", "rotated", "error") else 0
        oldest_s = (now_us() - row.oldest_unread_us) / US_PER_S if behind and row.oldest_unread_us else 0.0
        records.append(
            {
                "path": row.path,
                "kind": row.kind,
                "format": row.format,
                "offset": row.offset,
                "bytes_behind": behind,
                "oldest_unread_s": round(max(0.0, oldest_s), 3),
                "state": row.state,
                "error": row.error,
            }
        )
    return records


def _size_now(row: Any) -> int:
    """The file's size as it is now, else as the daemon last saw it."""
    try:
        found = os.stat(row.path)
    except OSError:
        return int(row.size or 0)
    return found.st_size if found.st_ino == row.inode else int(row.size or 0)


def _realised_per_day(connection: Connection) -> float:
    """Anomalies of medium or higher per day over the last days of event time that the store has seen."""
    last, first = connection.execute(select(func.max(t.counts.c.minute_us), func.min(t.counts.c.minute_us))).one()
    if last is None:
        return 0.0
    since = max(first, last - _REALISED_OVER_DAYS * US_PER_DAY)
    found = connection.execute(
        select(func.count())
        .select_from(t.anomalies)
        .where(t.anomalies.c.time_us >= since, t.anomalies.c.severity != "low")
    ).scalar_one()
    span_days: float = (last - since) / US_PER_DAY
    return float(found) / max(1.0, span_days)


def store_status(db: str, *, alerts_budget_per_day: float) -> dict[str, Any]:
    """Everything `status --json` prints. Raises LiveSecError where there is no store."""
    path = store_path(db)
    wal = path.with_name(path.name + "-wal")
    with reader_engine(db).connect() as connection:
        health = {row.key: json.loads(row.value) for row in connection.execute(select(t.health))}
        totals = {row.name: row.value for row in connection.execute(select(t.totals))}
        gaps = [
            {"path": row.path, "start": row.start_offset, "end": row.end_offset, "reason": row.reason}
            for row in connection.execute(select(t.gaps).order_by(t.gaps.c.gap))
        ]
        coverage = {
            row.detector: {
                "rows": row.rows,
                "judged": row.judged,
                "coverage": round(row.judged / row.rows, 4) if row.rows else None,
                "findings": row.findings,
                "entities": row.entities,
                "maturity": "learning" if row.judged == 0 else "working",
            }
            for row in connection.execute(select(t.coverage).order_by(t.coverage.c.detector))
        }
        streams = _streams(connection)
        realised = _realised_per_day(connection)
        waiting = connection.execute(
            select(func.count()).select_from(t.outbox).where(t.outbox.c.delivered_us.is_(None))
        ).scalar_one()
    daemon = health.get("daemon")
    if daemon is not None:
        age_s = (now_us() - daemon["beat_us"]) / US_PER_S
        daemon["alive"] = not daemon["stopped"] and age_s < SILENT_AFTER_S
    last_commit_us = daemon and daemon.get("last_commit_us")
    return {
        "daemon": daemon,
        "streams": streams,
        "watcher": daemon and daemon.get("watcher"),
        "last_commit": rfc3339(last_commit_us) if last_commit_us else None,
        "wal_bytes": wal.stat().st_size if wal.exists() else 0,
        "totals": totals,
        "gaps": gaps,
        "rejects": int(totals.get("rejects", 0)),
        "alerts_realised_per_day": round(realised, 3),
        "alerts_budget_per_day": alerts_budget_per_day,
        "detectors": coverage,
        "outbox_waiting": waiting,
        "explanation_queue": {"waiting": 0, "writer": "deterministic"},
    }
