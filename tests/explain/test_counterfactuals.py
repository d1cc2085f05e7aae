"""Explanations follow the log: without the key line its citation goes; a benign twin is less sure, or no anomaly.

Real logs of an SSH server, replayed into a store, twice: as they are, and with one thing changed.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

from livesec.core.settings import Settings
from livesec.runners.replay import Replay
from livesec.store.anomaly_queries import AnomalyDetail, all_anomaly_ids, anomaly_detail
from livesec.store.open import reader_engine
from livesec.store.writer import StoreWriter

ATTACKER = "198.51.100.66"
LOGIN = f"Mar  2 10:01:00 web1 sshd[999]: Accepted password for alice from {ATTACKER} port 50999 ssh2"
_CITED = re.compile(r"\[L(\d+)\](?: to \[L(\d+)\])?")


def failures(seconds: Sequence[int], user: str = "alice", source: str = ATTACKER) -> list[str]:
    """Failed passwords at so many seconds after ten o'clock."""
    return [
        f"Mar  2 10:{at // 60:02d}:{at % 60:02d} web1 sshd[{800 + number}]: Failed password for {user} "
        f"from {source} port {50_000 + number} ssh2"
        for number, at in enumerate(seconds)
    ]


GUESSING = failures(range(0, 40, 2))


def found_in(folder: Path, lines: Sequence[str]) -> dict[str, AnomalyDetail]:
    """The last anomaly of each detector that a replay of `lines` finds."""
    folder.mkdir()
    log = folder / "auth.log"
    log.write_text("".join(f"{line}\n" for line in lines))
    os.utime(log, (1_775_000_000,) * 2)  # 2026-03-31: lines that state no year are of 2026
    db = str(folder / "livesec.db")
    writer = StoreWriter(db)
    try:
        Replay(Settings(), [str(log)], writer, lambda *_: None).run()
    finally:
        writer.close()
    with reader_engine(db).connect() as connection:
        details = [anomaly_detail(connection, name) for name in all_anomaly_ids(connection)]
    return {detail.row.type: detail for detail in details if detail is not None}


def cited(detail: AnomalyDetail) -> list[str]:
    """The lines that its text cites."""
    numbers: set[int] = set()
    for first, last in _CITED.findall(detail.explanation.what_happened):
        numbers.update(range(int(first), int(last or first) + 1))
    return [detail.evidence[number - 1].line.decode() for number in sorted(numbers)]


def test_without_the_login_there_is_no_break_in_and_nothing_cites_it(tmp_path: Path) -> None:
    whole = found_in(tmp_path / "whole", [*GUESSING, LOGIN])
    assert cited(whole["bf_success"])[-1] == LOGIN
    without = found_in(tmp_path / "without", GUESSING)
    assert "bf_success" not in without
    assert "bf_fast" in without
    assert all(LOGIN not in cited(detail) for detail in without.values())


def test_a_line_that_is_taken_away_is_cited_no_more(tmp_path: Path) -> None:
    whole = found_in(tmp_path / "whole", GUESSING)["bf_fast"]
    key = cited(whole)[0]
    without = found_in(tmp_path / "without", [line for line in GUESSING if line != key])["bf_fast"]
    assert key not in cited(without)
    assert cited(without)


def test_no_line_is_cited_beyond_those_that_are_kept(tmp_path: Path) -> None:
    for detail in found_in(tmp_path / "whole", [*GUESSING, LOGIN]).values():
        assert cited(detail) == [line.line.decode() for line in detail.evidence]


def test_an_owner_who_mistypes_is_a_less_sure_break_in_than_a_guesser(tmp_path: Path) -> None:
    """The twin: a few failures of one account, minutes apart, then its login."""
    guesser = found_in(tmp_path / "guesser", [*GUESSING, LOGIN])["bf_success"]
    owner = found_in(tmp_path / "owner", [*failures(range(0, 60, 12)), LOGIN]).get("bf_success")
    assert guesser.confidence == 1.0
    assert owner is not None and owner.confidence < guesser.confidence
    assert owner.row.score < guesser.row.score
    assert owner.explanation.confidence_reason.startswith(f"{owner.confidence:.2f}: a rule that is met in part")
    assert any("confidence" in item.cause and item.points < 0 for item in owner.explanation.why_score)
    assert guesser.explanation.confidence_reason.startswith("full")


def test_one_typing_error_before_a_login_is_no_anomaly(tmp_path: Path) -> None:
    assert found_in(tmp_path / "twin", [*failures([50]), LOGIN]) == {}


def test_failures_at_a_persons_pace_are_no_fast_guessing(tmp_path: Path) -> None:
    slow = found_in(tmp_path / "twin", failures(range(0, 60, 12)))
    assert "bf_fast" not in slow


def test_failures_of_many_accounts_by_one_address_are_a_spray_and_by_many_addresses_are_not(tmp_path: Path) -> None:
    names = [f"user{number}" for number in range(10)]
    by_one = [failures([20 * number], name)[0] for number, name in enumerate(names)]
    assert "spray" in found_in(tmp_path / "one", by_one)
    by_many = [failures([20 * number], name, f"192.0.2.{number + 1}")[0] for number, name in enumerate(names)]
    assert "spray" not in found_in(tmp_path / "many", by_many)
