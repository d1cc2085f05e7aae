"""Suppressions and feedback: stored and told, but no alert, risk or incident; ended by the time of the logs."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from livesec.core.errors import SettingsError
from livesec.core.settings import Settings, load_settings
from livesec.core.verdicts import Feedback, Suppression
from livesec.runners.replay import Replay
from livesec.store.export import export_rows
from livesec.store.open import reader_engine
from livesec.store.writer import StoreWriter

LINE = "2026-03-0{day}T00:00:{second:02d}Z web sshd[{pid}]: Failed password for root from {address} port 4242 ssh2\n"


def guesses(day: int, address: str) -> str:
    return "".join(LINE.format(day=day, second=second, pid=day * 100 + second, address=address) for second in range(6))


def found(folder: Path, settings: Settings, text: str) -> list[dict[str, Any]]:
    """The bf_fast anomalies of a replay of `text`, and every row of risk."""
    log, db = folder / "auth.log", folder / "run" / "livesec.db"
    log.write_text(text)
    writer = StoreWriter(str(db))
    try:
        Replay(settings, [str(log)], writer, lambda _share, _lines: None).run()
    finally:
        writer.close()
    engine = reader_engine(str(db))
    risks = {row["entity"] for row in export_rows(engine, "risk")}
    rows = [row for row in export_rows(engine, "anomalies") if row["type"] == "bf_fast"]
    return [row | {"has_risk": row["src_ip"] in risks} for row in rows]


def test_a_suppressed_finding_is_kept_without_score_risk_or_alert_until_its_end(tmp_path: Path) -> None:
    scanner = Suppression(detector="bf_fast", entity="192.0.2.0/24", until=date(2026, 3, 2), reason="our scanner")
    settings = load_settings(environ={"": ""}).model_copy(update={"suppressions": (scanner,)})
    text = guesses(2, "192.0.2.9") + guesses(2, "198.51.100.9") + guesses(3, "192.0.2.8")
    silent, other, later = found(tmp_path, settings, text)
    assert (silent["score"], silent["severity"], silent["status"]) == (0.0, "low", "suppressed")
    assert "suppressed until 2026-03-02: our scanner" in silent["explanation"]
    assert silent["incident_id"] is None
    for row in (other, later):
        assert (row["severity"], row["status"], row["has_risk"]) == ("medium", "new", True)


def test_feedback_lowers_the_score_and_says_so(tmp_path: Path) -> None:
    judged = Feedback(detector="bf_fast", entity="192.0.2.9", weight=0.25, reason="a script of ours")
    settings = load_settings(environ={"": ""}).model_copy(update={"feedback": (judged,)})
    lower, other = found(tmp_path, settings, guesses(2, "192.0.2.9") + guesses(2, "198.51.100.9"))
    assert lower["score"] == pytest.approx(other["score"] * 0.25, abs=0.01)
    assert "confidence times 0.25 by feedback: a script of ours" in lower["explanation"]
    assert lower["status"] == "new"


def test_verdicts_of_the_file_are_added_to_those_of_the_settings(tmp_path: Path) -> None:
    config = tmp_path / "config.py"
    config.write_text("SUPPRESSIONS = [{'detector': 'bf_fast', 'reason': 'one'}]\n")
    verdicts = tmp_path / "verdicts.toml"
    verdicts.write_text("[[suppressions]]\nentity = '192.0.2.1'\nuntil = 2026-05-01\nreason = 'two'\n")
    loaded = load_settings(config, [verdicts], environ={"": ""})
    assert [item.reason for item in loaded.suppressions] == ["one", "two"]
    config.write_text("SUPPRESSIONS = [{'reason': 'everything'}]\n")
    with pytest.raises(SettingsError, match="detector or entity must be named"):
        load_settings(config, environ={"": ""})


def test_what_a_verdict_is_about() -> None:
    network = Suppression(entity="2001:db8:1::/48", reason="ours")
    assert network.is_about("bf_fast", (None, "2001:db8:1:2::/64"))
    assert not network.is_about("bf_fast", ("2001:db8:2::1", "ann", "10.0.0.0/8x"))
    assert not Suppression(entity="ann", reason="ours").is_about("bf_fast", ("anna", None))
    with pytest.raises(ValidationError):
        Suppression(entity="ann", reason="")
