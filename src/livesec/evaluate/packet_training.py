"""Packets to train the packet forest on: the simulated ones, or those of logs."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from livesec.core.batch import StreamInfo
from livesec.core.errors import InputUnreadableError, UsageError
from livesec.core.rows import make_rows
from livesec.core.schema import LogType
from livesec.core.settings import Settings
from livesec.detectors.network.behavioural_anomaly import packet_samples
from livesec.formats.stream_parser import StreamParser
from livesec.models.packet_forest import MIN_SAMPLES, RANDOM_STATE, PacketForest, features, train
from livesec.pipeline.assembly import all_formats
from livesec.simulate.packets import ordinary_packets
from livesec.simulate.randomness import generator
from livesec.sources.file_source import stream_uid
from livesec.sources.whole_file import WholeFile, replayable

CALIBRATION: Final = 10_000
"""Packets whose scores say what is rare, as many as there are: one in 10,000 can be counted, the rest is its tail."""
MAX_PACKETS: Final = 1_000_000
"""Of logs, so many packets are looked at: 20 MB."""


def trained_on_simulated(samples: int) -> PacketForest:
    """A forest of LiveSec's own ordinary packets."""
    training, others = _simulated(samples, RANDOM_STATE), _simulated(CALIBRATION, RANDOM_STATE + 1)
    return _trained(training, others, f"{samples:,} simulated packets")


def trained_on_logs(paths: Sequence[str], samples: int, settings: Settings) -> PacketForest:
    """A forest of `samples` packets, drawn from those in the logs at `paths`; others of them say what is rare.

    Where fewer than a tenth as many are left as it is trained on, its own packets say so. Raises UsageError where there
    are too few packets, InputUnreadableError where a file cannot be read.
    """
    problems: list[str] = []
    files = replayable(paths, problems)
    if problems:
        raise InputUnreadableError("; ".join(problems))
    parts: list[NDArray[np.float32]] = []
    for path in files:
        for part in _packets_in(path, settings):
            parts.append(part)
            if sum(map(len, parts)) >= MAX_PACKETS:
                break
    packets = np.concatenate([np.empty((0, 5), dtype=np.float32), *parts])[:MAX_PACKETS]
    if len(packets) < MIN_SAMPLES:
        raise UsageError(
            f"{', '.join(paths)}: {len(packets):,} single packets with ports, size, duration and protocol; "
            f"at least {MIN_SAMPLES} are needed"
        )
    drawn = packets[generator(RANDOM_STATE, "training").permutation(len(packets))]
    training, others = drawn[:samples], drawn[samples : samples + CALIBRATION]
    if len(others) < max(MIN_SAMPLES, len(training) // 10):
        others = training
    return _trained(training, others, f"{len(training):,} of {len(packets):,} packets in {', '.join(paths)}")


def _trained(training: NDArray[np.float32], others: NDArray[np.float32], trained_on: str) -> PacketForest:
    try:
        return train(training, others, trained_on)
    except ValueError as error:
        raise UsageError(f"{trained_on}: {error}") from error


def _simulated(count: int, seed: int) -> NDArray[np.float32]:
    packets = ordinary_packets(count, seed)
    is_udp = (packets["protocol"] == "UDP").to_numpy()
    return features(packets["src_port"], packets["dst_port"], packets["packet_size"], packets["duration_ms"], is_udp)


def _packets_in(path: str, settings: Settings) -> Iterator[NDArray[np.float32]]:
    """The packets of a file, batch by batch, each (n, 5)."""
    try:
        mtime_us = os.stat(path).st_mtime_ns // 1000
        file = WholeFile(path, StreamInfo(1, stream_uid(path, 0), path, mtime_us, settings.zone_of(path)))
    except OSError as error:
        raise InputUnreadableError(f"{path}: {error.strerror}") from error
    parser = StreamParser(file.info, all_formats(settings.format_files))
    try:
        for batch in file.batches():
            frame = parser.parse(batch).rows.get(LogType.NETWORK)
            if frame is not None and frame.height:
                yield packet_samples(make_rows(LogType.NETWORK, frame))
    finally:
        file.close()
