"""What every format owes, whatever it reads: one suite, run on each format and its fixture."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.examples import examples
from tests.formats.fixture import ExpectedLine, ExpectedRow, Section, fixture_path, read_fixture, run_format

from livesec.core.protocols import Format
from livesec.core.schema import LogType, dtypes
from livesec.formats import known_formats

FORMATS = {form.name: form for form in known_formats()}
NAMES = sorted(FORMATS)
QUIET = settings(deadline=None, max_examples=examples(40))


@cache
def sections_of(name: str) -> list[Section]:
    return read_fixture(name)


def field_of(row: dict[str, Any], name: str) -> object:
    if name == "event_time":
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=row["event_time_us"])
        return moment.isoformat()
    return row.get(name)


def as_written(text: str, value: object) -> object:
    """What `text` in a fixture means beside `value`: JSON where that fits its type, else the word itself."""
    try:
        meant: object = json.loads(text)
    except ValueError:
        return text
    return text if isinstance(value, str) and not isinstance(meant, str) else meant


def differences(expected: ExpectedRow, row: dict[str, Any]) -> list[str]:
    found = []
    for name, text in expected.fields.items():
        assert name == "event_time" or name in dtypes(expected.log_type), f"no column {name}"
        value = field_of(row, name)
        wanted = datetime.fromisoformat(text).isoformat() if name == "event_time" else as_written(text, value)
        if value != wanted:
            found.append(f"{name} is {value!r}, expected {wanted!r}")
    return found


def complaints(
    expected: ExpectedLine, disposition: str, reason: str, rows: list[tuple[LogType, dict[str, Any]]]
) -> list[str]:
    wanted = {"rows": "consumed", "part": "consumed"}.get(expected.disposition, expected.disposition)
    if disposition != wanted:
        return [f"is {disposition} {reason!r}, expected {expected.disposition}"]
    if expected.reason and expected.reason not in reason:
        return [f"rejected because {reason!r}, expected the words {expected.reason!r}"]
    if [log_type for log_type, _ in rows] != [row.log_type for row in expected.rows]:
        return [f"gives {len(rows)} rows {rows}, expected {len(expected.rows)}"]
    return [
        text for wanted_row, (_, row) in zip(expected.rows, rows, strict=True) for text in differences(wanted_row, row)
    ]


@pytest.mark.parametrize("name", NAMES)
def test_format_has_a_fixture(name: str) -> None:
    assert fixture_path(name).is_file(), f"{name}: tests/formats/{name}.log is missing"
    assert any(section.lines for section in sections_of(name))


def test_fixtures_belong_to_formats() -> None:
    assert {path.stem for path in fixture_path("x").parent.glob("*.log")} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_fixture_expectations_hold(name: str) -> None:
    failures = []
    for section in sections_of(name):
        outcome = run_format(FORMATS[name], section.stream, section.data())
        for index, expected in enumerate(section.lines):
            rows = [(kind, row) for kind, every in outcome.rows.items() for row in every if row["line_index"] == index]
            disposition = outcome.dispositions.get(index, "other")
            for text in complaints(expected, disposition, outcome.reasons.get(index, ""), rows):
                failures.append(f"{name}.log:{expected.number}: {text}\n    {expected.line!r}")
    assert not failures, "\n".join(failures)


@pytest.mark.no_cover
@pytest.mark.parametrize("name", NAMES)
@QUIET
@given(data=st.data())
def test_any_cut_into_batches_gives_the_same(name: str, data: st.DataObject) -> None:
    section = data.draw(st.sampled_from(sections_of(name)))
    lines = section.data()
    cuts = data.draw(st.lists(st.integers(0, len(lines)), max_size=12))
    whole = run_format(FORMATS[name], section.stream, lines)
    assert run_format(FORMATS[name], section.stream, lines, cuts, restore=data.draw(st.booleans())) == whole


@pytest.mark.no_cover
@pytest.mark.parametrize("name", NAMES)
def test_line_by_line_with_restored_state_gives_the_same(name: str) -> None:
    for section in sections_of(name):
        lines = section.data()
        whole = run_format(FORMATS[name], section.stream, lines)
        assert run_format(FORMATS[name], section.stream, lines, range(len(lines)), restore=True) == whole


@pytest.mark.no_cover
@pytest.mark.parametrize("name", NAMES)
def test_takes_no_other_formats_lines(name: str) -> None:
    for other in NAMES:
        if other == name:
            continue
        for section in sections_of(other):
            lines = [expected.line for expected in section.lines if expected.disposition != "other"]
            taken = run_format(FORMATS[name], section.stream, lines).dispositions
            assert not taken, f"{name} takes lines of {other}: {[lines[index] for index in taken][:3]}"


@pytest.mark.no_cover
@pytest.mark.parametrize("name", NAMES)
@QUIET
@given(text=st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\n"), max_size=200), max_size=12))
def test_never_raises_on_any_text(name: str, text: list[str]) -> None:
    section = sections_of(name)[0]
    run_format(FORMATS[name], section.stream, [line.encode() for line in text])


HUGE = st.sampled_from([b"99999999999999999999", b"-1", b"NaN", b"1e999"])


@st.composite
def mutated(draw: st.DrawFn, lines: list[bytes]) -> bytes:
    """A line of a fixture as it is, or cut, with a piece replaced, or with another line in the middle."""
    line = draw(st.sampled_from(lines))
    start = draw(st.integers(0, len(line)))
    end = draw(st.integers(start, len(line)))
    piece = st.one_of(st.just(b""), st.binary(max_size=8), HUGE, st.sampled_from(lines), st.just(b"A" * 5000))
    made = draw(st.sampled_from([line, line[:start], line[:start] + draw(piece) + line[end:]]))
    return made.replace(b"\n", b"")


@pytest.mark.no_cover
@pytest.mark.parametrize("name", NAMES)
@settings(deadline=None, max_examples=examples(80))
@given(data=st.data())
def test_mutated_lines_never_raise_and_cuts_do_not_matter(name: str, data: st.DataObject) -> None:
    section = data.draw(st.sampled_from([section for section in sections_of(name) if section.lines]))
    lines = data.draw(st.lists(mutated(section.data()), min_size=1, max_size=25))
    cuts = data.draw(st.lists(st.integers(0, len(lines)), max_size=6))
    whole = run_format(FORMATS[name], section.stream, lines)
    assert run_format(FORMATS[name], section.stream, lines, cuts, restore=True) == whole


@pytest.mark.parametrize("name", NAMES)
def test_a_megabyte_in_any_line(name: str) -> None:
    section = sections_of(name)[0]
    long = [line + b"x" * (1 << 20) for line in section.data()[:3]] + [b"y" * (1 << 20)]
    run_format(FORMATS[name], section.stream, long)


def test_formats_are_named_for_people() -> None:
    for form in FORMATS.values():
        assert isinstance(form, Format)
        assert form.title
        assert form.log_types or form.name == "zeek_other"  # which tells what nothing is read of
