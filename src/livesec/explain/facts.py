"""What is known about an anomaly or incident, typed and bounded: all that a model is told or may say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from livesec.core.commands import Platform, fill
from livesec.core.explanation import Explanation
from livesec.core.finding import Scalar
from livesec.core.instruction_text import instruction_in
from livesec.core.protocols import Guidance
from livesec.explain.address_side import is_internal
from livesec.explain.deterministic import command_values
from livesec.explain.incident_note import MOST_CITED
from livesec.explain.shown_values import shown_value

ENTITIES = ("user", "src_ip", "dst_ip", "host")
_ADMINISTRATORS = ("root", "admin", "administrator", "system", "sysadmin", "toor")


@dataclass(frozen=True, slots=True)
class Facts:
    """About one anomaly or incident."""

    subject_id: str
    kind: str
    """`anomaly` or `incident`."""
    detectors: tuple[str, ...]
    severity: str
    score: float
    """0 to 100."""
    time_us: int
    values: Mapping[str, Scalar]
    """The details by name, and user, src_ip, dst_ip and host: what placeholders stand for."""
    lines: int
    """Lines of evidence, which texts cite as [L1] and so on."""
    techniques: tuple[str, ...]
    """Ids."""
    written: Explanation
    """The deterministic record."""
    platform: Platform = Platform.UNIX
    summary: str = ""
    """Template of the headline."""
    guidance: Guidance | None = None
    """Templates of the detector; of an incident, none."""
    members: tuple[str, ...] = ()
    """Of an incident: its anomalies' headlines, the worst first."""
    member_values: tuple[tuple[str, str], ...] = ()
    """Of an incident: the texts among its anomalies' values, by name, which their headlines hold."""
    evidence: tuple[str, ...] = ()
    """The lines themselves; never sent to a model."""
    is_marked: bool = field(default=False)
    """Some text of it reads like instructions to a model."""

    def placeholder_texts(self) -> dict[str, str]:
        """What each placeholder is filled with, for those that are known."""
        return {name: shown_value(name, value) for name, value in self.values.items() if value is not None}

    def templates(self) -> tuple[str, ...]:
        """The detector's own texts, in which nothing is anybody else's."""
        guidance = self.guidance
        if guidance is None:
            return ()
        texts = (*guidance.benign, *guidance.next_steps, *guidance.would_change)
        return (self.summary, guidance.meaning, guidance.usual, *texts)

    def commands(self) -> dict[str, str]:
        """The commands that may be chosen, by id, filled in."""
        own = {step.command: step.text for step in self.written.next_steps if step.command is not None}
        if self.guidance is None:
            return own
        known = command_values(self.values, self.time_us)
        filled = {name: fill(name, self.platform, known) for name in self.guidance.commands}
        return own | {name: text for name, text in filled.items() if text is not None}

    @property
    def entity_class(self) -> str:
        """Whom it is about, without saying who: internal, external, an administrator's account or none of these.

        The three that the wording of an explanation depends on.
        """
        user, source = self.values.get("user"), self.values.get("src_ip")
        if isinstance(user, str) and user.lower().rpartition("\\")[2].partition("@")[0] in _ADMINISTRATORS:
            return "administrator"
        inside = is_internal(source) if isinstance(source, str) else None
        return {True: "internal", False: "external", None: "unknown"}[inside]


def facts_of_anomaly(
    *,
    anomaly_id: str,
    detector: str,
    severity: str,
    score: float,
    time_us: int,
    entities: Mapping[str, str | None],
    details: Mapping[str, Scalar],
    evidence: Sequence[bytes],
    techniques: Sequence[str],
    written: Explanation,
    summary: str = "",
    guidance: Guidance | None = None,
    platform: Platform = Platform.UNIX,
) -> Facts:
    """The facts of one anomaly. `entities`: user, src_ip, dst_ip and host; `written`: its deterministic record."""
    values = {**details, **{name: entities.get(name) for name in ENTITIES}}
    lines = tuple(line.decode("utf-8", "replace") for line in evidence)
    texts = [value for value in values.values() if isinstance(value, str)]
    return Facts(
        subject_id=anomaly_id,
        kind="anomaly",
        detectors=(detector,),
        severity=severity,
        score=score,
        time_us=time_us,
        values=MappingProxyType(values),
        lines=len(lines),
        techniques=tuple(techniques),
        written=written,
        platform=platform,
        summary=summary,
        guidance=guidance,
        evidence=lines,
        is_marked=any(instruction_in(text) is not None for text in (*texts, *lines)),
    )


def facts_of_incident(
    *,
    incident_id: str,
    severity: str,
    score: float,
    time_us: int,
    members: Sequence[Facts],
    entities: Sequence[tuple[str, str]],
    written: Explanation,
) -> Facts:
    """The facts of an incident from those of its anomalies, the worst first; `written`: its deterministic note."""
    values: dict[str, Scalar] = {"anomalies": len(members)}
    for kind, name in entities:
        values.setdefault(kind if kind not in values else f"{kind}_{len(values)}", name)
    shown = members[:MOST_CITED]
    return Facts(
        subject_id=incident_id,
        kind="incident",
        detectors=tuple(dict.fromkeys(name for member in members for name in member.detectors)),
        severity=severity,
        score=score,
        time_us=time_us,
        values=MappingProxyType(values),
        lines=len(shown),
        techniques=tuple(dict.fromkeys(item for member in members for item in member.techniques)),
        written=written,
        platform=shown[0].platform if shown else Platform.UNIX,
        members=tuple(member.written.headline for member in shown),
        member_values=tuple(
            (name, value) for member in shown for name, value in member.values.items() if isinstance(value, str)
        ),
        is_marked=any(member.is_marked for member in members),
    )
