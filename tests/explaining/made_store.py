"""A store with invented anomalies of one detector, as the daemon's writer leaves them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.explain import good_model
from tests.explain.fake_endpoint import Behaviour, FakeEndpoint, answering

from livesec.core.anomaly import Anomaly, BatchResult, Commit, EvidenceLine, Incident, StreamPosition
from livesec.core.explanation import Contribution, Explanation, Step
from livesec.core.schema import LogType
from livesec.core.settings import Settings
from livesec.core.severity import Severity
from livesec.store.writer import StoreWriter

START_US = 1_772_409_600_000_000
SCORES = {Severity.LOW: 20.0, Severity.MEDIUM: 47.0, Severity.HIGH: 73.0, Severity.CRITICAL: 93.0}
STREAM = StreamPosition(1, "ab" * 8, "file", "/var/log/auth.log", 0, 0, "UTC", format="openssh")


def made_anomaly(number: int, severity: Severity = Severity.HIGH, **changes: object) -> Anomaly:
    """Failed logins from an address of their own each; all of a severity are of one kind to a model."""
    address = f"203.0.113.{number % 250 + 1}"
    written = Explanation(
        headline=f"7 failed logins from {address}",
        what_happened=f"7 failed logins from {address} [L1].",
        usual="A person makes fewer than 5 failures; here it was 7.",
        why_score=(Contribution("base severity of bf_fast", SCORES[severity] / 10),),
        alternatives=("a script that kept an old password",),
        would_change=(),
        next_steps=(Step("Ask the owner of root."),),
        techniques=("T1110.001 Password Guessing (credential-access)",),
    )
    made = Anomaly(
        id=f"{number:016x}",
        sequence=number,
        time_us=START_US + number * 1_000_000,
        type="bf_fast",
        log_type=LogType.LOGIN,
        severity=severity,
        score=SCORES[severity],
        entity_type="src_ip",
        entity=address,
        user="root",
        src_ip=address,
        dst_ip=None,
        host="web",
        description=written.headline,
        details={"attempts": 7, "span_s": 12.0, "capacity": 5},
        techniques=("T1110.001",),
        reason="threshold",
        confidence=1.0,
        explanation=written,
        evidence=(EvidenceLine(1, 100 * number, 60, f"Failed password for root from {address}".encode()),),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def made_incident(members: Iterable[str], severity: Severity = Severity.HIGH, in_all: int = 1) -> Incident:
    return Incident(
        id="0123456789ab",
        title="Password guessing from 203.0.113.1",
        severity=severity,
        score=SCORES[severity],
        first_us=START_US,
        last_us=START_US + 60_000_000,
        anomaly_ids=tuple(members),
        anomalies=in_all,
        entities=(("src_ip", "203.0.113.1"),),
        tactics=("credential-access",),
        types=("bf_fast",),
    )


def write(db: Path, *anomalies: Anomaly, incidents: Iterable[Incident] = ()) -> Path:
    """Commit `anomalies` as one batch, the store made where it is missing."""
    writer = StoreWriter(str(db))
    try:
        result = BatchResult(lines=1, anomalies=list(anomalies), incidents=list(incidents))
        writer.commit(Commit(result=result, streams=[STREAM], next_sequence=1))
    finally:
        writer.close()
    return db


def rows(db: Path, query: str, *values: object) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(db)) as connection:
        return connection.execute(query, values).fetchall()


def following_the_prompt() -> Behaviour:
    """A model that answers well."""
    return answering(good_model.answer_text)


def good_endpoint() -> FakeEndpoint:
    return FakeEndpoint(following_the_prompt())


def settings_for(server: FakeEndpoint, **more: object) -> Settings:
    """Settings that ask `server`, with room in the budget."""
    given: dict[str, Any] = {"explain_calls_per_minute": 1_000, "explain_calls_per_day": 1_000} | more
    return Settings(openai_base_url=server.base_url, explain_model="test-model", **given)


def settings_line(settings: Settings) -> bytes:
    """As the daemon hands them to its worker."""
    return json.dumps(settings.model_dump(mode="json")).encode() + b"\n"
