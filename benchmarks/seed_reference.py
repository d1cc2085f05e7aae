"""How the livesec seed looks at a network log, restated: each row a dict, each dict held against fixed thresholds.

Only what is needed to compare speeds fairly: lines split at their commas, one dict per row, running means of what each
source sends and receives, and its four network rules. `python -m benchmarks.seed_reference FILE` prints rows, alerts
and seconds as JSON. The seed reads all of its files again every 30 s; one reading is measured here.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from typing import TextIO

SPIKE_FACTOR = 3.0
CONNECTIONS = 100
VOLUME_BYTES = 1_000_000
SUSPICIOUS_PORTS = {1337, 4444, 6666, 31337, 1234, 12345}

Row = dict[str, str]
Alert = dict[str, object]


class Means:
    """The mean of what was seen so far, per source address."""

    def __init__(self) -> None:
        self._sums: dict[str, tuple[int, int]] = {}

    def exceeded(self, source: str, value: int) -> bool:
        """Whether `value` is a spike against the rows of `source` before it; then counts it."""
        count, total = self._sums.get(source, (0, 0))
        self._sums[source] = count + 1, total + value
        return count > 0 and value > VOLUME_BYTES and value > SPIKE_FACTOR * total / count


def rows_of(file: TextIO) -> Iterator[Row]:
    """One dict per line, by the header's names."""
    names = file.readline().strip().split(",")
    for line in file:
        yield dict(zip(names, line.strip().split(","), strict=False))


def judge(row: Row, sent: Means, received: Means) -> list[Alert]:
    """The alerts that one row raises."""
    source, port = row["source_ip"], int(row["port"])
    alerts: list[Alert] = []
    checks = (
        ("traffic_spike_sent", 7, sent.exceeded(source, int(row["bytes_sent"]))),
        ("traffic_spike_received", 6, received.exceeded(source, int(row["bytes_received"]))),
        ("suspicious_port", 8, port in SUSPICIOUS_PORTS),
        ("high_connection_count", 6, int(row["connections"]) > CONNECTIONS),
    )
    for name, score, is_raised in checks:
        if is_raised:
            details = {"source": source, "destination": row["dest_ip"], "port": port}
            alerts.append({"timestamp": row["timestamp"], "type": name, "severity_score": score, "details": details})
    return alerts


def main(path: str) -> None:
    """Judge every row of the file."""
    started = time.perf_counter()
    sent, received = Means(), Means()
    rows, alerts = 0, []
    with open(path, encoding="utf-8") as file:
        for row in rows_of(file):
            rows += 1
            alerts.extend(judge(row, sent, received))
    seconds = time.perf_counter() - started
    sys.stdout.write(json.dumps({"rows": rows, "alerts": len(alerts), "seconds": seconds}) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
