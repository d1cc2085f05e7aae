"""The quick and the careful way to cut CSV lines give the same, and what Python's own reader gives."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.examples import examples

from livesec.formats.byte_escapes import unescape
from livesec.formats.csv_fields import Wanted, cut_fields

WIDTH = 4
WANTED = Wanted(WIDTH, ("first", "second", "absent", "last"), (0, 1, -1, 3))
TEXT = st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), max_size=6)
HOSTILE = st.text(st.sampled_from(list('",\x1fé ')), max_size=8)
LOOSE_LINE = st.lists(st.sampled_from(["a", "é", '"', '""', '",', ',"', ",", " ", "\x1f"]), max_size=14).map("".join)

ESCAPES = ["\\", "\\\\", r"\x2d", r"\x", r"\xg0", r"\x0G", r"\xC3\xa9", r"\xff", r"\xe2\x82", r"\x00", r"\xed\xa0\x80"]
ESCAPED_LINE = st.lists(
    st.sampled_from([*ESCAPES, "é", "-", "(empty)", ",", ",", ",", "a" * 13, '"', "x"]), max_size=14
)


def frame(lines: list[str]) -> pl.DataFrame:
    index = pl.Series("line_index", range(len(lines)), dtype=pl.UInt32)
    return pl.DataFrame([index, pl.Series("line", lines, dtype=pl.String)])


def written(record: list[str], quoting: int) -> str:
    out = io.StringIO()
    csv.writer(out, quoting=quoting, lineterminator="").writerow(record)  # type: ignore[arg-type]  # a QUOTE_ constant
    return out.getvalue()


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(
            st.lists(TEXT | HOSTILE, min_size=WIDTH, max_size=WIDTH),
            st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
        ),
        max_size=12,
    )
)
def test_written_records_are_read_back(records: list[tuple[list[str], int]]) -> None:
    cut = cut_fields(frame([written(record, quoting) for record, quoting in records]), WANTED)
    assert cut.failed.is_empty()
    assert cut.fields.rows() == [
        (place, record[0], record[1], None, record[3]) for place, (record, _) in enumerate(records)
    ]


@settings(deadline=None, max_examples=examples(150))
@given(st.lists(LOOSE_LINE, max_size=12))
def test_each_line_is_a_record_or_a_failure_whatever_stands_around_it(lines: list[str]) -> None:
    cut = cut_fields(frame(lines), WANTED)
    alone = [cut_fields(frame([line]), WANTED) for line in lines]
    assert [row[1:] for row in cut.fields.rows()] == [row[1:] for one in alone for row in one.fields.rows()]
    assert cut.failed["reason"].to_list() == [reason for one in alone for reason in one.failed["reason"]]
    assert sorted([*cut.fields["line_index"], *cut.failed["line_index"]]) == list(range(len(lines)))


@settings(deadline=None, max_examples=examples(150))
@given(st.lists(LOOSE_LINE, max_size=12))
def test_what_a_strict_reader_reads_is_read(lines: list[str]) -> None:
    cut = cut_fields(frame(lines), WANTED)
    for index, reason in cut.failed.iter_rows():
        try:
            count = len(next(csv.reader([lines[index]], strict=True), [""]))
        except csv.Error:
            continue
        # Python's reader lets quotes stand inside of fields that do not begin with one.
        assert count != WIDTH or '"' in lines[index], reason


@settings(deadline=None, max_examples=examples(150))
@given(st.lists(st.lists(TEXT.filter(lambda text: "||" not in text and "|" not in text), max_size=5), max_size=8))
def test_a_delimiter_of_several_characters(records: list[list[str]]) -> None:
    cut = cut_fields(frame(["||".join(record) for record in records]), replace(WANTED, delimiter="||"), quoted=False)
    whole = [
        (place, record[0], record[1], None, record[3]) for place, record in enumerate(records) if len(record) == WIDTH
    ]
    assert cut.fields.rows() == whole
    assert len(cut.failed) == len(records) - len(whole)


@settings(deadline=None, max_examples=examples(150))
@given(st.lists(LOOSE_LINE, max_size=12))
def test_what_is_read_is_what_a_strict_reader_reads(lines: list[str]) -> None:
    cut = cut_fields(frame(lines), WANTED)
    for index, first, second, _, last in cut.fields.iter_rows():
        record = next(csv.reader([lines[index]], strict=True))
        assert (len(record), record[0], record[1], record[3]) == (WIDTH, first, second, last)


@settings(deadline=None, max_examples=examples(300))
@given(st.lists(ESCAPED_LINE.map("".join), max_size=12))
def test_unset_and_escaped_fields_are_what_each_is_alone(lines: list[str]) -> None:
    wanted = replace(WANTED, unset=("-", "(empty)"), is_escaped=True)
    cut = cut_fields(frame(lines), wanted, quoted=False)
    records = [[None if text in wanted.unset else unescape(text) for text in line.split(",")] for line in lines]
    assert cut.fields.rows() == [
        (place, record[0], record[1], None, record[3]) for place, record in enumerate(records) if len(record) == WIDTH
    ]


@settings(deadline=None, max_examples=examples(150))
@given(st.lists(LOOSE_LINE, max_size=12))
def test_what_stands_behind_an_open_record_is_not_looked_at(lines: list[str]) -> None:
    cut = cut_fields(frame(lines), replace(WANTED, is_open=True, wrong=("few", "many")), quoted=False)
    records = [line.split(",") for line in lines]
    assert cut.fields.rows() == [
        (place, record[0], record[1], None, record[3]) for place, record in enumerate(records) if len(record) >= WIDTH
    ]
    assert cut.failed.rows() == [(place, "few") for place, record in enumerate(records) if len(record) < WIDTH]


def test_a_field_with_a_quote_and_a_comma() -> None:
    cut = cut_fields(frame(['"a ""b"", c",,x,"d"', "1,2,3,4"]), WANTED)
    assert cut.fields.rows() == [(0, 'a "b", c', "", None, "d"), (1, "1", "2", None, "4")]


def test_reasons_say_what_is_wrong() -> None:
    cut = cut_fields(frame(["a,b", 'a,"b,c,d', 'a,b"x"c,d,e', 'a,"b",c,d,e']), WANTED)
    reasons = dict(cut.failed.iter_rows())
    assert reasons[0] == "2 fields where the header names 4"
    assert reasons[1].startswith("a quote without its pair")
    assert reasons[2].startswith("a quote inside a field")
    assert reasons[3] == "5 fields where the header names 4"
    told = cut_fields(frame(["a,b", "a,b,c,d,e"]), replace(WANTED, wrong=("few", "many"))).failed
    assert told["reason"].to_list() == ["few", "many"]
