"""The labelled login logs: attacking addresses found, benign addresses flagged.

Labels are the sidecar `<name>.labels.ips.csv` with columns src_ip and label: attack, benign, probe, attack_and_benign.
Probes (one or two attempts) demand no alert and count neither way.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from livesec.evaluate.scores import ANY_DETECTOR, Score, flagged, ratio

AUTH_SETS = ("elastic_auth", "secrepo_auth_head")


def read_labels(path: Path) -> dict[str, str]:
    """Address to label."""
    with path.open(newline="") as file:
        return {row["src_ip"]: row["label"] for row in csv.DictReader(file)}


def score_auth(name: str, anomalies: Sequence[dict[str, Any]], labels: dict[str, str]) -> list[Score]:
    """Scores by detector. An address counts as flagged by any counting anomaly that names it."""
    attacks = {address for address, label in labels.items() if label.startswith("attack")}
    benign = {address for address, label in labels.items() if label == "benign"}
    counting = [anomaly for anomaly in flagged(anomalies) if anomaly["src_ip"] is not None]
    scores = []
    for detector in (ANY_DETECTOR, *sorted({anomaly["type"] for anomaly in counting})):
        named = {item["src_ip"] for item in counting if detector in (ANY_DETECTOR, item["type"])}
        right, wrong = len(named & attacks), len(named & benign)
        scores.append(
            Score(name, detector, ratio(right, len(attacks)), ratio(right, right + wrong), None, len(attacks))
        )
    return scores
