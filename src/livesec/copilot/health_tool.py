"""The tool that says whether what the others answer is fresh and complete."""

from __future__ import annotations

from sqlalchemy import Connection

from livesec.copilot.answer import Answer, Cell, cell, table
from livesec.copilot.questions import DetectorHealth
from livesec.core.clock import US_PER_S, seed_time
from livesec.store.health_queries import (
    bytes_behind,
    coverage_rows,
    daemon_health,
    gap_count,
    reject_counts,
    stream_health,
)

_STREAMS, _DETECTORS, _REJECTS = 12, 30, 8


def detector_health(connection: Connection, question: DetectorHealth, now_us: int) -> Answer:
    """The daemon, its streams, and what share of its rows each detector could judge. `now_us`: the wall clock."""
    daemon = daemon_health(connection)
    streams = stream_health(connection)
    coverage = coverage_rows(connection)
    behind, since_us = bytes_behind(streams)
    facts: dict[str, Cell] = {"daemon": "never ran on this store"}
    if daemon is not None:
        word = "running" if daemon.is_alive(now_us) else "stopped" if daemon.stopped else "silent"
        facts = {"daemon": word, "last_seen_utc": seed_time(daemon.beat_us)}
        for name, problem in (("store_problem", daemon.commit_problem), ("settings_problem", daemon.settings_problem)):
            if problem:
                facts[name] = cell(problem)
    facts |= {
        "bytes_behind": behind,
        "oldest_unread_s": 0.0 if since_us is None else round(max(0, now_us - since_us) / US_PER_S, 1),
        "gaps": gap_count(connection),
        "detectors": len(coverage),
        "detectors_that_judge": sum(item.judged > 0 for item in coverage),
    }
    return Answer(
        f"The daemon: {facts['daemon']}; {behind:,d} bytes behind; {len(coverage)} detectors",
        facts=facts,
        tables=(
            table("detectors", ("detector", "rows", "judged_percent", "findings", "entities_known"), [
                (item.detector, item.rows, round(100 * item.share, 1), item.findings, item.entities)
                for item in coverage[:_DETECTORS]
            ]),
            table("sources", ("path", "state", "format", "bytes_behind", "error"), [
                (item.path, item.state, item.format, item.behind_bytes, item.error) for item in streams[:_STREAMS]
            ]),
            table("rejected lines", ("path", "reason", "lines"), [
                (item.path, item.reason, item.lines) for item in reject_counts(connection)[:_REJECTS]
            ]),
        ),
        private=tuple(dict.fromkeys(("path", item.path) for item in streams[:_STREAMS])),
    )  # fmt: skip
