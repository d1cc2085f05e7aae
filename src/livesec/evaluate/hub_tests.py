"""The CrowdSec hub's own tests: every expected alert on its source address.

`labels.jsonl` has one test a line: test, logs, expect_alert (true, false, or null for tests of parsers, which say
nothing about alerts), expected (scenario and sources). A source counts as found when an anomaly of medium or higher
names it as its address or user; how many an anomaly of any severity names is a measure of its own. Precision is over
the tests that say what alerts there must be, and no others. A source that is a user's ARN is the name at its end.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from livesec.evaluate.scores import ANY_DETECTOR, Evaluation, Measure, Score, detectors_in, flagged, of_detector, ratio

NAME = "crowdsec_hub"


@dataclass(frozen=True)
class HubTest:
    """A line of labels.jsonl."""

    name: str
    logs: tuple[Path, ...]
    judged: bool
    """Whether it says which alerts there must be, if any."""
    sources: frozenset[str]


def read_tests(folder: Path) -> list[HubTest]:
    """The tests whose logs are there."""
    tests = []
    for line in (folder / "labels.jsonl").read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        logs = tuple(folder / record["test"] / name for name in record["logs"])
        sources = frozenset(_named(source) for item in record["expected"] for source in item["sources"])
        if all(log.is_file() for log in logs):
            tests.append(HubTest(record["test"], logs, record["expect_alert"] is not None, sources))
    return tests


def _named(source: str) -> str:
    """As an anomaly names it.

    >>> _named("arn:aws:iam::123456789012:user/ann"), _named("192.0.2.1")
    ('ann', '192.0.2.1')
    """
    return source.rpartition("/")[2] if source.startswith("arn:") else source


def score_tests(results: Iterable[tuple[HubTest, list[dict[str, Any]]]]) -> Evaluation:
    """Scores over (test, the anomalies that its logs give)."""
    raised = [(test, anomalies) for test, anomalies in results if test.judged]
    judged = [(test, flagged(anomalies)) for test, anomalies in raised]
    wanted = sum(len(test.sources) for test, _ in judged)
    every = [anomaly for _, anomalies in judged for anomaly in anomalies]
    scores, missed = [], []
    for detector in detectors_in(every):
        right = wrong = 0
        for test, anomalies in judged:
            own = of_detector(anomalies, detector)
            found = {source for source in test.sources if any(source in _names(anomaly) for anomaly in own)}
            right += len(found)
            wrong += len({anomaly["entity"] for anomaly in own if not _names(anomaly) & test.sources})
            if detector == ANY_DETECTOR:
                missed += [f"{test.name} ({source})" for source in sorted(test.sources - found)]
        scores.append(Score(NAME, detector, ratio(right, wanted), ratio(right, right + wrong), None, wanted))
    named = sum(source in _names(*anomalies) for test, anomalies in raised for source in test.sources)
    low_too = Measure(NAME, "recall of anomalies of any severity", ratio(named, wanted), "share", wanted)
    notes = [f"{NAME}: not found: {', '.join(missed)}"] if missed else []
    return Evaluation(scores, [low_too], notes=notes)


def _names(*anomalies: dict[str, Any]) -> set[str]:
    return {anomaly[name] for anomaly in anomalies for name in ("src_ip", "user") if anomaly[name] is not None}
