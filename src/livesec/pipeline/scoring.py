"""From a finding to a scored, described anomaly.

s = base_severity x confidence x asset weight, at most 99; x the weight of analysts' feedback; 0 where suppressed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from livesec.core.anomaly import NEW, SUPPRESSED, Anomaly, EvidenceLine
from livesec.core.commands import Platform
from livesec.core.explanation import Contribution
from livesec.core.finding import Finding
from livesec.core.settings import Settings
from livesec.core.severity import MAX_SCORE, Severity, severity_of
from livesec.core.text import shown
from livesec.explain.deterministic import Scored, write
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

    def _weight(self, finding: Finding) -> tuple[float, str]:
        """The weight of its heaviest asset, and which that is."""
        if not self._weights:
            return 1.0, ""
        names = (finding.user, finding.src_ip, finding.dst_ip, finding.host)
        known = [(self._weights[name], name) for name in names if name in self._weights]
        return max(known, default=(1.0, ""))

    def _judged(self, finding: Finding) -> tuple[float, list[Contribution], str]:
        """(score 0-100, what makes it up, status)."""
        steps = [(f"base severity of {finding.detector}", float(finding.base_severity))]
        weight, name = self._weight(finding)
        weighted = finding.base_severity * finding.confidence * weight
        if finding.confidence < 1:
            steps.append((f"confidence {finding.confidence:.2f}", finding.base_severity * finding.confidence))
        if weight != 1:
            steps.append((f"asset weight {weight:g} of {shown(name)}", weighted))
        score = min(MAX_SCORE, weighted)
        if score < weighted:
            steps.append(("no score is higher", score))
        status = NEW
        if self._verdicts:
            feedback, suppression = self._verdicts.feedback(finding), self._verdicts.suppression(finding)
            if feedback is not None:
                score *= feedback.weight
                steps.append((shown(str(feedback)), score))
            if suppression is not None:
                score, status = 0.0, SUPPRESSED
                steps.append((shown(str(suppression)), score))
        before = [0.0, *(reached for _, reached in steps)]
        parts = [
            Contribution(cause, (reached - earlier) / 10)
            for (cause, reached), earlier in zip(steps, before, strict=False)
        ]
        return score, parts, status

    def anomaly(
        self,
        finding: Finding,
        stream_uid: str,
        evidence: tuple[EvidenceLine, ...],
        platform: Platform = Platform.UNIX,
    ) -> Anomaly:
        """`finding`, in a log of `platform`, as an anomaly with `evidence`, not yet in an incident."""
        part = self._parts[finding.detector]
        score, contributions, status = self._judged(finding)
        is_statistical = getattr(part, "statistical", False)
        scored = Scored(tuple(contributions), len(evidence), platform, is_statistical)
        written = write(finding, part.summary, part.guidance, scored)
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
