"""The desk's queries, over the invented week: what they count can be counted by hand from its list of anomalies."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.dashboard.invented_anomalies import AUTH, FILES, HOUR_US, KINDS, LOGIN, MINUTE_US, NETWORK, make_anomaly
from tests.dashboard.invented_store import beat, make_store
from tests.examples import examples

from livesec.core.anomaly import BatchResult, Commit
from livesec.core.clock import US_PER_DAY
from livesec.core.errors import LiveSecError, StoreDamagedError
from livesec.store import activity_queries, health_queries
from livesec.store.activity_queries import MAX_POINTS, bucket_width_us
from livesec.store.anomaly_queries import (
    MAX_ROWS,
    TEXT_CHARACTERS,
    AnomalyFilter,
    anomaly_detail,
    anomaly_rows,
    count_anomalies,
)
from livesec.store.incident_queries import incident_rows
from livesec.store.reader import StoreReader
from livesec.store.writer import StoreWriter

NOW_US = 1_772_452_800_000_000  # 2026-03-02 12:00:00 UTC
EVERYTHING = AnomalyFilter()


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StoreReader]:
    path = tmp_path_factory.mktemp("week") / "desk.db"
    make_store(path, NOW_US)
    opened = StoreReader(str(path))
    yield opened
    opened.close()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[tuple[StoreWriter, StoreReader]]:
    writer = StoreWriter(str(tmp_path / "small.db"))
    opened = StoreReader(str(tmp_path / "small.db"))
    yield writer, opened
    opened.close()
    writer.close()


def test_a_missing_store_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(LiveSecError, match="livesec run"):
        StoreReader(str(tmp_path / "none.db"))


def test_what_is_no_store_is_said_so(tmp_path: Path) -> None:
    path = tmp_path / "text.db"
    path.write_text("not a database at all, and long enough to be looked at as one" * 20)
    with pytest.raises(StoreDamagedError, match=r"text\.db"):
        StoreReader(str(path))


def test_the_pulse_moves_with_every_commit_and_with_nothing_else(store: tuple[StoreWriter, StoreReader]) -> None:
    writer, opened = store
    assert opened.pulse().findings == (0, 0, 0)
    writer.commit(Commit(result=BatchResult(lines=7, events=5)))
    after_lines = opened.pulse()
    assert (after_lines.lines, after_lines.events, after_lines.anomalies) == (7, 5, 0)
    beat(writer, NOW_US)
    assert opened.pulse() == after_lines
    writer.commit(Commit(result=BatchResult(lines=1, anomalies=[make_anomaly(KINDS["bf_fast"], 1, NOW_US)])))
    assert opened.pulse().findings == (1, 0, 0)


def test_demo_data_are_known_as_such(reader: StoreReader, store: tuple[StoreWriter, StoreReader]) -> None:
    assert reader.is_demo()
    assert not store[1].is_demo()


def test_a_store_made_anew_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "demo.db"
    make_store(path, NOW_US)
    opened = StoreReader(str(path))
    assert opened.is_current()
    path.unlink()
    assert not opened.is_current()
    make_store(path, NOW_US)
    assert not opened.is_current()
    opened.close()


def test_queries_of_one_reading_see_one_state(store: tuple[StoreWriter, StoreReader]) -> None:
    writer, opened = store
    writer.commit(Commit(result=BatchResult(lines=1, anomalies=[make_anomaly(KINDS["bf_fast"], 1, NOW_US)])))
    with opened.reading() as connection:
        before = count_anomalies(connection, EVERYTHING)
        writer.commit(Commit(result=BatchResult(lines=1, anomalies=[make_anomaly(KINDS["bf_fast"], 2, NOW_US)])))
        assert count_anomalies(connection, EVERYTHING) == before == 1
    assert opened.pulse().anomalies == 2


def test_many_threads_may_read_at_once(reader: StoreReader) -> None:
    seen: list[int] = []

    def read() -> None:
        for _ in range(10):
            with reader.reading() as connection:
                seen.append(count_anomalies(connection, EVERYTHING))

    threads = [threading.Thread(target=read) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [68] * 120


def test_anomalies_come_latest_found_first(reader: StoreReader) -> None:
    with reader.reading() as connection:
        rows = anomaly_rows(connection, EVERYTHING)
    assert [row.number for row in rows] == list(range(68, 0, -1))


@pytest.mark.parametrize(
    ("wanted", "count"),
    [
        (AnomalyFilter(severities=("critical",)), 6),  # three bf_success at 94, three data_exfiltration at 91 -3..+3
        (AnomalyFilter(types=("impossible_travel", "bf_success")), 6),
        (AnomalyFilter(text="MEI.TANAKA"), 10),
        (AnomalyFilter(text="<script"), 1),
        (AnomalyFilter(text="100%"), 0),  # no wildcard of SQL is one here
        (AnomalyFilter(text="_"), 3),  # nor here: three descriptions end in cloud_storage
        (AnomalyFilter(since_us=NOW_US - HOUR_US), 11),  # the eight hostile ones, and three: 49, 19 and 4 minutes old
        (AnomalyFilter(since_us=NOW_US - HOUR_US, until_us=NOW_US - 8 * MINUTE_US), 5),
        (AnomalyFilter(severities=("critical",), types=("bf_fast",)), 0),
        (AnomalyFilter(incident_id="incident-0"), 7),
    ],
)
def test_a_filter_takes_what_it_says(reader: StoreReader, wanted: AnomalyFilter, count: int) -> None:
    with reader.reading() as connection:
        assert count_anomalies(connection, wanted) == count
        assert len(anomaly_rows(connection, wanted)) == count


@given(text=st.text(max_size=30))
@settings(deadline=None, max_examples=examples(50))
def test_any_search_text_is_only_a_text(reader: StoreReader, text: str) -> None:
    with reader.reading() as connection:
        found = anomaly_rows(connection, AnomalyFilter(text=text.encode("utf-8", "replace").decode()))
    assert len(found) <= 68


def test_lists_are_capped(store: tuple[StoreWriter, StoreReader]) -> None:
    writer, opened = store
    anomalies = [make_anomaly(KINDS["bf_fast"], number, NOW_US, user="x" * 5000) for number in range(MAX_ROWS + 20)]
    writer.commit(Commit(result=BatchResult(lines=1, anomalies=anomalies)))
    with opened.reading() as connection:
        rows = anomaly_rows(connection, EVERYTHING, limit=10**9)
        assert count_anomalies(connection, EVERYTHING) == MAX_ROWS + 20
    assert len(rows) == MAX_ROWS
    assert all(len(row.description) == TEXT_CHARACTERS for row in rows)


def test_an_anomaly_opens_the_lines_that_led_to_it(reader: StoreReader) -> None:
    with reader.reading() as connection:
        detail = anomaly_detail(connection, f"{61:016x}")
        assert anomaly_detail(connection, "no such id") is None
    assert detail is not None
    assert detail.user == "![x](http://203.0.113.66/markdown.png)"
    assert [line.path for line in detail.evidence] == ["/var/log/auth.log"] * 5
    assert detail.evidence[0].offset == 100_000
    assert detail.evidence[0].line.startswith(b"2026-03-02T11:55:52.000000Z gate1 sshd[4711]: Failed password")
    assert detail.details["attempts"] == 26
    assert detail.techniques == ["T1110.001"]
    assert detail.explanation.usual.startswith("A person who mistypes")


def test_incidents_come_the_latest_first(reader: StoreReader) -> None:
    with reader.reading() as connection:
        rows = incident_rows(connection)
    assert [row.last_us for row in rows] == sorted((row.last_us for row in rows), reverse=True)
    assert sum(row.anomalies for row in rows) == 26
    assert rows[0].entities[0][0] == "user"


def test_severities_are_counted_and_none_is_left_out(reader: StoreReader) -> None:
    with reader.reading() as connection:
        counts = activity_queries.severity_counts(connection, EVERYTHING)
        none = activity_queries.severity_counts(connection, AnomalyFilter(types=("no such type",)))
    assert counts == {"low": 6, "medium": 51, "high": 5, "critical": 6}
    assert none == {"low": 0, "medium": 0, "high": 0, "critical": 0}


def test_types_are_ranked(reader: StoreReader) -> None:
    with reader.reading() as connection:
        counts = activity_queries.type_counts(connection, EVERYTHING, types=2)
        known = activity_queries.known_types(connection)
    assert [(count.type, count.anomalies) for count in counts] == [("bf_fast", 32), ("scan_vertical", 6)]
    assert known == sorted(KINDS)


@given(span_s=st.integers(1, 400 * 86_400))
@settings(deadline=None)
def test_buckets_never_exceed_the_points_of_a_chart(span_s: int) -> None:
    width_us = bucket_width_us(span_s * 1_000_000)
    assert span_s * 1_000_000 // width_us + 1 <= MAX_POINTS // 4


def test_anomalies_over_time_add_up(reader: StoreReader) -> None:
    since_us, until_us = NOW_US - 7 * US_PER_DAY, NOW_US + MINUTE_US
    with reader.reading() as connection:
        buckets = activity_queries.anomalies_over_time(connection, EVERYTHING, since_us, until_us, 3 * HOUR_US)
        assert sum(bucket.anomalies for bucket in buckets) == count_anomalies(connection, EVERYTHING) == 68
        assert all(bucket.start_us % (3 * HOUR_US) == 0 for bucket in buckets)
        assert activity_queries.anomaly_time_range(connection, EVERYTHING) == (
            NOW_US - int((167 + 4 / 60) * HOUR_US),
            NOW_US - 4 * MINUTE_US,
        )


def test_events_per_minute_by_log_type(reader: StoreReader) -> None:
    with reader.reading() as connection:
        per_type = activity_queries.events_per_minute(connection, NOW_US - 3 * MINUTE_US, NOW_US + 1)
        assert activity_queries.latest_event_us(connection) == NOW_US
    assert {log_type: len(minutes) for log_type, minutes in per_type.items()} == {LOGIN: 4, NETWORK: 4, FILES: 4}
    assert all(
        per_type[NETWORK][minute] > per_type[FILES][minute] > per_type[LOGIN][minute] for minute in per_type[NETWORK]
    )


def test_alerts_a_day_leave_low_out(reader: StoreReader) -> None:
    with reader.reading() as connection:
        assert activity_queries.alerts_per_day(connection, NOW_US) == pytest.approx((68 - 6) / 7, rel=0.01)


def test_an_event_whose_line_led_to_an_anomaly_is_marked(reader: StoreReader) -> None:
    with reader.reading() as connection:
        events = activity_queries.recent_events(connection, LOGIN, limit=8)
        marks = activity_queries.marked_lines(connection)
    assert [event.number for event in events] == sorted((event.number for event in events), reverse=True)
    assert [marks[(event.stream_id, event.offset)] for event in events] == [("medium", "bf_fast")] * 8
    assert (AUTH, 900_001) not in marks


def test_bytes_behind_leave_out_what_is_done_with(reader: StoreReader) -> None:
    with reader.reading() as connection:
        streams = health_queries.stream_health(connection)
    assert streams[0].path == "/opt/zeek/logs/current/conn.log"
    assert health_queries.bytes_behind(streams) == (88_731_648 - 88_412_160, NOW_US - 3_000_000)
    drained = [stream for stream in streams if stream.state == "drained"]
    assert [stream.behind_bytes for stream in drained] == [0]


def test_the_daemons_last_sign_of_life(reader: StoreReader, store: tuple[StoreWriter, StoreReader]) -> None:
    with reader.reading() as connection:
        daemon = health_queries.daemon_health(connection)
    assert daemon is not None
    assert (daemon.pid, daemon.watcher, daemon.stopped) == (4711, "inotify", False)
    assert daemon.silent_for_s(NOW_US + 20_000_000) == 20.0
    with store[1].reading() as connection:
        assert health_queries.daemon_health(connection) is None


def test_rejects_gaps_and_coverage(reader: StoreReader) -> None:
    with reader.reading() as connection:
        rejects = health_queries.reject_counts(connection)
        samples = health_queries.reject_samples(connection)
        gaps = health_queries.gap_rows(connection)
        coverage = health_queries.coverage_rows(connection)
    assert [(count.path, count.lines) for count in rejects] == [
        ("/var/log/auth.log", 88),
        ("/opt/zeek/logs/current/conn.log", 12),
    ]
    assert samples[0].line.startswith(b"Mar  2 03:1 gate1")
    assert [gap.reason for gap in gaps] == ["truncated while LiveSec was not running"]
    assert (coverage[0].detector, coverage[0].share, coverage[0].findings) == ("bf_fast", 0.98, 12)


def test_an_empty_store_answers_everything(store: tuple[StoreWriter, StoreReader]) -> None:
    with store[1].reading() as connection:
        assert anomaly_rows(connection, EVERYTHING) == []
        assert incident_rows(connection) == []
        assert activity_queries.latest_event_us(connection) is None
        assert activity_queries.anomaly_time_range(connection, EVERYTHING) is None
        assert activity_queries.type_counts(connection, EVERYTHING) == []
        assert activity_queries.alerts_per_day(connection, NOW_US) == 0.0
        assert activity_queries.recent_events(connection, LOGIN) == []
        assert health_queries.bytes_behind(health_queries.stream_health(connection)) == (0, None)
        assert health_queries.coverage_rows(connection) == []
