"""`anomalies.csv`: the anomalies for people and spreadsheets, with the columns of the livesec seed.

The bytes are appended and flushed before the transaction that records their length commits; on start the file is
cut back to that length, so a crash between the two leaves nothing twice. It says nothing that the store does not, and
less where a model has worded an explanation since: what is appended stays, so it keeps the deterministic text.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Sequence
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
_HEADER_LINE = (",".join(HEADER) + "\n").encode()
_EXPLANATION_CHARACTERS = 4000

_log = logging.getLogger(__name__)


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
    """The open CSV file of a store.

    Opening it cuts off what no transaction committed. Where the file is missing or has lost committed bytes, it is made
    anew from the store.

    Parameters
    ----------
    committed_length : its length as of the last transaction, 0 before the first
    stored : gives every anomaly of the store in the order of arrival, some at a time

    Raises OSError.
    """

    def __init__(self, path: Path, committed_length: int, stored: Callable[[], Iterable[Sequence[Anomaly]]]) -> None:
        self.path = path
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        self.length = committed_length
        """Bytes that are committed."""
        if not self._has_lines_up_to(committed_length):
            if committed_length > 0:
                _log.warning("%s: missing, or it lost lines; made anew from the store", path)
            self._make_anew(stored())
        os.ftruncate(self._fd, self.length)

    def _has_lines_up_to(self, length: int) -> bool:
        return length > 0 and os.pread(self._fd, 1, length - 1) == b"\n"

    def _make_anew(self, stored: Iterable[Sequence[Anomaly]]) -> None:
        """In a file beside it first, so that nobody who reads it finds half of it."""
        made = self.path.with_name(f"{self.path.name}.new")
        with made.open("wb") as file:
            file.write(_HEADER_LINE)
            for anomalies in stored:
                file.write(csv_lines(anomalies).encode())
            self.length = file.tell()
        os.close(self._fd)
        made.replace(self.path)
        self._fd = os.open(self.path, os.O_RDWR | os.O_CLOEXEC)

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
