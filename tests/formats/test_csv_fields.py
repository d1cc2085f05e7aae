"""The quick and the careful way to cut CSV lines give the same, and what Python's own reader gives."""

from __future__ import annotations

import csv
import io

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.examples import examples

from livesec.formats.csv_fields import Wanted, cut_fields, cut_quoted

WIDTH = 4
WANTED = Wanted(WIDTH, ("first", "second", "absent", "last"), (0, 1, -1, 3))
TEXT = st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), max_size=6)
HOSTILE = st.text(st.sampled_from(list('",\x1fé ')), max_size=8)
LOOSE_LINE = st.lists(st.sampled_from(["a", "é", '"', '""', '",', ',"', ",", " ", "\x1f"]), max_size=14).map("".join)


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
def test_quick_and_careful_ways_agree(lines: list[str]) -> None:
    quick, careful = cut_fields(frame(lines), WANTED), cut_quoted(frame(lines), WANTED)
    assert quick.fields.equals(careful.fields)
    assert quick.failed.equals(careful.failed)
    every = [*quick.fields["line_index"], *quick.failed["line_index"]]
    assert sorted(every) == list(range(len(lines)))


@settings(deadline=None, max_examples=examples(150))
@given(st.lists(LOOSE_LINE, max_size=12))
def test_what_is_read_is_what_a_strict_reader_reads(lines: list[str]) -> None:
    cut = cut_fields(frame(lines), WANTED)
    for index, first, second, _, last in cut.fields.iter_rows():
        record = next(csv.reader([lines[index]], strict=True))
        assert (len(record), record[0], record[1], record[3]) == (WIDTH, first, second, last)


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
