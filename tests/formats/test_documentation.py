"""docs/formats.md says what the formats themselves say."""

from __future__ import annotations

import pytest
from benchmarks.format_docs import DOCUMENT, fixture_source, kept_tables, written

from livesec.formats import known_formats


def test_the_document_is_up_to_date() -> None:
    assert DOCUMENT.read_text() == written(kept_tables()), "run python -m benchmarks.format_docs"


@pytest.mark.parametrize("name", [form.name for form in known_formats()])
def test_a_fixture_says_where_its_samples_come_from(name: str) -> None:
    assert len(fixture_source(name)) > len("invented")
