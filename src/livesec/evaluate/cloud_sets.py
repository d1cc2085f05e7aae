"""Logs of cloud accounts under attack: techniques and identities that an alert points at.

`aws_stratus_detonation` has one technique per file, every event of it an attack: a technique is found when its file
gives an anomaly of medium or higher. The names of the others are noted. `aws_s3` has one attack among an operator's
work, labelled by line: an identity is found when an anomaly is raised at a line of its own; one raised at a background
line is false.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from livesec.evaluate.scores import ANY_DETECTOR, Evaluation, Score, flagged, ratio, trigger_offset

STRATUS = "aws_stratus_detonation"
S3 = "aws_s3"
S3_LOG = "ec2_proxy_s3_exfiltration_2020-09-14011940.json"
S3_LABELS = "ec2_proxy_s3_exfiltration.labels.csv"


def score_techniques(anomalies: Mapping[str, list[dict[str, Any]]]) -> Evaluation:
    """Scores of exported anomalies by technique."""
    found = {name for name, own in anomalies.items() if flagged(own)}
    kinds = sorted({anomaly["type"] for own in anomalies.values() for anomaly in flagged(own)})
    scores = [Score(STRATUS, ANY_DETECTOR, ratio(len(found), len(anomalies)), None, None, len(anomalies))]
    for kind in kinds:
        own_found = sum(1 for own in anomalies.values() if any(item["type"] == kind for item in flagged(own)))
        scores.append(Score(STRATUS, kind, ratio(own_found, len(anomalies)), None, None, len(anomalies)))
    others = sorted(anomalies.keys() - found)
    notes = [f"{STRATUS}: found: {', '.join(sorted(found)) or 'none'}"]
    if others:
        notes.append(
            f"{STRATUS}: not found, as most are calls of an interface that no detector judges: {', '.join(others)}"
        )
    return Evaluation(scores, notes=notes)


def score_s3(folder: Path, anomalies: list[dict[str, Any]]) -> Evaluation:
    """Scores of exported anomalies of the labelled log."""
    with (folder / S3_LABELS).open(newline="", encoding="utf-8") as file:
        labels = {int(row["line_no"]): row for row in csv.DictReader(file)}
    line_at, offset = {}, 0
    with (folder / S3_LOG).open("rb") as log:
        for number, line in enumerate(log, start=1):
            line_at[offset] = number
            offset += len(line)
    attackers = {row["identity"] for row in labels.values() if row["label"] == "attack"}
    rows = [labels.get(line_at.get(trigger_offset(anomaly) or 0, 0)) for anomaly in flagged(anomalies)]
    hits = [row for row in rows if row is not None and row["label"] == "attack"]
    found = {row["identity"] for row in hits}
    score = Score(
        S3, ANY_DETECTOR, ratio(len(found), len(attackers)), ratio(len(hits), len(rows)), None, len(attackers)
    )
    return Evaluation([score])
