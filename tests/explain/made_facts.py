"""Facts about a finding of any detector, made from its own templates, for tests of what models are told."""

from __future__ import annotations

from collections.abc import Mapping
from string import Formatter

from livesec.core.clock import US_PER_S
from livesec.core.commands import Platform
from livesec.core.discovery import exported
from livesec.core.explanation import Contribution
from livesec.core.finding import Finding, Scalar
from livesec.core.protocols import Correlator, Detector
from livesec.explain.deterministic import Scored, write
from livesec.explain.facts import ENTITIES, Facts, facts_of_anomaly, facts_of_incident

Kind = type[Detector[object]] | type[Correlator[object, object]]
KINDS: Mapping[str, Kind] = {
    **exported("livesec.detectors", "DETECTOR"),  # type: ignore[dict-item]
    **exported("livesec.correlate", "CORRELATOR"),  # type: ignore[dict-item]
}
"""All detectors and correlators by name."""

ENTITY_VALUES: Mapping[str, str] = {
    "user": "svc-backup",
    "src_ip": "203.0.113.77",
    "dst_ip": "198.51.100.9",
    "host": "files01",
}
EVIDENCE = (b"first line", b"second line", b"third line")
AT_US = 1_700_000_000 * US_PER_S


def _specifications(kind: Kind) -> dict[str, set[str]]:
    """The formats in which the templates of `kind` ask for each detail."""
    found: dict[str, set[str]] = {}
    guidance = kind.guidance
    for template in (kind.summary, guidance.usual, *guidance.next_steps, *guidance.would_change):
        for _, name, spec, _ in Formatter().parse(template):
            if name is not None:
                found.setdefault(name, set()).add(spec or "")
    return found


def details_of(kind: Kind) -> dict[str, Scalar]:
    """A value for every detail: 1,234 and so on where a number is formatted, else a text."""
    details: dict[str, Scalar] = {}
    for place, (name, specs) in enumerate(sorted(_specifications(kind).items())):
        if name not in ENTITIES:
            details[name] = 1234 + place if any(specs - {""}) else f"text of {name}"
    return details


def facts_about(
    name: str,
    *,
    severity: str = "high",
    score: float = 70.0,
    evidence: tuple[bytes, ...] = EVIDENCE,
    entities: Mapping[str, str | None] = ENTITY_VALUES,
    platform: Platform = Platform.UNIX,
    **details: Scalar,
) -> Facts:
    """Facts of a finding of the detector or correlator `name`; `details` replace those that `details_of` gives."""
    kind = KINDS[name]
    known = details_of(kind) | details
    finding = Finding(
        detector=name,
        log_type=kind.log_type,
        sequence=1,
        row_in_line=0,
        event_time_us=AT_US,
        stream_time_us=AT_US,
        stream_id=1,
        line_offset=0,
        entity_type="src_ip",
        entity=str(entities["src_ip"]),
        reason="threshold",
        base_severity=kind.base_severity,
        confidence=1.0,
        **{entity: entities.get(entity) for entity in ENTITIES},
        details=known,
        evidence=(),
        techniques=tuple(kind.technique),
    )
    scored = Scored((Contribution(f"base severity of {name}", score / 10),), lines=len(evidence), platform=platform)
    return facts_of_anomaly(
        anomaly_id=f"a-{name}",
        detector=name,
        severity=severity,
        score=score,
        time_us=AT_US,
        entities=entities,
        details=known,
        evidence=evidence,
        techniques=tuple(kind.technique),
        written=write(finding, kind.summary, kind.guidance, scored).explanation,
        summary=kind.summary,
        guidance=kind.guidance,
        platform=platform,
    )


def facts_about_incident(*members: Facts) -> Facts:
    """Facts of an incident of `members`, told in the words of the first."""
    entities = [(kind, str(value)) for kind in ENTITIES for value in [members[0].values.get(kind)] if value is not None]
    return facts_of_incident(
        incident_id="i-1",
        severity=members[0].severity,
        score=members[0].score,
        time_us=members[0].time_us,
        members=members,
        entities=entities,
        written=members[0].written,
    )
