"""Tools that list and count anomalies."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

from sqlalchemy import ColumnElement, Connection, func, select

from livesec.copilot.answer import Answer, Table, ToolError, table
from livesec.copilot.questions import CountBy, SearchAnomalies
from livesec.copilot.times import ALL, time_us
from livesec.core.clock import rfc3339, seed_time
from livesec.core.severity import SEVERITIES, Severity
from livesec.core.text import shown
from livesec.store import tables as t
from livesec.store.activity_queries import known_types
from livesec.store.anomaly_queries import AnomalyFilter, AnomalyRow, rows_where
from livesec.store.ask_queries import Group, count_groups, group_count, wanted_conditions

COLUMNS = ("id", "time_utc", "severity", "score", "type", "entity", "description", "incident")
PRIVATE_KINDS = {"user": "user", "src_ip": "ip", "dst_ip": "ip", "host": "host", "path": "path"}
"""Kind of pseudonym for what a column holds."""
_SPANS = ("hour", "day")


def scored(score: float) -> float:
    """A score of 0-100 as it is shown: 0.0 to 10.0."""
    return round(score / 10, 1)


def anomaly_table(rows: Iterable[AnomalyRow], name: str = "anomalies") -> Table:
    """One row per anomaly."""
    return table(
        name,
        COLUMNS,
        [
            (
                row.id,
                seed_time(row.time_us),
                row.severity,
                scored(row.score),
                row.type,
                row.entity,
                row.description,
                row.incident_id,
            )
            for row in rows
        ],
    )


def entity_names(entity_type: str, entity: str) -> list[tuple[str, str]]:
    """(kind, text) of the parts of an entity, as `src_ip|user` with `192.0.2.1|alice`.

    >>> entity_names("src_ip|user", "192.0.2.1|alice")
    [('ip', '192.0.2.1'), ('user', 'alice')]
    """
    kinds = entity_type.split("|")
    parts = entity.split("|", len(kinds) - 1)
    return [(PRIVATE_KINDS.get(kind, "user"), part) for kind, part in zip(kinds, parts, strict=False) if part]


def private_of(rows: Iterable[AnomalyRow]) -> tuple[tuple[str, str], ...]:
    """What names people and machines in a list of anomalies."""
    found: dict[tuple[str, str], None] = {}
    for row in rows:
        found |= dict.fromkeys(entity_names(row.entity_type, row.entity))
    return tuple(found)


def _filter(connection: Connection, question: SearchAnomalies | CountBy, now_us: int) -> AnomalyFilter:
    known = known_types(connection)
    for name in question.detectors:
        if name not in known:
            near = difflib.get_close_matches(name, known, 3, 0.5)
            hint = f"did you mean {', '.join(near)}?" if near else f"this store knows {', '.join(known[:40]) or 'none'}"
            raise ToolError(f"no detector is called {shown(name, 60)}; {hint}")
    worst_first = SEVERITIES[SEVERITIES.index(Severity(question.min_severity)) :]
    return AnomalyFilter(
        severities=() if len(worst_first) == len(SEVERITIES) else tuple(str(severity) for severity in worst_first),
        types=tuple(question.detectors),
        text=question.text,
        since_us=time_us(question.since, now_us),
        until_us=time_us(question.until, now_us),
    )


def _conditions(question: SearchAnomalies | CountBy, wanted: AnomalyFilter) -> list[ColumnElement[bool]]:
    return wanted_conditions(wanted, None if question.log_type == "any" else question.log_type)


def window_words(since: str, until: str, now_us: int) -> str:
    """The window in words, spans with their start.

    >>> window_words("24h", "all", 1_772_409_600_000_000)
    'since 2026-03-01 00:00:00 UTC'
    """
    words = []
    for word, text in (("since", since), ("until", until)):
        at = time_us(text, now_us)
        if text != ALL and at is not None:
            words.append(f"{word} {seed_time(at)} UTC")
    return " ".join(words) or "in the whole store"


def _wanted_words(question: SearchAnomalies | CountBy) -> str:
    """What the anomalies of an answer have in common, in words."""
    place = SEVERITIES.index(Severity(question.min_severity))
    words = "" if place == 0 else " of severity " + " or ".join(str(name) for name in SEVERITIES[place:])
    if question.log_type != "any":
        words += f" in {question.log_type} logs"
    if question.detectors:
        words += f" by {', '.join(question.detectors)}"
    return words + (f' with "{shown(question.text, 80)}"' if question.text else "")


def search_anomalies(connection: Connection, question: SearchAnomalies, now_us: int) -> Answer:
    """The latest found first."""
    wanted = _filter(connection, question, now_us)
    conditions = _conditions(question, wanted)
    rows = rows_where(connection, conditions, question.limit)
    count = connection.execute(select(func.count()).select_from(t.anomalies).where(*conditions)).scalar_one()
    window = window_words(question.since, question.until, now_us)
    return Answer(
        f"{count:,d} {'anomaly' if count == 1 else 'anomalies'}{_wanted_words(question)} {window}",
        facts={"in_all": int(count), "shown": len(rows)},
        tables=(anomaly_table(rows),),
        ids=tuple(dict.fromkeys([row.id for row in rows] + [row.incident_id for row in rows if row.incident_id])),
        private=private_of(rows),
    )


def count_by(connection: Connection, question: CountBy, now_us: int) -> Answer:
    """Counts by a column."""
    wanted = _filter(connection, question, now_us)
    conditions = _conditions(question, wanted)
    groups = count_groups(connection, question.column, conditions, question.limit)
    in_all = connection.execute(select(func.count()).select_from(t.anomalies).where(*conditions)).scalar_one()
    values = group_count(connection, question.column, conditions)
    window = window_words(question.since, question.until, now_us)
    kind = PRIVATE_KINDS.get(question.column)
    private = [(kind or "user", str(group.value)) for group in groups if group.value is not None]
    return Answer(
        f"{in_all:,d} anomalies{_wanted_words(question)} by {question.column} {window}",
        facts={"anomalies": int(in_all), "values": values},
        tables=(_group_table(question.column, groups),),
        private=tuple(private) if kind or question.column == "entity" else (),
    )


def _group_table(column: str, groups: Sequence[Group]) -> Table:
    def value_of(group: Group) -> object:
        if column in _SPANS:
            return rfc3339(int(group.value or 0))[:16].replace("T", " ")
        return "(unknown)" if group.value is None else group.value

    rows = [(value_of(group), group.anomalies, scored(group.worst), seed_time(group.latest_us)) for group in groups]
    return table(
        "counts", (f"{column}_utc" if column in _SPANS else column, "anomalies", "worst_score", "latest_utc"), rows
    )
