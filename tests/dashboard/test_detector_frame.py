"""The desk's table of detectors."""

from __future__ import annotations

from livesec.dashboard.health import coverage_frame
from livesec.store.health_queries import DetectorCoverage


def test_a_line_per_detector_with_what_it_knows_and_raises() -> None:
    coverage = [
        DetectorCoverage("first_source", rows=1000, judged=900, findings=2, entities=40, mature=10, known=40),
        DetectorCoverage("bf_fast", rows=1000, judged=0, findings=0, entities=0),
    ]
    frame = coverage_frame(coverage, {"first_source": 0.284})
    assert frame["Of them, known well"].to_list() == [25.0, None]
    assert frame["Alerts a day"].to_list() == [0.28, 0.0]
    assert frame["Could judge"].to_list() == [90.0, 0.0]
    assert [item.maturity for item in coverage] == ["working", "learning"]
