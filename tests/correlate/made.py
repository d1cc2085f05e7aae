"""Anomalies and findings for the correlators' tests."""

from livesec.core.anomaly import Anomaly
from livesec.core.explanation import Explanation
from livesec.core.finding import Finding
from livesec.core.schema import LogType
from livesec.core.severity import severity_of

HOUR_US = 3_600_000_000


def anomaly(
    name: str,
    at_h: float,
    score: float,
    techniques: tuple[str, ...] = ("T1110",),
    src_ip: str | None = "192.0.2.1",
    user: str | None = None,
    anomaly_id: str | None = None,
) -> Anomaly:
    """An anomaly of detector `name`, `at_h` hours after the epoch, keyed by whichever of src_ip and user is given."""
    keys = [key for key, value in (("src_ip", src_ip), ("user", user)) if value is not None]
    return Anomaly(
        id=anomaly_id or f"{name}-{at_h}",
        sequence=0,
        time_us=int(at_h * HOUR_US),
        type=name,
        log_type=LogType.LOGIN,
        severity=severity_of(score),
        score=score,
        entity_type="|".join(keys),
        entity="|".join(value for value in (src_ip, user) if value is not None),
        user=user,
        src_ip=src_ip,
        dst_ip=None,
        host=None,
        description="",
        details={},
        techniques=techniques,
        reason="threshold",
        confidence=1.0,
        explanation=Explanation("", "", "", (), (), (), (), ()),
        evidence=(),
    )


def finding(detector: str, sequence: int, time_s: float, src_ip: str, **details: object) -> Finding:
    """A finding about `src_ip`."""
    return Finding(
        detector=detector,
        log_type=LogType.LOGIN,
        sequence=sequence,
        row_in_line=0,
        event_time_us=int(time_s * 1e6),
        stream_time_us=int(time_s * 1e6),
        stream_id=1,
        line_offset=sequence * 100,
        entity_type="src_ip",
        entity=src_ip,
        reason="threshold",
        base_severity=47,
        confidence=1.0,
        user="root",
        src_ip=src_ip,
        dst_ip=None,
        host="web",
        details=details,  # type: ignore[arg-type]
        evidence=((1 << 40) | sequence * 100,),
        techniques=("T1110.001",),
    )
