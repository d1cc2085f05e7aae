"""A day of Zeek logs of an emulated intrusion: malicious connections that an incident or an alert points at.

`labels.csv` has line_no, stream, uid, label (malicious, background, suspect_lateral). Judged are the connections
(stream `conn`) that are malicious or background. One counts as pointed at when an entity of an incident is its source
or its destination address; where there are several addresses of a kind, one must fit. Set `zeek_apt29_day1` has the
incidents, `zeek_apt29_day1/alerts` the anomalies of medium or higher, each through its own entities.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from livesec.evaluate.scores import ANY_DETECTOR, Evaluation, Score, detectors_in, flagged, of_detector, ratio

NAME = "zeek_apt29_day1"


@dataclass(frozen=True, slots=True)
class Flow:
    """A labelled connection."""

    src_ip: str
    dst_ip: str
    malicious: bool


Pointer = dict[str, set[str]]
"""Addresses by kind, src_ip or dst_ip."""


def read_flows(folder: Path) -> list[Flow]:
    """The connections that count."""
    with (folder / "labels.csv").open(newline="", encoding="utf-8") as file:
        labels = {int(row["line_no"]): row["label"] for row in csv.DictReader(file) if row["stream"] == "conn"}
    flows = []
    with (folder / "combined_zeek.log").open(encoding="utf-8") as file:
        for number, line in enumerate(file, start=1):
            if labels.get(number) in ("malicious", "background"):
                record = json.loads(line)
                flows.append(Flow(record["id_orig_h"], record["id_resp_h"], labels[number] == "malicious"))
    return flows


def score_day(
    flows: Sequence[Flow], anomalies: Sequence[dict[str, Any]], incidents: Iterable[dict[str, Any]]
) -> Evaluation:
    """Scores of exported anomalies and incidents."""
    of_incidents = [_pointer((item["type"], item["name"]) for item in incident["entities"]) for incident in incidents]
    scores = [_score(NAME, ANY_DETECTOR, flows, of_incidents)]
    counting = flagged(anomalies)
    for detector in detectors_in(counting):
        pointers = [
            _pointer((kind, anomaly[kind]) for kind in anomaly["entity_type"].split("|") if kind in anomaly)
            for anomaly in of_detector(counting, detector)
        ]
        scores.append(_score(f"{NAME}/alerts", detector, flows, pointers))
    return Evaluation(scores)


def _pointer(entities: Iterable[tuple[str, str]]) -> Pointer:
    pointer: Pointer = {}
    for kind, name in entities:
        if kind in ("src_ip", "dst_ip"):
            pointer.setdefault(kind, set()).add(name)
    return pointer


def _score(name: str, detector: str, flows: Sequence[Flow], pointers: Sequence[Pointer]) -> Score:
    pointed = [flow for flow in flows if any(_points_at(pointer, flow) for pointer in pointers)]
    right = sum(flow.malicious for flow in pointed)
    wanted = sum(flow.malicious for flow in flows)
    return Score(name, detector, ratio(right, wanted), ratio(right, len(pointed)), None, wanted)


def _points_at(pointer: Pointer, flow: Flow) -> bool:
    return bool(pointer) and all(getattr(flow, kind) in names for kind, names in pointer.items())
