"""Facts of an anomaly of every detector and correlator, from their fixtures."""

from __future__ import annotations

from functools import cache

from tests.correlate.fixture import HERE as STORIES
from tests.correlate.fixture import judge as judge_story
from tests.correlate.fixture import load_fixture as load_story
from tests.detectors.fixture import HERE, load_fixture

from livesec.core.anomaly import Anomaly, EvidenceLine
from livesec.core.batch import unpack_address
from livesec.core.finding import Finding
from livesec.core.protocols import Correlator
from livesec.core.settings import Settings
from livesec.explain.facts import Facts, facts_of_anomaly
from livesec.pipeline.assembly import Judge, correlator_classes, detector_classes
from livesec.pipeline.detection import run_detector
from livesec.pipeline.scoring import Scorer

KINDS = detector_classes() | correlator_classes()
NAMES = tuple(sorted(KINDS))


@cache
def findings(name: str) -> tuple[tuple[Judge, Finding], ...]:
    """What a detector or correlator finds in its fixture, and who found it."""
    kind = KINDS[name]
    if issubclass(kind, Correlator):
        story = load_story(STORIES / f"{name}.csv")
        part = kind(kind.params(**story.parameters))
        return tuple((part, item) for one in story.stories for item in judge_story(part, one.lines))
    fixture = load_fixture(HERE / str(kind.log_type) / f"{name}.csv", kind.log_type)
    found: list[tuple[Judge, Finding]] = []
    for case in fixture.cases:
        detector = fixture.detector(kind, seed_mode=case.seed_mode)
        found += [(detector, item) for item in run_detector(detector, detector.initial(), case.rows)[0]]
    return tuple(found)


def anomalies(name: str) -> list[Anomaly]:
    """What its findings become; their lines say where they would stand."""
    made = []
    for part, finding in findings(name):
        lines = tuple(
            EvidenceLine(*unpack_address(address), 20, f"the line at {address}".encode())
            for address in finding.evidence
        )
        made.append(Scorer(Settings(), {name: part}).anomaly(finding, "ab", lines))
    return made


def facts_of(item: Anomaly, **changes: object) -> Facts:
    """The facts of an anomaly; `changes` to what `facts_of_anomaly` is given."""
    kind = KINDS[item.type]
    given: dict[str, object] = {
        "anomaly_id": item.id,
        "detector": item.type,
        "severity": item.severity,
        "score": item.score,
        "time_us": item.time_us,
        "entities": {"user": item.user, "src_ip": item.src_ip, "dst_ip": item.dst_ip, "host": item.host},
        "details": item.details,
        "evidence": [line.line for line in item.evidence],
        "techniques": item.techniques,
        "written": item.explanation,
        "summary": kind.summary,
        "guidance": kind.guidance,
    }
    return facts_of_anomaly(**(given | changes))  # type: ignore[arg-type]  # as it takes them


@cache
def facts(name: str) -> Facts:
    """Of the first anomaly of a detector's fixture."""
    return facts_of(anomalies(name)[0])
