"""Runs the engine and the store over millions of lines in one process and times each part by its CPU seconds.

python -m benchmarks.flat_process PARTS LINES FOLDER: one JSON object a part on standard output. The lines of a part are
made before it is timed; their making counts for nothing.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.logs import LINES_PER_S, START_US
from livesec.core.anomaly import BatchResult, Commit, StreamPosition
from livesec.core.batch import RawBatch, StreamInfo, batch_of_bytes
from livesec.core.clock import US_PER_S
from livesec.core.settings import load_settings
from livesec.runners.garbage import settle_garbage_collection
from livesec.runners.replay import COMMIT_BYTES
from livesec.runners.wiring import make_engine
from livesec.simulate.sshd import sshd_lines
from livesec.store.writer import StoreWriter

CHUNKS = 3
"""Pieces that the lines of a part are made in: a million events in one would be half a gigabyte."""
CHUNK_LINES = 1_090_000
"""Three such have a million events."""
_BATCH_BYTES = 1 << 20
_STREAM = StreamInfo(1, "0" * 16, "flat.log", START_US)


def batches_of(data: bytes, offset: int, sequence: int) -> Iterator[RawBatch]:
    """`data`, which begins at `offset` of the stream, in batches of a mebibyte."""
    start = 0
    while start < len(data):
        end = len(data) if start + _BATCH_BYTES >= len(data) else data.rindex(b"\n", start, start + _BATCH_BYTES) + 1
        batch = batch_of_bytes(_STREAM, data[start:end], offset + start, sequence)
        yield batch
        sequence += len(batch)
        start = end


class FlatRun:
    """An engine and a store that go on from one part to the next."""

    def __init__(self, db: Path) -> None:
        self._writer = StoreWriter(str(db))
        self._engine = make_engine(load_settings(environ={"": ""}), lambda _stream, _offset: None)
        self._offset = self._sequence = 0

    def take(self, data: bytes) -> tuple[int, int]:
        """Process and commit `data` as a replay does; (events, anomalies) in it."""
        events = anomalies = size = 0
        result = BatchResult()
        for batch in batches_of(data, self._offset, self._sequence):
            self._engine.process(batch, into=result)
            self._offset, self._sequence = batch.end_offset, self._sequence + len(batch)
            size += len(batch.data)
            if size >= COMMIT_BYTES:
                self._commit(result)
                events, anomalies = events + result.events, anomalies + len(result.anomalies)
                result, size = BatchResult(), 0
        self._commit(result)
        return events + result.events, anomalies + len(result.anomalies)

    def _commit(self, result: BatchResult) -> None:
        position = StreamPosition(
            stream_id=_STREAM.stream_id,
            uid=_STREAM.uid,
            kind="replay",
            path=_STREAM.path,
            generation=0,
            offset=self._offset,
            size=self._offset,
            format="openssh",
            reference_time_us=_STREAM.reference_time_us,
            time_zone=_STREAM.time_zone,
            state="active",
        )
        self._writer.commit(Commit(result=result, streams=[position], next_sequence=self._sequence, alerting=False))

    def close(self) -> None:
        """Let go of the store."""
        self._writer.close()


def main(parts: int, lines: int, folder: Path) -> None:
    """`parts` times CHUNKS times `lines` lines; some come before, since kernels are loaded on first use."""
    warm = FlatRun(folder / "warm.db")
    warm.take(sshd_lines(min(lines, 50_000), seed=99, start_us=START_US))
    warm.close()
    settle_garbage_collection()
    run = FlatRun(folder / "flat.db")
    for part in range(parts):
        events, anomalies, seconds = 0, 0, 0.0
        for chunk in range(part * CHUNKS, (part + 1) * CHUNKS):
            start_us = START_US + int(chunk * lines / LINES_PER_S * US_PER_S)
            data = sshd_lines(lines, seed=chunk + 1, start_us=start_us)
            started = time.process_time()
            counted = run.take(data)
            seconds += time.process_time() - started
            events, anomalies = events + counted[0], anomalies + counted[1]
        record = {"lines": CHUNKS * lines, "events": events, "anomalies": anomalies, "cpu_s": seconds}
        sys.stdout.write(json.dumps(record) + "\n")
        sys.stdout.flush()
    run.close()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
