"""The worst anomalies of an incident, in the order in which its note cites them."""

from __future__ import annotations

import json
from pathlib import Path

from sqlalchemy import insert

from livesec.core.explanation import Contribution, Explanation
from livesec.explain.incident_note import worst_first
from livesec.store import tables as t
from livesec.store.incident_members import incident_members
from livesec.store.open import reader_engine, writer_engine

EXPLANATION = Explanation("h", "w", "u", (Contribution("c", 1.0),), (), (), (), ())


def row(name: str, score: float, time_us: int, incident: str | None) -> dict[str, object]:
    return {
        "id": name,
        "time_us": time_us,
        "type": "bf_fast",
        "log_type": "login",
        "severity": "medium",
        "score": score,
        "entity_type": "src_ip",
        "entity": "192.0.2.7",
        "description": f"about {name}",
        "details": "{}",
        "techniques": json.dumps(["T1110"]),
        "reason": "",
        "confidence": 1.0,
        "explanation": EXPLANATION.to_json(),
        "evidence": b"",
        "status": "new",
        "incident_id": incident,
        "historical": False,
        "committed_us": 0,
    }


def test_the_worst_first_then_the_earliest_and_no_more_than_asked_for(tmp_path: Path) -> None:
    db = str(tmp_path / "livesec.db")
    engine, lock = writer_engine(db)
    with engine.begin() as connection:
        connection.execute(
            insert(t.anomalies),
            [
                row("mild", 20.0, 1, "i"),
                row("late", 47.0, 9, "i"),
                row("early", 47.0, 2, "i"),
                row("worst", 99.0, 5, "i"),
                row("another", 99.0, 5, "j"),
                row("alone", 99.0, 5, None),
            ],
        )
    engine.dispose()
    lock.release()
    with reader_engine(db).connect() as connection:
        found = incident_members(connection, "i")
        assert [member.id for member in found] == ["worst", "early", "late", "mild"]
        assert found == worst_first(found)
        assert found[0].explanation == EXPLANATION
        assert [member.id for member in incident_members(connection, "i", limit=2)] == ["worst", "early"]
        assert incident_members(connection, "none") == []
