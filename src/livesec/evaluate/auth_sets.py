"""The labelled login logs: attacking addresses found, benign addresses flagged.

Labels are the sidecar `<name>.labels.ips.csv` with columns src_ip and label: attack, benign, probe, attack_and_benign.
Probes (one or two attempts) demand no alert and count neither way.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from livesec.core.batch import StreamInfo
from livesec.core.clock import US_PER_S
from livesec.core.schema import LogType
from livesec.evaluate.scores import (
    Measure,
    Score,
    detectors_in,
    flagged,
    of_detector,
    quantiles,
    ratio,
    trigger_offset,
)
from livesec.formats import known_formats
from livesec.formats.stream_parser import StreamParser
from livesec.sources.whole_file import WholeFile

AUTH_SETS = ("elastic_auth", "secrepo_auth_head")


def read_labels(path: Path) -> dict[str, str]:
    """Address to label."""
    with path.open(newline="") as file:
        return {row["src_ip"]: row["label"] for row in csv.DictReader(file)}


def attempts_in(log: Path) -> pl.DataFrame:
    """Login rows of a log: src_ip, event_time_us, line_offset, in order."""
    file = WholeFile(str(log), StreamInfo(1, "0" * 16, str(log), int(log.stat().st_mtime * 1e6)))
    frames = []
    try:
        parser: StreamParser | None = None
        for batch in file.batches():
            parser = parser or StreamParser(batch.stream, known_formats())
            logins = parser.parse(batch).rows.get(LogType.LOGIN)
            if logins is not None:
                frames.append(logins.select("src_ip", "event_time_us", "line_offset"))
    finally:
        file.close()
    return pl.concat(frames)


def latency(
    name: str, anomalies: Sequence[dict[str, Any]], labels: dict[str, str], attempts: pl.DataFrame
) -> list[Measure]:
    """How long each attacking address that was found was at it before the first alert: in time, and in its own lines.

    The address of a burst from an otherwise good address is left out: its first line is no attack.
    """
    attacks = {address for address, label in labels.items() if label == "attack"}
    first: dict[str, int] = {}
    for anomaly in flagged(anomalies):
        offset = trigger_offset(anomaly)
        if anomaly["src_ip"] in attacks and offset is not None:
            first[anomaly["src_ip"]] = min(offset, first.get(anomaly["src_ip"], offset))
    seconds, lines = [], []
    for address, offset in first.items():
        own = attempts.filter((pl.col("src_ip") == address) & (pl.col("line_offset") <= offset))
        if own.height:
            seconds.append((own["event_time_us"][-1] - own["event_time_us"][0]) / US_PER_S)
            lines.append(own["line_offset"].n_unique())
    return [
        *quantiles(name, "time to first alert", seconds, "s"),
        *quantiles(name, "lines to first alert", lines, "lines"),
    ]


def score_auth(name: str, anomalies: Sequence[dict[str, Any]], labels: dict[str, str]) -> list[Score]:
    """Scores by detector. An address counts as flagged by any counting anomaly that names it."""
    attacks = {address for address, label in labels.items() if label.startswith("attack")}
    benign = {address for address, label in labels.items() if label == "benign"}
    counting = [anomaly for anomaly in flagged(anomalies) if anomaly["src_ip"] is not None]
    scores = []
    for detector in detectors_in(counting):
        named = {item["src_ip"] for item in of_detector(counting, detector)}
        right, wrong = len(named & attacks), len(named & benign)
        scores.append(
            Score(name, detector, ratio(right, len(attacks)), ratio(right, right + wrong), None, len(attacks))
        )
    return scores
