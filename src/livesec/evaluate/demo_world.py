"""The demo world as a test: campaigns found, false alarms, alerts per day on the quiet part."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from livesec.core.clock import US_PER_DAY, US_PER_S
from livesec.evaluate.scores import ANY_DETECTOR, Evaluation, Measure, Score, flagged, ratio

_AFTER_US = 3600 * US_PER_S  # a finding this long after a stage's last event still belongs to it
_WARM_UP_DAYS = 1  # nothing is known of anyone on the first day


@dataclass(frozen=True, slots=True)
class Stage:
    """A row of labels.csv with times in microseconds."""

    campaign_id: str
    campaign: str
    strength: str
    user: str | None
    src_ip: str | None
    dst_ip: str | None
    start_us: int
    end_us: int

    def covers(self, anomaly: dict[str, Any], time_us: int) -> bool:
        """Whether the anomaly names one of the stage's parts in its time."""
        if not self.start_us <= time_us <= self.end_us + _AFTER_US:
            return False
        return any(
            own is not None and own == anomaly[name]
            for name, own in (("user", self.user), ("src_ip", self.src_ip), ("dst_ip", self.dst_ip))
        )


def read_stages(labels: Path) -> list[Stage]:
    """The rows of a labels.csv."""
    frame = pl.read_csv(labels, try_parse_dates=True, infer_schema_length=None)
    frame = frame.with_columns(
        pl.col(name).cast(pl.Datetime("us")).dt.epoch("us").alias(f"{name}_us") for name in ("start", "end")
    ).with_columns(pl.col("user", "src_ip", "dst_ip").cast(pl.String))
    names = list(Stage.__slots__)
    return [Stage(**row) for row in frame.select(names).to_dicts()]


def _time_us(anomaly: dict[str, Any]) -> int:
    moment = datetime.fromisoformat(str(anomaly["time"])).astimezone(UTC)
    return int(moment.timestamp()) * US_PER_S + moment.microsecond


def score_demo(anomalies: Sequence[dict[str, Any]], stages: Sequence[Stage], first_us: int, last_us: int) -> Evaluation:
    """Scores by set and detector, and a record per campaign, of exported anomalies over [first_us, last_us].

    Sets are `demo`, `demo/<strength>` and `demo/<campaign>`. Quiet days are those, after the first, that no campaign
    touches.
    """
    judged = [(anomaly, _time_us(anomaly)) for anomaly in flagged(anomalies)]
    owners = [[stage for stage in stages if stage.covers(anomaly, time_us)] for anomaly, time_us in judged]
    found_by: dict[str, set[str]] = defaultdict(set)
    for (anomaly, _), named in zip(judged, owners, strict=True):
        for stage in named:
            found_by[stage.campaign_id].add(anomaly["type"])
    campaigns = {stage.campaign_id: (stage.campaign, stage.strength) for stage in stages}
    busy = {
        day
        for stage in stages
        for day in range(stage.start_us // US_PER_DAY, (stage.end_us + _AFTER_US) // US_PER_DAY + 1)
    }
    days = range(first_us // US_PER_DAY + _WARM_UP_DAYS, last_us // US_PER_DAY + 1)
    quiet = {day for day in days if day not in busy}
    detectors = sorted({anomaly["type"] for anomaly, _ in judged})
    scores = []
    groups: dict[str, list[str]] = {"demo": list(campaigns)}
    for campaign_id, (name, strength) in campaigns.items():
        groups.setdefault(f"demo/{strength}", []).append(campaign_id)
        groups.setdefault(f"demo/{name}", []).append(campaign_id)
    for group, members in groups.items():
        for detector in (ANY_DETECTOR, *(detectors if group == "demo" else ())):
            own = [index for index, (anomaly, _) in enumerate(judged) if detector in (ANY_DETECTOR, anomaly["type"])]
            hits = sum(1 for index in own if owners[index])
            alarms = sum(1 for index in own if judged[index][1] // US_PER_DAY in quiet)
            is_whole = group == "demo"
            found = sum(
                1
                for member in members
                if (found_by[member] if detector == ANY_DETECTOR else detector in found_by[member])
            )
            scores.append(
                Score(
                    group,
                    detector,
                    ratio(found, len(members)),
                    ratio(hits, len(own)) if is_whole else None,
                    round(alarms / len(quiet), 3) if quiet and is_whole else None,
                    len(members),
                )
            )
    incidents = _incidents(anomalies, stages)
    records = [
        {
            "campaign_id": key,
            "campaign": name,
            "strength": strength,
            "found_by": sorted(found_by[key]),
            "incidents": len(incidents[key]),
        }
        for key, (name, strength) in campaigns.items()
    ]
    return Evaluation(scores, _incident_measures(incidents, anomalies, quiet), records)


def _incidents(anomalies: Sequence[dict[str, Any]], stages: Sequence[Stage]) -> dict[str, set[str]]:
    """Campaign id to the incidents that any of its anomalies, of whatever severity, are in."""
    incidents: dict[str, set[str]] = defaultdict(set)
    for anomaly in anomalies:
        if anomaly["incident_id"] is not None:
            for stage in stages:
                if stage.covers(anomaly, _time_us(anomaly)):
                    incidents[stage.campaign_id].add(anomaly["incident_id"])
    return incidents


def _incident_measures(
    incidents: dict[str, set[str]], anomalies: Sequence[dict[str, Any]], quiet: set[int]
) -> list[Measure]:
    counts = [len(own) for own in incidents.values() if own]
    first_day: dict[str, int] = {}
    for anomaly in anomalies:
        if anomaly["incident_id"] is not None:
            first_day.setdefault(anomaly["incident_id"], _time_us(anomaly) // US_PER_DAY)
    on_quiet = sum(1 for day in first_day.values() if day in quiet)
    return [
        Measure("demo", "incidents per campaign in any", ratio(sum(counts), len(counts)), "incidents", len(counts)),
        Measure("demo", "most incidents of a campaign", max(counts, default=None), "incidents", len(counts)),
        Measure("demo", "incidents on quiet days", ratio(on_quiet, len(quiet)), "a day", len(quiet)),
    ]
