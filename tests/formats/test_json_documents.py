"""Records out of JSON documents: what the fixtures of formats are too short for."""

from __future__ import annotations

import json
from collections.abc import Sequence

import polars as pl
import pytest

from livesec.core.batch import MAX_LINE_BYTES
from livesec.core.errors import StateVersionError
from livesec.formats.json_documents import MAX_RECORD_BYTES, TOO_LONG, TORN, Framed, OpenDocument, RecordKind, frame

KIND = RecordKind(frozenset({"id", "name"}), ('"id"',))


def framed(lines: Sequence[str], state: OpenDocument | None = None) -> Framed:
    frames = pl.DataFrame({"line_index": range(len(lines)), "line": lines}, schema_overrides={"line_index": pl.UInt32})
    return frame(state or OpenDocument(), frames.with_columns(pl.col("line").cast(pl.String)), KIND)


def records_of(found: Framed) -> list[tuple[int, object]]:
    return [(index, json.loads(text)) for index, text in found.records.iter_rows()]


@pytest.mark.parametrize("indent", [0, 1, 4])
@pytest.mark.parametrize("wrapped", [False, True])
def test_records_are_those_of_the_json_module(indent: int, wrapped: bool) -> None:
    records = [{"id": number, "text": 'a "[{" \\ ' * number, "more": [{"id": [{}, []]}, None]} for number in range(5)]
    document = {"Records": records} if wrapped else records
    found = framed(json.dumps(document, indent=indent).split("\n"))
    assert [record for _, record in records_of(found)] == records
    assert found.rejects == []
    assert found.others.height == 0


def test_thousands_of_records_on_one_line() -> None:
    records = [{"id": number} for number in range(5000)]
    assert records_of(framed([json.dumps({"Records": records})])) == [(0, record) for record in records]


def test_a_record_that_is_too_long_is_rejected_line_by_line_and_the_next_is_read() -> None:
    long = ["{", '  "id": 1,', *['  "x": "' + "y" * (MAX_RECORD_BYTES // 4) + '",'] * 4, '  "x": []', "},"]
    found = framed(["[", *long, "{", '  "id": 2', "}", "]"])
    assert records_of(found) == [(len(long) + 3, {"id": 2})]
    assert found.rejects == [(6, TOO_LONG), (7, TOO_LONG)]


def test_what_is_kept_of_a_record_of_many_short_lines_is_bounded() -> None:
    state = OpenDocument()
    framed(["[", "{", '"id": [', *["1,"] * MAX_RECORD_BYTES], state)
    assert state.dropped
    assert len(state.to_bytes()) < 1000


def test_a_line_that_lost_its_end_gives_its_whole_records() -> None:
    record = json.dumps({"id": 1, "text": "x" * 1000})
    line = ('{"Records":[' + f"{record}," * (MAX_LINE_BYTES // 1000 + 10))[:MAX_LINE_BYTES]
    state = OpenDocument()
    found = framed([line, '{"Records":[' + record + "]}"], state)
    assert [index for index, _ in records_of(found)] == [0] * line.count("},") + [1]
    assert state == OpenDocument()


def test_a_torn_line_without_a_whole_record_is_a_reject() -> None:
    assert framed(['{"Records":[{"id": "x']).rejects == [(0, TORN)]


def test_other_documents_are_left_alone() -> None:
    lines = ['[{"other": 1}]', '{"Records": [{"other": 1}]}', '{"other": [', "[1, 2", "{}", "text", ""]
    assert framed(lines).others["line"].to_list() == lines


@pytest.mark.parametrize("blob", [b"", b"[]", b'{"version": 0}', b'{"version": 1, "levels": 2}'])
def test_a_state_of_another_layout_is_refused(blob: bytes) -> None:
    with pytest.raises(StateVersionError):
        OpenDocument.from_bytes(blob)
