"""Text in a log that looks like instructions to a language model: somebody expects one to read what they typed.

Sees user names, paths, client names, DNS names, rule names and the like, in logs of all types, that tell a model to
drop its orders, to take a role, to give a verdict, or that open a new turn of its talk (core/instruction_text). Misses
instructions in plain prose, ciphers, other languages, and text in columns that no format fills. Nothing here
asks a model, and such text changes no score or status of anything: it is an attack on whoever reads the log with a
model's help, and a sign that what stands beside it was not written for people. Evidence of other anomalies with such
text is marked, and no answer about it is kept.

Reported for each address (or account, or machine) at once and then on fourfold growth; a day's pause begins anew.
Nothing is learnt, so that nobody can make it usual. Source: COPILOT "Hostile input"; OWASP LLM01, MITRE ATLAS
AML.T0051 (LLM prompt injection), which in ATT&CK is nearest to impairing defences.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import polars as pl

from livesec.baselines.growth import GROWTH
from livesec.core.clock import US_PER_S
from livesec.core.errors import StateVersionError
from livesec.core.finding import Finding, Scalar
from livesec.core.human_units import time_text
from livesec.core.instruction_text import SHORTEST, SIEVE, instruction_in
from livesec.core.protocols import Correlator, Guidance, param
from livesec.core.rows import Rows, network_64
from livesec.core.schema import LogType
from livesec.correlate.sequel import Event, events, raised

FIELDS: Mapping[LogType, Mapping[str, str]] = {
    LogType.LOGIN: {
        "user": "user name",
        "client": "client name",
        "host": "host name",
        "service": "service name",
        "key_id": "key",
        "reason": "reason",
    },
    LogType.NETWORK: {"query": "DNS name", "app": "protocol name", "rule": "rule name", "host": "host name"},
    LogType.FILE_TRANSFER: {
        "path": "path",
        "old_path": "former path",
        "user": "user name",
        "destination": "destination",
        "host": "host name",
    },
}
"""The columns that are looked at, in this order, and what they are called: what others than the log's writer fill."""

SHOWN_CHARACTERS = 128  # as the co-pilot's fields
MAX_ENTITIES = 4096
_EVIDENCE_KEPT = 7
_FEW = 64  # distinct texts that are sooner judged than sieved
_VERSION = 1


@dataclass(frozen=True)
class Params:
    """When it is new again."""

    quiet_s: float = param(86_400.0, "s", "our choice: a day's pause makes it news", minimum=60)


@dataclass(slots=True)
class _Episode:
    first_us: int
    last_us: int
    total: int = 0
    report_at: int = 0
    evidence: list[int] = field(default_factory=list)


State = dict[tuple[str, str], _Episode]
"""By (entity type, entity), the least recent first."""


class InstructionText(Correlator[Params, State]):
    """Looks through the texts of all rows."""

    name = "instruction_text"
    log_type = LogType.LOGIN
    technique = ("T1562",)
    base_severity = 47
    params = Params
    summary = "A {field} reads like instructions to a language model ({kind}): {text}"
    guidance = Guidance(
        meaning="Somebody wrote text for a language model into a field that others read: to be taken for harmless, or "
        "to make a model do something. LiveSec's own findings do not depend on a model, and this text changes none.",
        usual="Nothing is usual here: names, paths and clients do not speak to models. Such texts from there so far: "
        "{times:,}, within {span}.",
        benign=(
            "a security test, or a researcher who scans everybody",
            "a file, page or project about language models whose name quotes such a phrase",
        ),
        next_steps=(
            "Read the line as it is, not a summary that a model made of it.",
            "What else came from there: did a login, an upload or a request succeed?",
            "Do other tools here hand log lines to a model (a chat, a ticket system, a summary)? Then look at what "
            "they did after this line.",
        ),
        commands=("log_of_address", "logins_of_address", "log_of_user", "who_is_on"),
        would_change=(
            "Worse: the same source logged in, uploaded something, or a tool that reads logs acted on the text.",
            "Harmless: a test that somebody here ordered, or a file whose owner works on language models.",
        ),
    )

    def initial(self) -> State:
        """Nobody has written any."""
        return {}

    def step(self, state: State, findings: Sequence[Finding], rows: Mapping[LogType, Rows]) -> list[Finding]:
        """A finding at the first such text of an entity, and on growth."""
        seen = [item for log_type in rows if log_type in FIELDS for item in _written(rows[log_type])]
        seen.sort(key=lambda item: (item[0].sequence, item[0].row_in_line))
        judged = (self._judge(state, *item) for item in seen)
        return [finding for finding in judged if finding is not None]

    def _judge(self, state: State, event: Event, called: str, text: str, kind: str) -> Finding | None:
        entity = _entity(event)
        now_us = event.stream_time_us
        episode = state.pop(entity, None)
        if episode is None or now_us - episode.last_us >= int(self.p.quiet_s * US_PER_S):
            episode = _Episode(now_us, now_us)
        state[entity] = episode
        if len(state) > MAX_ENTITIES:
            del state[next(iter(state))]
        episode.last_us = max(episode.last_us, now_us)
        episode.total += 1
        before = list(episode.evidence)
        episode.evidence = [*(line for line in before if line != event.address), event.address][-_EVIDENCE_KEPT:]
        if episode.total < episode.report_at:
            return None
        episode.report_at = GROWTH * episode.total
        details: dict[str, Scalar] = {
            "field": called,
            "kind": kind,
            "text": text[:SHOWN_CHARACTERS],
            "characters": len(text),
            "times": episode.total,
            "span_s": (episode.last_us - episode.first_us) / US_PER_S,
            "span": time_text((episode.last_us - episode.first_us) / US_PER_S),
        }
        return raised(self, event, *entity, kind, details, before)

    def to_bytes(self, state: State) -> bytes:
        """JSON."""
        rows = [
            [*entity, item.first_us, item.last_us, item.total, item.report_at, item.evidence]
            for entity, item in state.items()
        ]
        return json.dumps({"version": _VERSION, "episodes": rows}).encode()

    def from_bytes(self, blob: bytes) -> State:
        """What `to_bytes` wrote. Raises StateVersionError."""
        saved = json.loads(blob)
        if saved["version"] != _VERSION:
            raise StateVersionError(f"{self.name}: saved state of version {saved['version']}")
        return {(kind, entity): _Episode(*values) for kind, entity, *values in saved["episodes"]}


def _entity(event: Event) -> tuple[str, str]:
    """Who wrote it, as far as the row tells: the address, else the account or the machine."""
    address = None if event.src_ip is None else network_64(event.src_ip)
    named = {"src_ip": address, "user": event.user, "host": event.host}
    return next(((name, value) for name, value in named.items() if value is not None), ("log", event.log_type))


def _written(rows: Rows) -> Iterator[tuple[Event, str, str, str]]:
    """(row, name of the field, its text, kind) of each row with such a text: the first of its fields."""
    found: dict[int, tuple[str, str, str]] = {}
    columns = pl.DataFrame([rows.column(column) for column in FIELDS[rows.log_type]])
    longest = columns.select(pl.all().str.len_bytes().max()).row(0)
    for (column, called), most in zip(FIELDS[rows.log_type].items(), longest, strict=True):
        texts = columns[column]
        kinds = _kinds(texts) if (most or 0) >= SHORTEST else {}
        if kinds:
            for place in np.flatnonzero(texts.is_in(list(kinds)).fill_null(False).to_numpy()).tolist():
                text = str(texts[place])
                found.setdefault(place, (called, text, kinds[text]))
    places = sorted(found)
    for event, place in zip(events(rows, np.array(places, dtype=np.int64)), places, strict=True):
        yield event, *found[place]


def _kinds(texts: pl.Series) -> dict[str, str]:
    """The kind of each of `texts` that reads like instructions."""
    distinct = texts.filter(texts.str.len_bytes() >= SHORTEST).unique()
    if len(distinct) > _FEW:
        distinct = distinct.filter(distinct.str.contains(SIEVE))
    judged = {text: _kind(text) for text in distinct.to_list()}
    return {text: kind for text, kind in judged.items() if kind is not None}


@lru_cache(maxsize=1 << 13)
def _kind(text: str) -> str | None:
    """As `instruction_in`; clients and folders come again and again."""
    return instruction_in(text)


CORRELATOR = InstructionText
