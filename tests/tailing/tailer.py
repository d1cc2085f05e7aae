"""The daemon's reader without the daemon: the real FileSource and the real store, one look at a time, killable."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import create_engine, select

from livesec.core.anomaly import BatchResult, Commit, Gap, StreamPosition
from livesec.core.batch import RawBatch
from livesec.core.clock import US_PER_S, now_us
from livesec.core.settings import Settings
from livesec.pipeline.engine import Engine
from livesec.runners.wiring import make_engine
from livesec.sources.file_source import FileSource
from livesec.sources.tail_file import stream_info
from livesec.store import tables as t
from livesec.store.journal import journal_batches
from livesec.store.writer import StoreWriter


@dataclass(frozen=True, order=True)
class StoredLine:
    """A line out of the store's journal. `length` is its true length, `line` its kept bytes, both without break."""

    stream_id: int
    offset: int
    length: int
    line: bytes


class Tailer:
    """One store and the files that `patterns` name; lives and dies as a daemon over them does.

    Parameters
    ----------
    db : the SQLite file; stays what it is from one life to the next
    patterns : files, folders or globs, as for `livesec run --logs`
    history : as for `--from`
    detects : run the detection engine too, with recovery; without it a batch counts its lines and no more
    """

    def __init__(
        self, db: Path, patterns: Sequence[str | Path], *, history: str = "start", detects: bool = False
    ) -> None:
        self.db = db
        self.now_us = now_us()  # files have real times
        self._patterns = [str(pattern) for pattern in patterns]
        self._history = history
        self._settings = Settings()
        self._detects = detects
        self._writer: StoreWriter | None = None
        self._source: FileSource | None = None
        self._engine: Engine | None = None

    @property
    def is_alive(self) -> bool:
        """Whether it was started and not killed since."""
        return self._writer is not None

    @property
    def source(self) -> FileSource:
        """The living FileSource."""
        assert self._source is not None, "not started"
        return self._source

    @property
    def writer(self) -> StoreWriter:
        """The living StoreWriter."""
        assert self._writer is not None, "not started"
        return self._writer

    # A life -----------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Open the store, go on where its last commit left off; nothing is looked at yet."""
        assert not self.is_alive, "started twice"
        self._writer = StoreWriter(str(self.db))
        self._source = FileSource(
            self._patterns,
            self._writer.streams(),
            history=self._history,
            zone_of=lambda _: "UTC",
            clock=lambda: self.now_us,
        )
        if self._detects:
            self._engine = make_engine(self._settings, self._line_at)
            self._engine.restore(self._writer.saved_parts())
            infos = {item.stream_id: stream_info(item) for item in self._writer.streams()}
            for batch, historical in self._writer.journalled(infos):
                self._engine.process(batch, historical=historical)
            self._engine.recent.drain()

    def look(
        self,
        touched: Sequence[str] | None = None,
        *,
        seconds: float = 1.0,
        between: Callable[[], None] | None = None,
    ) -> int:
        """`seconds` pass, then one turn of the daemon's loop: scan, read everything, a commit for each batch.

        `between` is called after the scan and before the reading: what happens to the files just then. Returns the
        number of lines that were read.
        """
        return self._turn(touched, seconds, batches=None, between=between)

    def kill(self) -> None:
        """SIGKILL between two turns: every object is forgotten, nothing is committed; handles and the lock go."""
        self.source.close()
        self.writer.close()  # commits nothing: it gives back what the kernel would
        self._source = self._writer = self._engine = None

    def kill_before_commit(self, batches: int = 0) -> int:
        """A turn that SIGKILL ends after `batches` commits, when the next batch was read but not committed.

        Returns the number of lines that were committed. Where there is no further batch, what the scan alone changed
        (streams that appeared, rotated, were truncated) is not committed.
        """
        lines = self._turn(None, 1.0, batches=batches)
        self.kill()
        return lines

    def restart(self) -> None:
        """`kill` and `start`."""
        self.kill()
        self.start()

    def _turn(
        self,
        touched: Sequence[str] | None,
        seconds: float,
        *,
        batches: int | None,
        between: Callable[[], None] | None = None,
    ) -> int:
        self.now_us += int(seconds * US_PER_S)
        source, writer = self.source, self.writer
        source.scan(touched)
        if between is not None:
            between()
        lines = 0
        for number, batch in enumerate(source.read(writer.next_sequence)):
            assert batch.first_sequence == writer.next_sequence
            historical = source.is_historical(batch)
            result = BatchResult(lines=len(batch))
            if self._engine is not None:
                result = self._engine.process(batch, historical=historical)
            source.committed(batch, max(result.formats, key=lambda name: result.formats[name], default=None))
            streams, gaps = source.take_changes()
            if number == batches:
                return lines
            self._commit(result, batch, streams, gaps, historical)
            lines += len(batch)
        streams, gaps = source.take_changes()
        if (streams or gaps) and batches is None:
            self._close_ended(streams)
            writer.commit(Commit(streams=streams, gaps=gaps, next_sequence=writer.next_sequence))
        return lines

    def _commit(
        self,
        result: BatchResult,
        batch: RawBatch,
        streams: Sequence[StreamPosition],
        gaps: Sequence[Gap],
        historical: bool,
    ) -> None:
        if self._engine is not None:
            result.recent = self._engine.recent.drain()
        self.writer.commit(
            Commit(
                result=result,
                streams=streams,
                batch=batch,
                historical=historical,
                gaps=gaps,
                next_sequence=self.writer.next_sequence + len(batch),
            )
        )
        self._close_ended(streams)

    def _close_ended(self, streams: Sequence[StreamPosition]) -> None:
        for stream in streams:
            if self._engine is not None and stream.state in ("drained", "truncated"):
                self._engine.close_stream(stream.stream_id)

    def _line_at(self, stream_id: int, offset: int) -> tuple[bytes, int] | None:
        return self.source.line_at(stream_id, offset) or self.writer.journalled_line(stream_id, offset)

    # What the store holds, alive or not -------------------------------------------------------------------------------

    def lines(self) -> list[StoredLine]:
        """Every line of the journal in the order of the commits. Nothing is pruned here: no state is saved."""
        infos = {stream.stream_id: stream_info(stream) for stream in self.streams()}
        found = []
        engine = create_engine(f"sqlite:///{self.db}")
        with engine.connect() as connection:
            for batch, _ in journal_batches(connection, infos, after=0):
                found += [
                    StoredLine(
                        batch.stream.stream_id, int(batch.offsets[i]), int(batch.lengths[i]), batch.line_bytes(i)
                    )
                    for i in range(len(batch))
                ]
        engine.dispose()
        return found

    def texts(self) -> list[bytes]:
        """The stored lines' bytes, in the order of the commits."""
        return [line.line for line in self.lines()]

    def gaps(self) -> list[Gap]:
        """The gap rows, oldest first."""
        columns = [t.gaps.c[name] for name in ("stream_id", "path", "start_offset", "end_offset", "reason")]
        engine = create_engine(f"sqlite:///{self.db}")
        with engine.connect() as connection:
            found = [Gap(**row._mapping) for row in connection.execute(select(*columns).order_by(t.gaps.c.gap))]
        engine.dispose()
        return found

    def streams(self) -> list[StreamPosition]:
        """The stream rows as committed, by number."""
        engine = create_engine(f"sqlite:///{self.db}")
        with engine.connect() as connection:
            rows = connection.execute(select(t.streams).order_by(t.streams.c.stream_id))
            found = [StreamPosition(**row._mapping) for row in rows]
        engine.dispose()
        return found
