"""Every finding in the fixtures of all detectors and correlators, as the anomaly that it becomes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from tests.correlate.fixture import HERE as STORIES
from tests.correlate.fixture import judge as judge_story
from tests.correlate.fixture import load_fixture as load_story
from tests.detectors.fixture import HERE, load_fixture

from livesec.core.anomaly import Anomaly, EvidenceLine
from livesec.core.batch import unpack_address
from livesec.core.commands import Platform
from livesec.core.finding import Finding
from livesec.core.protocols import Correlator, Detector
from livesec.core.settings import Settings
from livesec.explain.facts import Facts, facts_of_anomaly
from livesec.pipeline.assembly import correlator_classes, detector_classes
from livesec.pipeline.detection import run_detector
from livesec.pipeline.scoring import Scorer

Judge = Detector[Any] | Correlator[Any, Any]
KINDS: Mapping[str, Any] = {**detector_classes(), **correlator_classes()}


@dataclass(frozen=True)
class Found:
    """A finding, the part that made it, and whether it was made with seed_mode."""

    finding: Finding
    part: Judge
    case: str


def found_of(name: str) -> Iterator[Found]:
    """What the detector or correlator `name` finds in its fixture."""
    kind = KINDS[name]
    if issubclass(kind, Correlator):
        story = load_story(STORIES / f"{name}.csv")
        part = kind(kind.params(**story.parameters))
        for one in story.stories:
            yield from (Found(finding, part, one.name) for finding in judge_story(part, one.lines))
        return
    fixture = load_fixture(HERE / str(kind.log_type) / f"{name}.csv", kind.log_type)
    for case in fixture.cases:
        detector = fixture.detector(kind, seed_mode=case.seed_mode)
        for finding in run_detector(detector, detector.initial(), case.rows)[0]:
            yield Found(finding, detector, case.name)


@cache
def all_found() -> tuple[Found, ...]:
    """Of all fixtures."""
    return tuple(found for name in sorted(KINDS) for found in found_of(name))


def anomaly_of(found: Found, platform: Platform = Platform.UNIX) -> Anomaly:
    """The anomaly that it becomes; its lines of evidence are empty, as fixtures have rows and no lines."""
    scorer = Scorer(Settings(), {found.finding.detector: found.part})
    lines = tuple(EvidenceLine(*unpack_address(address), 0, b"") for address in found.finding.evidence)
    return scorer.anomaly(found.finding, "", lines, platform)


def facts_of_found(found: Found, anomaly: Anomaly) -> Facts:
    """What is known about it."""
    return facts_of_anomaly(
        anomaly_id=anomaly.id,
        detector=anomaly.type,
        severity=anomaly.severity,
        score=anomaly.score,
        time_us=anomaly.time_us,
        entities={name: getattr(anomaly, name) for name in ("user", "src_ip", "dst_ip", "host")},
        details=anomaly.details,
        evidence=[line.line for line in anomaly.evidence],
        techniques=anomaly.techniques,
        written=anomaly.explanation,
        summary=found.part.summary,
        guidance=found.part.guidance,
    )
