"""`anomalies.csv`: the anomalies for people and spreadsheets, with the columns of the livesec seed.

The bytes are appended and flushed before the transaction that records their length commits; on start the file is
cut back to that length, so a crash between the two leaves nothing twice.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from livesec.core.anomaly import Anomaly
from livesec.core.clock import seed_time
from livesec.core.json_text import ascii_json
from livesec.core.text import spreadsheet_safe

HEADER = (
    "timestamp",
    "type",
    "severity",
    "severity_score",
    "description",
    "log_type",
    "ai_explanation",
    "details",
)
_EXPLANATION_CHARACTERS = 4000


def csv_lines(anomalies: Sequence[Anomaly]) -> str:
    """The anomalies as CSV lines without header: RFC 4180, JSON details, no cell that a spreadsheet would compute."""
    rows = [
        (
            seed_time(anomaly.time_us),
            anomaly.type,
            anomaly.severity.value,
            f"{anomaly.score / 10:.1f}",
            spreadsheet_safe(anomaly.description),  # made safe to show when it was written
            anomaly.log_type.value,
            spreadsheet_safe(anomaly.explanation.to_text().replace("\n", " ")[:_EXPLANATION_CHARACTERS]),
            ascii_json(anomaly.details),
        )
        for anomaly in anomalies
    ]
    return pl.DataFrame(rows, schema=dict.fromkeys(HEADER, pl.String), orient="row").write_csv(include_header=False)


class CsvMirror:
    """The open CSV file of a store."""

    def __init__(self, path: Path, committed_length: int) -> None:
        """Open `path` and cut it to `committed_length` bytes; a missing or shorter one starts with a header."""
        self.path = path
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        size = os.fstat(self._fd).st_size
        if size < committed_length or committed_length == 0:
            os.ftruncate(self._fd, 0)
            self.length = os.pwrite(self._fd, (",".join(HEADER) + "\n").encode(), 0)
        else:
            os.ftruncate(self._fd, committed_length)
            self.length = committed_length

    def append(self, anomalies: Sequence[Anomaly]) -> int:
        """Write lines for `anomalies` behind the committed ones; returns the length to commit."""
        if not anomalies:
            return self.length
        data = csv_lines(anomalies).encode()
        written = 0
        while written < len(data):
            written += os.pwrite(self._fd, data[written:], self.length + written)
        return self.length + len(data)

    def close(self) -> None:
        """Close the file."""
        os.close(self._fd)
