"""The anomalies of each file of a soaked store against those of a replay of its kept original."""

from __future__ import annotations

import json
import re
import subprocess
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.processes import COMMAND, environment, replay

_SAME = ("type", "time", "entity_type", "entity", "user", "src_ip", "dst_ip", "host", "description", "details")
"""What of an exported anomaly depends neither on streams and offsets nor on what else was in the store."""
_HOST = re.compile(r"(soak\d{3}) sshd\[")

Evidence = tuple[tuple[str, int], ...]
Anomaly = tuple[str, ...]
Found = Mapping[str, Mapping[Anomaly, list[Evidence]]]
"""Per log: anomaly to the evidence (line, length) of each of its occurrences."""


@dataclass(frozen=True)
class Comparison:
    """One file: anomalies in both, only in one, and in both with other evidence lines."""

    name: str
    equal: int
    missing: tuple[Anomaly, ...]
    extra: tuple[Anomaly, ...]
    other_evidence: tuple[Anomaly, ...]

    @property
    def is_equal(self) -> bool:
        """Whether both runs found the same."""
        return not (self.missing or self.extra or self.other_evidence)


def anomalies_of(db: Path) -> Found:
    """What `livesec export` tells of a store, by the log that an anomaly's evidence is from."""
    found: dict[str, dict[Anomaly, list[Evidence]]] = defaultdict(lambda: defaultdict(list))
    words = [*COMMAND, "export", "--db", str(db), "--table", "anomalies"]
    with subprocess.Popen(words, env=environment(), stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        for text in process.stdout:
            record: dict[str, Any] = json.loads(text)
            evidence = tuple((line["line"], line["length"]) for line in record["evidence"])
            host = _HOST.search(evidence[0][0]) if evidence else None
            name = f"{host[1]}.log" if host else "without evidence"
            found[name][tuple(json.dumps(record[key], sort_keys=True) for key in _SAME)].append(evidence)
    if process.returncode:
        raise RuntimeError(f"{db}: `livesec export` ended with {process.returncode}")
    return found


def compare(soaked: Found, original: Path, db: Path) -> Comparison:
    """Replay `original` into a new store `db` and hold the file's anomalies against it."""
    replay(db, original)
    expected = anomalies_of(db).get(original.name, {})
    ours = soaked.get(original.name, {})
    expected_count = Counter({key: len(value) for key, value in expected.items()})
    our_count = Counter({key: len(value) for key, value in ours.items()})
    both = expected_count & our_count
    return Comparison(
        original.name,
        both.total(),
        tuple((expected_count - our_count).elements()),
        tuple((our_count - expected_count).elements()),
        tuple(key for key in both if sorted(expected[key]) != sorted(ours[key])),
    )
