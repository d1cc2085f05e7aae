"""From a finding to a scored, described anomaly.

s = base_severity x confidence x asset weight, at most 99; x the weight of analysts' feedback; 0 where suppressed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from livesec.core.anomaly import NEW, SUPPRESSED, Anomaly, EvidenceLine
from livesec.core.finding import Finding
from livesec.core.settings import Settings
from livesec.core.severity import MAX_SCORE, Severity, severity_of
from livesec.explain.deterministic import write
from livesec.pipeline.assembly import Judge
from livesec.pipeline.verdicts import Verdicts


def anomaly_id(stream_uid: str, finding: Finding) -> str:
    """16 hex digits: the same finding on the same line of the same stream has the same id in every run."""
    text = "\x00".join(
        (
            stream_uid,
            str(finding.line_offset),
            str(finding.row_in_line),
            finding.detector,
            finding.entity,
            finding.reason,
        )
    )
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8, person=b"anomaly").hexdigest()


class Scorer:
    """Scores findings by the settings."""

    def __init__(self, settings: Settings, parts: Mapping[str, Judge]) -> None:
        self._parts = parts
        self._weights = settings.asset_weights
        self._verdicts = Verdicts(settings)
        self._bounds = {
            Severity.MEDIUM: settings.severity_medium,
            Severity.HIGH: settings.severity_high,
            Severity.CRITICAL: settings.severity_critical,
        }

    def _weight(self, finding: Finding) -> float:
        if not self._weights:
            return 1.0
        names = (finding.user, finding.src_ip, finding.dst_ip, finding.host)
        return max((self._weights[name] for name in names if name in self._weights), default=1.0)

    def anomaly(self, finding: Finding, stream_uid: str, evidence: tuple[EvidenceLine, ...]) -> Anomaly:
        """`finding` as an anomaly with `evidence`, not yet in an incident."""
        part = self._parts[finding.detector]
        score = min(MAX_SCORE, finding.base_severity * finding.confidence * self._weight(finding))
        status, note = NEW, ""
        if self._verdicts:
            feedback, suppression = self._verdicts.feedback(finding), self._verdicts.suppression(finding)
            if feedback is not None:
                score, note = score * feedback.weight, f"; {feedback}"
            if suppression is not None:
                score, note, status = 0.0, f"; {suppression}", SUPPRESSED
        written = write(finding, part.summary, part.guidance, score, note)
        return Anomaly(
            id=anomaly_id(stream_uid, finding),
            sequence=finding.sequence,
            time_us=finding.event_time_us,
            type=finding.detector,
            log_type=finding.log_type,
            severity=severity_of(score, self._bounds),
            score=round(score, 2),
            entity_type=finding.entity_type,
            entity=finding.entity,
            user=finding.user,
            src_ip=finding.src_ip,
            dst_ip=finding.dst_ip,
            host=finding.host,
            description=written.description,
            details=finding.details,
            techniques=finding.techniques,
            reason=finding.reason,
            confidence=finding.confidence,
            explanation=written.explanation,
            evidence=evidence,
            status=status,
        )
