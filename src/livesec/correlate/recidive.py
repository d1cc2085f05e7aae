"""A repeat offender: anomalies of one address on several days, or many within one.

Sees the address that comes back after every ban: five anomalies within a day, or anomalies on three different days of
a week, each alone perhaps too little. Misses who changes addresses. Counts login findings, scans, refused connections
and what a sensor calls an attack: in others the address may be the victim's. Counts one of each detector an hour, so
that one loud detector makes no repeat offender, and internal addresses as others. Nothing is learned, so nothing can be
trained. Reported at the threshold and then on log growth. Source: fail2ban's recidive jail (5 bans within a day).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from livesec.baselines.growth import GROWTH
from livesec.core.clock import US_PER_DAY, US_PER_S
from livesec.core.errors import StateVersionError
from livesec.core.finding import Finding, Scalar
from livesec.core.protocols import Correlator, Guidance, param
from livesec.core.rows import Rows, network_64
from livesec.core.schema import LogType
from livesec.correlate.sequel import raised, weight

OFFENCES = frozenset(
    {"scan_vertical", "scan_horizontal", "scan_trw", "scan_slow", "firewall_denies", "exposed_admin", "ids_alert"}
)
"""What counts beside findings about logins."""
_KEPT = 16  # offences remembered per address
_MAX_ADDRESSES = 1 << 14
_HOUR_US = 3600 * US_PER_S
_VERSION = 1


@dataclass(frozen=True)
class Params:
    """How often is a habit."""

    in_a_day: int = param(5, "offences", "fail2ban recidive: maxretry = 5, findtime = 1d", minimum=2, maximum=_KEPT)
    days: int = param(3, "days", "our choice: twice may be chance", minimum=2, maximum=7)
    least_weight: float = param(0.5, "share of an alert", "our choice: half of medium", minimum=0, maximum=1)


@dataclass(slots=True)
class _Record:
    """Offences of an address within a week as (time, detector, line), oldest first."""

    offences: list[tuple[int, str, int]] = field(default_factory=list)
    next_report: int = 0
    """Offences in all at which it is reported again; 0 before the first report."""
    total: int = 0


class State:
    """Records by address, least recently written first."""

    def __init__(self) -> None:
        self.records: dict[str, _Record] = {}


class Recidive(Correlator[Params, State]):
    """Counts findings per source address."""

    name = "recidive"
    log_type = LogType.LOGIN
    technique = ("T1110", "T1595")
    base_severity = 47
    params = Params
    summary = (
        "{src_ip} keeps coming back: {offences:,} offences so far, the last {detector}; days with one in the last "
        "week: {days:,}"
    )
    guidance = Guidance(
        meaning="This address does not stop: a ban of minutes is no answer to it.",
        usual="Offences of {src_ip} in the last day: {today:,}, in all: {offences:,} ({kinds}); days with one in the "
        "last week: {days:,}. Most addresses offend once; from {in_a_day:,} in a day or {days_limit:,} days in a week "
        "on it is a habit.",
        benign=(
            "a machine of one's own with an old password in a script",
            "an address that many people share (a mobile network, a company's way out)",
            "a monitor or scanner of a partner that nobody has listed",
        ),
        commands=("days_of_address", "owner_of_source", "logins_of_address", "blocked"),
        next_steps=(
            "Is {src_ip} one of yours? Then find what runs there.",
            "Whose is it, and does one stranger stand behind it or a network that many share?",
            "Did it ever get in? Then look at that login before anything else.",
            "Otherwise block it for a week rather than minutes, and report it to its network.",
        ),
        would_change=(
            "a login that succeeded from {src_ip} on any of these days: then it is a break-in",
            "offences of a new kind, from a scan to guessing at accounts that exist: then it comes closer",
            "{src_ip} is a way out that your own people share, or one of your machines: then a block hits them",
        ),
    )

    def initial(self) -> State:
        """No address has a record."""
        return State()

    def step(self, state: State, findings: Sequence[Finding], rows: Mapping[LogType, Rows]) -> list[Finding]:
        """A finding for each address whose record is long enough, and as it grows."""
        offences = [item for item in findings if self._counts(item)]
        found = [self._judge(state, item) for item in offences]
        return [item for item in found if item is not None]

    def _counts(self, finding: Finding) -> bool:
        """Findings that are about an address that offends, and are something."""
        offends = finding.log_type == LogType.LOGIN or finding.detector in OFFENCES
        keyed = "src_ip" in finding.entity_type.split("|")
        return offends and keyed and finding.src_ip is not None and weight(finding) >= self.p.least_weight

    def _judge(self, state: State, offence: Finding) -> Finding | None:
        address, time_us = network_64(str(offence.src_ip)), offence.stream_time_us
        record = state.records.pop(address, None) or _Record()
        state.records[address] = record
        record.offences = [item for item in record.offences if time_us - item[0] <= 7 * US_PER_DAY]
        self._forget(state, time_us)
        if not record.offences:
            record.next_report = record.total = 0
        recent = (kind for at_us, kind, _ in record.offences if abs(time_us - at_us) < _HOUR_US)
        if offence.detector in recent:
            return None
        record.offences = [*record.offences, (time_us, offence.detector, offence.evidence[-1])][-_KEPT:]
        record.total += 1
        today = sum(1 for at_us, _, _ in record.offences if time_us - at_us <= US_PER_DAY)
        days = len({at_us // US_PER_DAY for at_us, _, _ in record.offences})
        if record.next_report == 0 and today < self.p.in_a_day and days < self.p.days:
            return None
        if record.total < record.next_report:
            return None
        record.next_report = GROWTH * record.total
        kinds = dict.fromkeys(kind for _, kind, _ in record.offences)
        details: dict[str, Scalar] = {
            "offences": record.total,
            "today": today,
            "days": days,
            "kinds": ", ".join(kinds),
            "detector": offence.detector,
            "in_a_day": self.p.in_a_day,
            "days_limit": self.p.days,
        }
        reason = "in_a_day" if today >= self.p.in_a_day else "days"
        lines = list(dict.fromkeys(line for _, _, line in record.offences[-8:]))
        return raised(self, offence, "src_ip", address, reason, details, lines)

    @staticmethod
    def _forget(state: State, now_us: int) -> None:
        """Up to two of the addresses that were quiet for longest: more than come in."""
        for _ in range(2):
            oldest = next(iter(state.records))
            offences = state.records[oldest].offences
            is_over = bool(offences) and now_us - offences[-1][0] > 7 * US_PER_DAY
            if is_over or len(state.records) > _MAX_ADDRESSES:
                del state.records[oldest]

    def to_bytes(self, state: State) -> bytes:
        """JSON."""
        rows = [[name, item.offences, item.next_report, item.total] for name, item in state.records.items()]
        return json.dumps({"version": _VERSION, "records": rows}).encode()

    def from_bytes(self, blob: bytes) -> State:
        """What `to_bytes` wrote. Raises StateVersionError."""
        saved = json.loads(blob)
        if saved["version"] != _VERSION:
            raise StateVersionError(f"recidive: saved state of version {saved['version']}")
        state = State()
        for name, offences, next_report, total in saved["records"]:
            state.records[name] = _Record([tuple(item) for item in offences], next_report, total)
        return state


CORRELATOR = Recidive
