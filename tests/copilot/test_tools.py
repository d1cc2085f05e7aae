"""Every tool over a filled store: figures by hand, caps, ids, and that nothing can be written."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from tests.dashboard.invented_store import make_store

from livesec.copilot.answer import MAX_BYTES, MAX_ROWS, Answer, ToolError, bounded, table
from livesec.copilot.questions import QUESTIONS, LogTypeWord, SeverityWord
from livesec.copilot.times import EXPECTED
from livesec.copilot.tools import Tools, question_of
from livesec.core.schema import LOG_TYPES
from livesec.core.severity import SEVERITIES
from livesec.core.text import shown
from livesec.store.reader import StoreReader

NOW_US = 1_772_452_800_000_000  # 2026-03-02 12:00:00 UTC


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StoreReader]:
    path = tmp_path_factory.mktemp("store") / "asked.db"
    make_store(path, NOW_US)
    opened = StoreReader(str(path))
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def tools(reader: StoreReader) -> Tools:
    return Tools(reader, lambda: NOW_US)


def column(answer: Answer, name: str, heading: str) -> list[object]:
    found = next(item for item in answer.tables if item.name == name)
    return [row[found.columns.index(heading)] for row in found.rows]


def test_anomalies_are_searched_by_severity_time_and_text(tools: Tools) -> None:
    answer = tools.call("search_anomalies", {"min_severity": "critical", "since": "all"})
    assert answer.facts["in_all"] == 6
    assert set(column(answer, "anomalies", "severity")) == {"critical"}
    assert set(column(answer, "anomalies", "id")) <= set(answer.ids)
    answer = tools.call("search_anomalies", {"text": "mei.tanaka", "detectors": ["bf_success"]})
    assert column(answer, "anomalies", "type") == ["bf_success"] * int(str(answer.facts["in_all"]))
    assert ' by bf_success with "mei.tanaka" since 2026-02-23 12:00:00 UTC' in answer.title
    by_log = tools.call("count_by", {"column": "log_type", "since": "all"})
    for name, count in zip(*(column(by_log, "counts", heading) for heading in ("log_type", "anomalies")), strict=True):
        assert tools.call("search_anomalies", {"since": "all", "log_type": name}).facts["in_all"] == count


def test_counts_add_up(tools: Tools) -> None:
    everything = tools.call("search_anomalies", {"since": "all"}).facts["in_all"]
    for name in ("type", "severity", "log_type", "user", "src_ip", "dst_ip", "host", "entity", "status", "day"):
        answer = tools.call("count_by", {"column": name, "since": "all", "limit": 50})
        counts = [int(str(count)) for count in column(answer, "counts", "anomalies")]
        assert sum(counts) == everything == 68, name
        assert len(counts) == answer.facts["values"]
    hours = tools.call("count_by", {"column": "hour", "since": "24h", "limit": 50})
    assert column(hours, "counts", "hour_utc") == sorted(str(at) for at in column(hours, "counts", "hour_utc"))


def test_an_incident_is_found_by_the_beginning_of_its_id(tools: Tools) -> None:
    answer = tools.call("get_incident", {"incident_id": "incident-0"})
    assert answer.title == "Incident incident-0: Password guessed, then files taken"
    assert answer.facts["anomalies"] == 7 == len(column(answer, "anomalies", "id"))
    times = [str(at) for at in column(answer, "anomalies", "time_utc")]
    assert times == sorted(times)
    told = dict(zip(column(answer, "explanation", "about"), column(answer, "explanation", "text"), strict=True))
    assert "[L1]" in str(told["what happened"]) and "mei.tanaka" in str(told["what happened"])
    with pytest.raises(ToolError, match=r"4 or more ids begin with incid: incident-0, incident-1"):
        tools.call("get_incident", {"incident_id": "incid"})
    with pytest.raises(ToolError, match="no incident has the id nothing"):
        tools.call("get_incident", {"incident_id": "nothing"})
    assert set(column(tools.call("get_incident", {}), "incidents", "id")) == {f"incident-{n}" for n in range(4)}


def test_an_entity_is_told_with_its_incidents_and_a_wrong_name_gets_a_suggestion(tools: Tools) -> None:
    answer = tools.call("get_entity", {"entity": "mei.tanaka"})
    assert sum(int(str(count)) for count in column(answer, "types", "anomalies")) == answer.facts["anomalies"]
    assert "incident-0" in answer.ids
    assert ("user", "mei.tanaka") in answer.private
    with pytest.raises(ToolError, match=r"did you mean mei\.tanaka"):
        tools.call("get_entity", {"entity": "mei.tanka"})
    with pytest.raises(ToolError, match=r"nothing in the store is about 192\.0\.2\.250$"):
        tools.call("get_entity", {"entity": "192.0.2.250"})


def test_the_points_of_a_score_add_up_to_it(tools: Tools) -> None:
    answer = tools.call("explain_score", {"anomaly_id": f"{17:016x}"})
    points = [float(str(value)) for value in column(answer, "score", "points")]
    assert sum(points) == pytest.approx(float(str(answer.facts["score"])), abs=0.06)
    assert answer.ids[0] == f"{17:016x}"
    assert dict(zip(*(column(answer, "numbers", name) for name in ("name", "value")), strict=True))["attempts"] == 22


def test_health_says_who_is_behind(tools: Tools) -> None:
    answer = tools.call("detector_health", {})
    assert answer.facts["daemon"] == "running"
    assert answer.facts["bytes_behind"] == 319_488
    assert len(column(answer, "detectors", "detector")) == answer.facts["detectors"] == 9


def test_wrong_arguments_are_named(tools: Tools) -> None:
    for name, arguments, words in (
        ("drop_table", {}, "no tool is called drop_table; there are search_anomalies"),
        ("count_by", {}, "column: Field required"),
        ("count_by", {"column": "password"}, "column: Input should be 'type'"),
        ("count_by", {"column": "user", "limit": 1000}, "limit: 1 to 50"),
        ("count_by", {"column": "user", "since": "yesterday"}, f"since: expected {EXPECTED}"),
        ("search_anomalies", {"detectors": ["bf_fasst"]}, "did you mean bf_fast"),
        ("search_anomalies", {"detectors": "bf_fast", "sql": "1"}, "sql: Extra inputs"),
        ("get_log_context", {"anomaly_id": f"{17:016x}", "evidence_line": 9}, "lines L1 to L5"),
        ("get_entity", '{"entity": "\\ud800"}', "lone surrogate"),
        ("search_anomalies", "[1]", "no JSON object"),
        ("search_anomalies", "{" * 3000, "no JSON object"),
        ("search_anomalies", "x" * 5000, "longer than 4,000"),
    ):
        with pytest.raises(ToolError) as raised:
            tools.call(name, arguments)
        assert words in str(raised.value)


def test_nothing_can_be_written(reader: StoreReader) -> None:
    with reader.reading() as connection, pytest.raises(OperationalError, match="readonly"):
        connection.execute(text("UPDATE anomalies SET status = 'closed'"))


def test_hostile_texts_are_shown_safe_and_are_part_of_what_stays_private(tools: Tools) -> None:
    answer = tools.call("search_anomalies", {"since": "1h", "limit": 50})
    whole = str(answer.as_json())
    assert "\\x1b" in whole
    assert not set(whole) & set("\x1b\x07\u202e\u2066")
    assert ("ip", "198.51.100.23") in answer.private


def test_answers_are_bounded() -> None:
    long = "x" * 5000
    answer = Answer("t", tables=(table("a", ["id", "v"], [[f"id{n}", long] for n in range(90)], 4000),))
    answer = bounded(Answer(answer.title, tables=answer.tables, ids=("subject", *(f"id{n}" for n in range(90)))))
    assert answer.size() <= MAX_BYTES
    assert 0 < len(answer.tables[0].rows) <= MAX_ROWS
    assert answer.ids == ("subject", *(f"id{n}" for n in range(len(answer.tables[0].rows))))
    assert answer.is_cut and "more rows are left out" in answer.notes[0]
    huge = bounded(Answer("t", facts={str(n): long for n in range(9)}, ids=("a",)))
    assert huge.size() <= MAX_BYTES and huge.ids == ("a",)


def test_schemas_are_plain_and_name_the_detectors_of_the_store(tools: Tools) -> None:
    schemas = tools.schemas()
    assert list(schemas) == list(QUESTIONS)
    for about, schema in schemas.values():
        assert about and schema["type"] == "object" and schema["additionalProperties"] is False
        assert not any(word in str(schema) for word in ("$ref", "anyOf", "null", "title"))
    assert "bf_fast" in schemas["count_by"][1]["properties"]["detectors"]["items"]["enum"]
    assert get_args(SeverityWord) == tuple(str(name) for name in SEVERITIES)
    assert get_args(LogTypeWord) == ("any", *map(str, LOG_TYPES))


@settings(deadline=None, max_examples=60)
@given(
    name=st.sampled_from(list(QUESTIONS)) | st.text(max_size=20),
    arguments=st.text(max_size=60)
    | st.dictionaries(
        st.sampled_from(["since", "until", "text", "column", "entity", "anomaly_id", "incident_id", "limit", "lines"]),
        st.text(max_size=20) | st.integers(-5, 60) | st.sampled_from(["24h", "user", "incident-0", "1", "%", "0000"]),
    ),
)
def test_no_arguments_make_a_tool_raise_anything_else(tools: Tools, name: str, arguments: object) -> None:
    try:
        answer = tools.call(name, arguments)  # type: ignore[arg-type]
    except ToolError as error:
        assert shown(str(error), 5_000) == str(error)
    else:
        assert answer.size() <= MAX_BYTES


def test_null_means_the_default() -> None:
    assert question_of("search_anomalies", {"text": None, "limit": None}) == question_of("search_anomalies", {})


def test_spans_count_from_the_end_of_an_old_log(tmp_path: Path) -> None:
    make_store(tmp_path / "old.db", NOW_US)
    reader = StoreReader(str(tmp_path / "old.db"))
    later = Tools(reader, lambda: NOW_US + 400 * 86_400_000_000)
    assert later.call("search_anomalies", {"since": "1h"}).facts["in_all"] == 11
    reader.close()
