"""Made-up stories: rows of all log types and findings among them, few entities, bursts and pauses, nulls."""

from __future__ import annotations

from functools import cache

import numpy as np
from tests.correlate.fixture import STREAMS, Line, finding_of, row_fields
from tests.detectors import traffic as rows

from livesec.core.schema import LOG_TYPES

FINDINGS = (
    "bf_fast",
    "spray",
    "bf_distributed",
    "bf_success",
    "impossible_travel",
    "scan_vertical",
    "firewall_denies",
    "sensitive_file_access",
    "potential_data_exfiltration",
    "traffic_spike_sent",
)
ARCHIVES = ("/home/a/all.zip", "/srv/x/backup.tar.gz", "notes.txt")


@cache
def story(seed: int, entities: int = 4) -> tuple[Line, ...]:
    """1,200 rows of three streams and some 400 findings, in order of time."""
    random = np.random.default_rng([seed, entities, 7])
    timed: list[tuple[int, Line | dict[str, str]]] = []
    for log_type in LOG_TYPES:
        for values in rows.of(log_type, seed, entities=entities).frame.to_dicts():
            values["stream_id"] = STREAMS[log_type]
            if "path" in values and random.random() < 0.3:
                values["path"] = str(random.choice(ARCHIVES))
            timed.append((values["stream_time_us"], (log_type, values)))
            if random.random() < 0.3:
                named = {name: values.get(name) or "" for name in ("user", "src_ip", "host")}
                made = {"what": str(random.choice(FINDINGS)), "confidence": str(random.choice([0.2, 0.6, 1.0]))}
                if named["src_ip"] or named["user"]:
                    timed.append((values["stream_time_us"], named | made))
    timed.sort(key=lambda item: item[0])
    lines: list[Line] = []
    for sequence, (time_us, what) in enumerate(timed):
        if isinstance(what, dict):
            lines.append(finding_of(what, sequence, time_us))
        elif isinstance(what, tuple):
            lines.append((what[0], {**what[1], **row_fields(sequence, time_us)}))
    return tuple(lines)
