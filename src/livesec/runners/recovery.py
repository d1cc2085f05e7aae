"""Brings an engine to where the last commit left the store: saved state, then the journalled batches since."""

from __future__ import annotations

import logging
from collections.abc import Callable

from livesec.core.settings import Settings
from livesec.pipeline.engine import Engine
from livesec.pipeline.evidence import FetchLine
from livesec.runners.wiring import make_engine
from livesec.sources.tail_file import stream_info
from livesec.store.writer import StoreWriter

_log = logging.getLogger(__name__)


def recovered_engine(settings: Settings, writer: StoreWriter, fetch_line: FetchLine) -> Engine:
    """An engine with the state saved in the store; parts whose state cannot be used start anew, which is logged.

    Raises SettingsError, ContractError.
    """
    engine = make_engine(settings, fetch_line)
    for component, error in engine.restore(writer.saved_parts()).items():
        _log.warning("%s: its saved state cannot be used and is learned anew: %s", component, error)
    return engine


def replay_journal(engine: Engine, writer: StoreWriter, should_stop: Callable[[], bool]) -> int | None:
    """Run the batches since the last save through `engine`, storing nothing; how many there were.

    None where it was stopped meanwhile: the engine is then behind the store and must not be saved.
    """
    infos = {item.stream_id: stream_info(item) for item in writer.streams()}
    batches = 0
    for batch, historical in writer.journalled(infos):
        if should_stop():
            return None
        engine.process(batch, historical=historical)
        batches += 1
    engine.recent.drain()
    if batches:
        _log.info("recovered %d journalled batches", batches)
    return batches
