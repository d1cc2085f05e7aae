"""The record behind `livesec status`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from sqlalchemy import func, select

from livesec.core.clock import US_PER_S, now_us, rfc3339
from livesec.store import tables as t
from livesec.store.activity_queries import alerts_per_day_by_type, known_types, latest_event_us
from livesec.store.explainer_status import explainer_status
from livesec.store.health_queries import (
    DaemonHealth,
    DetectorCoverage,
    StreamHealth,
    bytes_behind,
    coverage_rows,
    daemon_health,
    gap_count,
    gap_rows,
    learned_anew,
    reject_counts,
    stream_count,
    stream_health,
)
from livesec.store.open import reader_engine, store_path
from livesec.store.wal import wal_bytes

NOT_RUNNING = "not running"
"""The watcher of a daemon that gives no sign of life, whatever it last said."""


def _age_s(since_us: int) -> float:
    return round(max(0, now_us() - since_us) / US_PER_S, 3)


def _stream(stream: StreamHealth) -> dict[str, Any]:
    behind = stream.behind_bytes
    since_us = stream.oldest_unread_us if behind else None
    return {
        "path": stream.path,
        "kind": stream.kind,
        "format": stream.format,
        "offset": stream.offset,
        "bytes_behind": behind,
        "oldest_unread_s": 0.0 if since_us is None else _age_s(since_us),
        "state": stream.state,
        "error": stream.error,
    }


def _detector(item: DetectorCoverage) -> dict[str, Any]:
    return {
        "rows": item.rows,
        "judged": item.judged,
        "coverage": round(item.share, 4) if item.rows else None,
        "findings": item.findings,
        "entities": item.entities,
        "maturity": item.maturity,
        "mature_entities": item.mature,
        "known_entities": item.known,
        "mature_share": None if item.mature_share is None else round(item.mature_share, 4),
    }


def _daemon(health: DaemonHealth | None) -> dict[str, Any] | None:
    if health is None:
        return None
    return asdict(health) | {"alive": health.is_alive(now_us())}


def store_status(db: str, *, alerts_budget_per_day: float) -> dict[str, Any]:
    """Everything `status --json` prints. Raises LiveSecError where there is no store."""
    path = store_path(db)
    with reader_engine(db).connect() as connection:
        health = daemon_health(connection)
        totals = {row.name: row.value for row in connection.execute(select(t.totals))}
        realised = alerts_per_day_by_type(connection, latest_event_us(connection) or now_us())
        types = known_types(connection)
        waiting = connection.execute(
            select(func.count()).select_from(t.outbox).where(t.outbox.c.delivered_us.is_(None))
        ).scalar_one()
        healths = stream_health(connection)
        known = stream_count(connection)
        gaps_in_all = gap_count(connection)
        rejects = [asdict(count) for count in reject_counts(connection)]
        gaps = [
            {"path": gap.path, "start": gap.start_offset, "end": gap.end_offset, "reason": gap.reason}
            for gap in gap_rows(connection)
        ]
        lost = [
            {"component": item.component, "reason": item.reason, "since": rfc3339(item.since_us)}
            for item in learned_anew(connection)
        ]
        coverage = {item.detector: _detector(item) for item in coverage_rows(connection)}
        explained = explainer_status(connection)
    behind, since_us = bytes_behind(healths)
    daemon = _daemon(health)
    last_commit_us = health.last_commit_us if health is not None else None
    return {
        "daemon": daemon,
        "streams": [_stream(stream) for stream in healths],
        "streams_read": known,
        "bytes_behind": behind,
        "oldest_unread_s": 0.0 if since_us is None else _age_s(since_us),
        "watcher": None if daemon is None else daemon["watcher"] if daemon["alive"] else NOT_RUNNING,
        "last_commit": rfc3339(last_commit_us) if last_commit_us else None,
        "wal_bytes": wal_bytes(path),
        "totals": totals,
        "gaps": gaps,
        "gap_count": gaps_in_all,
        "learned_anew": lost,
        "rejects": int(totals.get("rejects", 0)),
        "reject_reasons": rejects,
        "alerts_realised_per_day": round(sum(realised.values()), 3),
        "alerts_budget_per_day": alerts_budget_per_day,
        "alerts_by_detector": {
            name: {
                "realised_per_day": round(realised.get(name, 0.0), 3),
                "budget_per_day": round(alerts_budget_per_day / len(types), 4),
            }
            for name in types
        },
        "coverage": {name: item["coverage"] for name, item in coverage.items()},
        "detectors": coverage,
        "outbox_waiting": waiting,
        "explanation_queue": {"waiting": explained["queue"]["waiting"]},
        "explanations": explained,
    }
