"""Whether every explanation in a store says only what its anomaly or incident bears out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Engine

from livesec.core.severity import Severity
from livesec.explain.facts import Facts, facts_of_anomaly
from livesec.explain.groundedness import problems
from livesec.explain.grounding import Grounds, grounds_of, states_both_values
from livesec.explain.grounds_of_incident import grounds_of_incident
from livesec.explain.incident_note import write_incident
from livesec.pipeline.assembly import correlator_classes, detector_classes
from livesec.store.anomaly_queries import AnomalyDetail, all_anomaly_ids, anomaly_detail
from livesec.store.incident_members import incident_members
from livesec.store.incident_queries import all_incidents


@dataclass
class Groundedness:
    """What was found over all explanations of a store."""

    anomalies: int = 0
    incidents: int = 0
    grounded: int = 0
    """Of both, those without a problem."""
    with_both_values: int = 0
    """Those that state the observed and the usual value."""
    detectors: set[str] = field(default_factory=set)
    found: list[str] = field(default_factory=list)
    """Each problem, with the subject it was found in."""

    @property
    def explanations(self) -> int:
        """Of anomalies and incidents."""
        return self.anomalies + self.incidents

    def note(self, subject: str, some: list[str], *, has_both_values: bool) -> None:
        """Count one explanation in."""
        self.grounded += not some
        self.with_both_values += has_both_values
        self.found += [f"{subject}: {item}" for item in some]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "anomalies": self.anomalies,
            "incidents": self.incidents,
            "detectors": len(self.detectors),
            "grounded": self.grounded,
            "with_both_values": self.with_both_values,
            "problems": self.found,
        }


def facts_of_stored(detail: AnomalyDetail) -> Facts:
    """The facts of a stored anomaly, with the templates of its detector where it still is one."""
    kinds: Mapping[str, Any] = {**detector_classes(), **correlator_classes()}
    kind = kinds.get(detail.row.type)
    return facts_of_anomaly(
        anomaly_id=detail.row.id,
        detector=detail.row.type,
        severity=detail.row.severity,
        score=detail.row.score,
        time_us=detail.row.time_us,
        entities={"user": detail.user, "src_ip": detail.src_ip, "dst_ip": detail.dst_ip, "host": detail.host},
        details=detail.details,
        evidence=[line.line for line in detail.evidence],
        techniques=detail.techniques,
        written=detail.written,
        summary=kind.summary if kind is not None else "",
        guidance=kind.guidance if kind is not None else None,
    )


def check_store(engine: Engine) -> Groundedness:
    """Check the deterministic explanation of every anomaly and incident, each with its five views."""
    told = Groundedness()
    known: dict[str, Grounds] = {}
    with engine.connect() as connection:
        for anomaly_id in all_anomaly_ids(connection):
            detail = anomaly_detail(connection, anomaly_id)
            if detail is None:
                continue
            grounds = known[anomaly_id] = grounds_of(facts_of_stored(detail))
            some = problems(detail.written, Severity(detail.row.severity), grounds)
            told.anomalies += 1
            told.detectors.add(detail.row.type)
            has_both = states_both_values(detail.written, grounds)
            told.note(f"{detail.row.type} {anomaly_id}", some, has_both_values=has_both)
        _check_incidents(connection, known, told)
    return told


def _check_incidents(connection: Connection, known: Mapping[str, Grounds], told: Groundedness) -> None:
    for incident in all_incidents(connection):
        members = incident_members(connection, incident.id)
        grounds = grounds_of_incident(incident, members, [known[member.id] for member in members])
        note = write_incident(incident, members)
        some = problems(note, Severity(incident.severity), grounds)
        told.incidents += 1
        told.note(f"incident {incident.id}", some, has_both_values=states_both_values(note, grounds))
