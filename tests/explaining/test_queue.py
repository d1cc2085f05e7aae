"""What waits for the model: filled from the anomalies, ordered, bounded, and still there after a restart."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.explaining.made_store import made_anomaly, made_incident, rows, write

from livesec.core.anomaly import SUPPRESSED
from livesec.core.errors import StoreHeldError, UsageError
from livesec.core.severity import Severity
from livesec.store.answer_cache import KeptAnswer, keep_answer
from livesec.store.explanation_queue import begin_work, next_due, postpone, remove, request_view, take_up_again
from livesec.store.explanations import Wording, put_wording
from livesec.store.queue_filling import fill_queue
from livesec.store.second_writer import SecondWriter, worker_lock
from livesec.store.subjects import find_subject
from livesec.store.wal import LARGE_BYTES
from livesec.store.writer import StoreWriter

VIEW = "technical_expert"
MEDIUM = 1


def _fill(db: Path, at_most: int = 100) -> None:
    store = SecondWriter(str(db))
    while fill_queue(store, VIEW, MEDIUM, at_most):
        pass
    store.close()


def _order(db: Path) -> list[str]:
    """Ids as they come to their turn."""
    store, found = SecondWriter(str(db)), []
    with store.writing() as connection:
        while (item := next_due(connection, 10**18)) is not None:
            found.append(item.subject_id)
            begin_work(connection, item)
    store.close()
    return found


def _waiting(db: Path) -> set[str]:
    return {row[0] for row in rows(db, "SELECT subject_id FROM explanation_queue")}


def _id(number: int) -> str:
    return f"{number:016x}"


def test_what_is_low_historical_or_suppressed_is_not_asked_about(tmp_path: Path) -> None:
    db = write(
        tmp_path / "a.db",
        made_anomaly(1, Severity.LOW),
        made_anomaly(2, Severity.MEDIUM),
        made_anomaly(3, historical=True),
        made_anomaly(4, status=SUPPRESSED),
    )
    _fill(db)
    assert _waiting(db) == {_id(2)}


def test_a_person_comes_first_then_the_severe_the_high_score_and_the_newest(tmp_path: Path) -> None:
    db = write(
        tmp_path / "a.db",
        made_anomaly(1),
        made_anomaly(2),
        made_anomaly(3, score=80.0),
        made_anomaly(4, Severity.CRITICAL),
        made_anomaly(5, Severity.LOW),
    )
    _fill(db)
    request_view(str(db), _id(5), "risk_assessor")
    assert _order(db) == [_id(number) for number in (5, 4, 3, 2, 1)]


def test_nothing_is_queued_twice_and_what_comes_later_is_found(tmp_path: Path) -> None:
    db = write(tmp_path / "a.db", made_anomaly(1))
    _fill(db)
    write(db, made_anomaly(2))
    _fill(db)
    _fill(db)
    assert sorted(_order(db)) == [_id(1), _id(2)]


def test_overflow_drops_the_least_severe_and_counts_it(tmp_path: Path) -> None:
    severities = [Severity.MEDIUM, Severity.CRITICAL, Severity.HIGH] * 10
    db = write(tmp_path / "a.db", *(made_anomaly(number, level) for number, level in enumerate(severities, 1)))
    request_view(str(db), _id(1), VIEW)
    _fill(db, at_most=12)
    waiting = _waiting(db)
    assert len(waiting) == 12
    assert _id(1) in waiting  # asked for by a person, though only medium
    assert {_id(number) for number, level in enumerate(severities, 1) if level is Severity.CRITICAL} <= waiting
    assert rows(db, "SELECT value FROM explainer_state WHERE key = 'dropped'") == [(18,)]


def test_what_is_put_off_waits_and_keeps_its_counts(tmp_path: Path) -> None:
    db = write(tmp_path / "a.db", made_anomaly(1))
    _fill(db)
    store = SecondWriter(str(db))
    with store.writing() as connection:
        item = next_due(connection, 0)
        assert item is not None
        postpone(connection, item, 1_000, "breaker: open", attempts=1)
        assert next_due(connection, 999) is None
        again = next_due(connection, 1_000)
    store.close()
    assert again is not None
    assert (again.attempts, again.rejected) == (1, 0)


def test_a_new_worker_takes_up_what_the_last_one_left(tmp_path: Path) -> None:
    db = write(tmp_path / "a.db", *(made_anomaly(number) for number in range(1, 8)))
    _fill(db)
    assert len(_order(db)) == 7  # all are being worked on
    assert _order(db) == []
    store = SecondWriter(str(db))
    steps = 0
    with store.writing() as connection:
        while take_up_again(connection, 3):
            steps += 1
    store.close()
    assert steps == 2
    assert len(_order(db)) == 7


def test_an_incident_is_asked_about_again_when_it_has_doubled_or_is_worse(tmp_path: Path) -> None:
    db = tmp_path / "a.db"

    def grow(number: int, in_all: int, severity: Severity = Severity.HIGH) -> bool:
        incident = made_incident([_id(number)], severity, in_all)
        write(db, made_anomaly(number, Severity.LOW, incident_id=incident.id), incidents=[incident])
        _fill(db)
        is_queued = incident.id in _waiting(db)
        store = SecondWriter(str(db))
        with store.writing() as connection:
            if is_queued:  # and worded, at this size
                subject = find_subject(connection, incident.id)
                assert subject is not None
                put_wording(connection, Wording(subject, VIEW, "English", True, None, "of no use"), number)
                remove(connection, incident.id, VIEW)
        store.close()
        return is_queued

    assert [grow(1, 2), grow(2, 3), grow(3, 4), grow(4, 5)] == [True, False, True, False]
    assert grow(5, 6, Severity.CRITICAL)


def test_a_request_for_what_is_not_there_is_refused(tmp_path: Path) -> None:
    db = write(tmp_path / "a.db", made_anomaly(1))
    with pytest.raises(UsageError, match="no such anomaly or incident"):
        request_view(str(db), "ffff", VIEW)


def test_a_store_has_one_worker(tmp_path: Path) -> None:
    store = tmp_path / "a.db"
    with worker_lock(store), pytest.raises(StoreHeldError, match="already"), worker_lock(store):
        pytest.fail("two workers")
    with worker_lock(tmp_path / "a.db"):
        pass


def test_the_daemons_writer_and_the_worker_do_not_shut_each_other_out(tmp_path: Path) -> None:
    db = write(tmp_path / "a.db", made_anomaly(1))
    store = SecondWriter(str(db))
    with store.reading():
        write(db, made_anomaly(2))  # takes the writer's lock
    store.close()
    _fill(db)
    assert len(_waiting(db)) == 2


def test_the_log_stays_as_short_as_promised_with_two_writers(tmp_path: Path) -> None:
    db = write(tmp_path / "a.db", made_anomaly(1))
    writer, store = StoreWriter(str(db)), SecondWriter(str(db))
    longest = 0
    for number in range(120):  # 120 MB in all, by the one that never empties the log
        with store.writing() as connection:
            keep_answer(connection, "key", KeptAnswer("x" * (1 << 20), "text", ""), number)
        writer.put_health({"beat": number})
        longest = max(longest, writer.wal.size_bytes())
    store.close()
    writer.close()
    assert longest < LARGE_BYTES
