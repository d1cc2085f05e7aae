"""docs/detections says what the detectors themselves say."""

from __future__ import annotations

from benchmarks.detector_pages import FOLDER, example, judges, pages


def test_the_pages_are_up_to_date() -> None:
    on_disk = {path.name: path.read_text("utf-8") for path in FOLDER.glob("*.md")}
    assert on_disk == pages(), "run python -m benchmarks.detector_pages"


def test_every_detector_and_correlator_shows_how_its_finding_reads() -> None:
    assert [part.name for part in judges() if example(part) is None] == []
