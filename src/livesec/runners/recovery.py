"""Brings an engine to where the last commit left the store: saved state, then the journalled batches since."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from livesec.core.anomaly import Gap, StreamPosition
from livesec.core.batch import RawBatch
from livesec.core.fault_points import reach
from livesec.core.settings import Settings
from livesec.core.text import shown
from livesec.pipeline.engine import Engine
from livesec.pipeline.evidence import FetchLine
from livesec.runners.wiring import make_engine
from livesec.sources.tail_file import stream_info
from livesec.store.writer import StoreWriter

_log = logging.getLogger(__name__)
_GROUP_BYTES = 4 << 20
_GROUP_BATCHES = 256


@dataclass(frozen=True)
class Replayed:
    """What running the journal through an engine came to."""

    batches: int
    gaps: Sequence[Gap]
    """Batches that could not be read: their results are stored, but the engine did not see their lines."""


def close_ended(engine: Engine, position: StreamPosition) -> None:
    """Have the engine forget a stream that no line will come of again; a drained file may yet come back."""
    if position.state in ("truncated", "retired"):
        engine.close_stream(position.stream_id)


def recovered_engine(settings: Settings, writer: StoreWriter, fetch_line: FetchLine) -> Engine:
    """An engine with the state saved in the store; parts whose state cannot be used start anew, which is logged.

    Raises SettingsError, ContractError, StoreDamagedError.
    """
    reach("recovery.begun")
    engine = make_engine(settings, fetch_line)
    for component, error in engine.restore(writer.saved_parts()).items():
        _log.warning("%s: its saved state cannot be used and is learned anew: %s", component, error)
    reach("recovery.restored")
    return engine


def _in_groups(batches: Iterable[RawBatch]) -> Iterator[list[RawBatch]]:
    """`batches` in groups of some megabytes: a daemon that follows live logs journals many small ones."""
    group: list[RawBatch] = []
    for batch in batches:
        group.append(batch)
        if sum(len(item.data) for item in group) >= _GROUP_BYTES or len(group) == _GROUP_BATCHES:
            yield group
            group = []
    if group:
        yield group


def replay_journal(engine: Engine, writer: StoreWriter, should_stop: Callable[[], bool]) -> Replayed | None:
    """Run the batches since the last save through `engine`, storing nothing.

    None where it was stopped meanwhile: the engine is then behind the store and must not be saved.
    """
    positions = writer.streams()
    infos = {item.stream_id: stream_info(item) for item in positions}
    batches = 0
    damaged: list[Gap] = []
    for together in _in_groups(batch for batch, _ in writer.journalled(infos, damaged)):
        if should_stop():
            return None
        engine.learn(together)
        batches += len(together)
        reach("recovery.between")
    for item in positions:
        close_ended(engine, item)
    for gap in damaged:
        _log.warning("%s: bytes %s to %s: %s", shown(gap.path), gap.start_offset, gap.end_offset, gap.reason)
    if batches:
        _log.info("recovered %d journalled batches", batches)
    reach("recovery.done")
    return Replayed(batches, damaged)
