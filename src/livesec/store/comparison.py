"""Two runs over the same logs, compared: which anomalies only one of them has, and which changed their severity.

An anomaly's id names its finding (stream, line, detector, entity, reason), so it is the same in every run over the same
files at the same paths.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import select

from livesec.core.clock import rfc3339
from livesec.core.severity import SEVERITIES
from livesec.store import tables as t
from livesec.store.open import reader_engine


@dataclass(frozen=True, slots=True)
class Seen:
    """What an anomaly is told by."""

    id: str
    time: str
    type: str
    severity: str
    description: str


@dataclass(frozen=True)
class Comparison:
    """Against the earlier run; each in the order of the new or, for what vanished, of the earlier one."""

    appeared: tuple[Seen, ...]
    vanished: tuple[Seen, ...]
    louder: tuple[Seen, ...]
    """With the severity that they have now."""
    quieter: tuple[Seen, ...]
    kept: int
    """Anomalies that both runs have with the same severity."""

    def as_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self)


def compare(earlier: str, later: str) -> Comparison:
    """The store `later` against the store `earlier`. Raises LiveSecError where one is none."""
    before, after = _anomalies(earlier), _anomalies(later)
    rank = {str(severity): place for place, severity in enumerate(SEVERITIES)}
    both = [(before[key], now) for key, now in after.items() if key in before]
    return Comparison(
        appeared=tuple(now for key, now in after.items() if key not in before),
        vanished=tuple(then for key, then in before.items() if key not in after),
        louder=tuple(now for then, now in both if rank[now.severity] > rank[then.severity]),
        quieter=tuple(now for then, now in both if rank[now.severity] < rank[then.severity]),
        kept=sum(now.severity == then.severity for then, now in both),
    )


def _anomalies(db: str) -> Mapping[str, Seen]:
    columns = t.anomalies.c
    wanted = select(columns.id, columns.time_us, columns.type, columns.severity, columns.description)
    with reader_engine(db).connect() as connection:
        return {
            row.id: Seen(row.id, rfc3339(row.time_us), row.type, row.severity, row.description)
            for row in connection.execute(wanted.order_by(columns.number))
        }
