"""Reads whole files once, in one order by event time, as fast as the machine allows."""

from __future__ import annotations

import os
import resource
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace

import polars as pl

from livesec.core.anomaly import BatchResult, Commit, StreamPosition
from livesec.core.batch import RawBatch, StreamInfo
from livesec.core.errors import InputUnreadableError
from livesec.core.schema import LogType
from livesec.core.settings import Settings
from livesec.pipeline.engine import Engine
from livesec.runners.garbage import settle_garbage_collection
from livesec.runners.wiring import make_engine
from livesec.sources.file_source import stream_uid
from livesec.sources.whole_file import WholeFile, replayable
from livesec.store.health_queries import MATURITY, maturity_value
from livesec.store.writer import StoreWriter

COMMIT_BYTES = 8 << 20
"""A replay commits after this much: it can be run again, so fewer syncs of the disk cost nothing."""


@dataclass(frozen=True)
class ReplayReport:
    """What a replay did; `livesec replay --json` prints it."""

    lines: int
    consumed: int
    events: int
    skipped: int
    rejects: int
    anomalies: int
    incidents: int
    seconds: float
    events_per_s: float
    lines_per_s: float
    peak_rss_mb: float

    def as_dict(self) -> dict[str, float]:
        """Name to value."""
        return asdict(self)


def peak_rss_mb() -> float:
    """The most memory this process has held so far, in MB.

    Linux counts the memory of the process that started this one into ru_maxrss; VmHWM begins anew with the program.
    """
    try:
        with open("/proc/self/status", encoding="ascii", errors="replace") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmHWM:")) / 1024
    except (OSError, StopIteration):  # macOS has no /proc, and bytes where Linux has KiB
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2


@dataclass
class _Pending:
    """Rows of one file that wait for the others."""

    file: WholeFile
    batches: Iterator[RawBatch]
    frames: dict[LogType, pl.DataFrame]
    batch: RawBatch | None = None
    done: bool = False

    @property
    def upto_us(self) -> int:
        """Rows up to this time are known."""
        return max(
            (int(frame["stream_time_us"][-1]) for frame in self.frames.values() if frame.height),
            default=-(1 << 62),
        )


Progress = Callable[[float, int], None]
"""(share of the input read, lines so far)."""


class Replay:
    """Replays files into a store.

    Parameters
    ----------
    paths : files, folders or globs
    writer : where the results go
    """

    def __init__(self, settings: Settings, paths: Sequence[str], writer: StoreWriter, progress: Progress) -> None:
        self._settings = settings
        self._writer = writer
        self._progress = progress
        self.problems: list[str] = []
        self._files = self._open_files(paths)
        self._engine: Engine = make_engine(settings, self._fetch_line)
        self._formats: dict[int, Counter[str]] = defaultdict(Counter)  # lines per format of each stream
        self._total = BatchResult()
        self._anomalies = 0
        self._incidents: set[str] = set()

    def _open_files(self, patterns: Sequence[str]) -> dict[int, WholeFile]:
        known = {stream.path: stream for stream in self._writer.streams()}
        next_id = max((stream.stream_id for stream in known.values()), default=0) + 1
        files: dict[int, WholeFile] = {}
        for path in replayable(patterns, self.problems):
            stream = known.get(path)
            stream_id = stream.stream_id if stream is not None else next_id
            next_id = max(next_id, stream_id + 1)
            try:
                mtime_us = os.stat(path).st_mtime_ns // 1000
                info = StreamInfo(stream_id, stream_uid(path, 0), path, mtime_us, self._settings.zone_of(path))
                files[stream_id] = WholeFile(path, info)
            except OSError as error:
                self.problems.append(f"{path}: cannot be read ({error.strerror})")
        return files

    def _fetch_line(self, stream_id: int, offset: int) -> tuple[bytes, int] | None:
        return self._files[stream_id].line_at(offset) if stream_id in self._files else None

    def run(self) -> ReplayReport:
        """Read everything; files that turn out unreadable are named in `problems`, the others are finished."""
        settle_garbage_collection()
        started = time.perf_counter()
        if len(self._files) == 1:
            self._run_one(next(iter(self._files.values())))
        elif self._files:
            self._run_merged()
        result = BatchResult(recent=self._engine.recent.drain())
        self._writer.commit(Commit(result=result, next_sequence=self._writer.next_sequence, streams=self._positions()))
        self._writer.put_health({MATURITY: maturity_value(self._engine.maturity())})
        seconds = time.perf_counter() - started
        for file in self._files.values():
            file.close()
        total = self._total
        return ReplayReport(
            lines=total.lines,
            consumed=total.consumed,
            events=total.events,
            skipped=total.skipped,
            rejects=total.rejected,
            anomalies=self._anomalies,
            incidents=len(self._incidents),
            seconds=round(seconds, 6),
            events_per_s=round(total.events / seconds, 1) if seconds else 0.0,
            lines_per_s=round(total.lines / seconds, 1) if seconds else 0.0,
            peak_rss_mb=round(peak_rss_mb(), 1),
        )

    def _run_one(self, file: WholeFile) -> None:
        result, sequence, size = BatchResult(), self._writer.next_sequence, 0
        for batch in self._guarded(file):
            self._engine.process(replace(batch, first_sequence=sequence), into=result)
            sequence += len(batch)
            size += len(batch.data)
            if size >= COMMIT_BYTES:
                self._commit(result, sequence)
                result, size = BatchResult(), 0
        self._commit(result, sequence)
        self._formats[file.info.stream_id].update(self._total.formats)

    def _guarded(self, file: WholeFile) -> Iterator[RawBatch]:
        try:
            yield from file.batches()
        except InputUnreadableError as error:
            self.problems.append(str(error))

    def _run_merged(self) -> None:
        """Merge by stream time: rows up to the time that every unfinished file has reached are taken, in order."""
        waiting = [_Pending(file, self._guarded(file), {}) for file in self._files.values()]
        while waiting:
            result = BatchResult()
            for item in waiting:
                if not item.done and not any(frame.height for frame in item.frames.values()):
                    self._fill(item, result)
            open_ended = [item.upto_us for item in waiting if not item.done]
            upto_us = min(open_ended, default=1 << 62)
            frames = self._take(waiting, upto_us)
            in_memory = {item.batch.stream.stream_id: item.batch for item in waiting if item.batch is not None}
            sequence = self._sequence_rows(frames)
            self._engine.detect(frames, result, in_memory)
            self._commit(result, sequence)
            waiting = [item for item in waiting if not item.done or any(f.height for f in item.frames.values())]

    def _fill(self, item: _Pending, result: BatchResult) -> None:
        while not any(frame.height for frame in item.frames.values()):
            batch = next(item.batches, None)
            if batch is None:
                item.done = True
                return
            item.batch = batch
            parsed = self._engine.parse(batch)
            self._engine.count_lines(result, batch, parsed)
            self._formats[batch.stream.stream_id].update(parsed.formats)
            item.frames = dict(parsed.rows)

    @staticmethod
    def _take(waiting: Sequence[_Pending], upto_us: int) -> dict[LogType, pl.DataFrame]:
        taken: dict[LogType, list[pl.DataFrame]] = {}
        for item in waiting:
            for log_type, frame in item.frames.items():
                # stream time never falls within a stream but for a clock set back, so a prefix is what is due
                is_due = frame["stream_time_us"].cum_max() <= upto_us
                count = int(is_due.sum())
                if count:
                    taken.setdefault(log_type, []).append(frame.head(count))
                    item.frames[log_type] = frame.slice(count)
        return {log_type: pl.concat(frames) for log_type, frames in taken.items()}

    def _sequence_rows(self, frames: dict[LogType, pl.DataFrame]) -> int:
        """Number the rows of all log types in one order of time, stream and line; the next free number."""
        first = self._writer.next_sequence
        keys = ["stream_time_us", "stream_id", "sequence", "row_in_line"]
        order = (
            pl.concat(
                [
                    frame.select(*keys).with_columns(pl.lit(number).alias("part"), pl.int_range(pl.len()).alias("row"))
                    for number, frame in enumerate(frames.values())
                ]
            ).sort(*keys)
            if frames
            else None
        )
        if order is None:
            return first
        order = order.with_columns(pl.int_range(first, first + pl.len(), dtype=pl.Int64).alias("new"))
        for number, (log_type, frame) in enumerate(frames.items()):
            own = order.filter(pl.col("part") == number)
            frames[log_type] = frame[own["row"].to_numpy()].with_columns(sequence=own["new"])
        return first + order.height

    def _commit(self, result: BatchResult, next_sequence: int) -> None:
        self._writer.commit(
            Commit(result=result, streams=self._positions(), next_sequence=next_sequence, alerting=False)
        )
        total = self._total
        if total.lines == 0:
            settle_garbage_collection()  # again: kernels were loaded on their first use
        total.lines += result.lines
        total.consumed += result.consumed
        total.skipped += result.skipped
        total.rejected += result.rejected
        total.events += result.events
        for name, lines in result.formats.items():
            total.formats[name] = total.formats.get(name, 0) + lines
        self._anomalies += len(result.anomalies)
        self._incidents.update(incident.id for incident in result.incidents)
        share = sum(file.read_share() for file in self._files.values()) / len(self._files)
        self._progress(share, total.lines)

    def _positions(self) -> list[StreamPosition]:
        return [
            StreamPosition(
                stream_id=stream_id,
                uid=file.info.uid,
                kind="replay",
                path=file.path,
                generation=0,
                offset=file.offset,
                size=file.offset,
                format=max(self._formats[stream_id], key=lambda name: self._formats[stream_id][name], default=None),
                reference_time_us=file.info.reference_time_us,
                time_zone=file.info.time_zone,
                state="drained",
            )
            for stream_id, file in self._files.items()
        ]
