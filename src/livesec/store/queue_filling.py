"""What waits for a model because it was found: the worker follows the anomalies by their numbers.

The detection path writes nothing for it and knows nothing of it. An incident changes only when an anomaly joins it, so
those of the new anomalies are the ones to look at.
"""

from __future__ import annotations

from sqlalchemy import select

from livesec.core.anomaly import SUPPRESSED
from livesec.store import tables as t
from livesec.store.explainer_counts import CURSOR, counts, set_value
from livesec.store.explanation_queue import Item, drop_overflow, enqueue, item_of
from livesec.store.explanations import worded_size
from livesec.store.second_writer import SecondWriter
from livesec.store.subjects import ANOMALY, Subject, incident_subjects, severity_rank

PAGE_ROWS = 200
"""Looked at in one step: its transaction takes a millisecond or two."""
GROWTH = 2.0
"""An incident is worded anew when it has so many times the members, or is more severe."""


def fill_queue(store: SecondWriter, view: str, lowest: int, at_most: int) -> bool:
    """Queue what is new since the last step, from severity `lowest` (0 to 3) on; False where nothing was new.

    Historical and suppressed findings are left out. Where more than `at_most` wait, the least severe are dropped.
    """
    columns = t.anomalies.c
    with store.reading() as connection:
        rows = connection.execute(
            select(
                columns.number,
                columns.id,
                columns.severity,
                columns.score,
                columns.incident_id,
                columns.historical,
                columns.status,
            )
            .where(columns.number > counts(connection).get(CURSOR, 0))
            .order_by(columns.number)
            .limit(PAGE_ROWS)
        ).all()
        if not rows:
            return False
        heard = [row for row in rows if not row.historical and row.status != SUPPRESSED]
        subjects = [Subject(row.id, ANOMALY, severity_rank(row.severity), row.score, row.number) for row in heard]
        incidents = incident_subjects(connection, sorted({row.incident_id for row in heard if row.incident_id}))
        subjects += [item for item in incidents if _has_grown(item, worded_size(connection, item.id, view))]
    items: list[Item] = [
        item_of(subject, view, is_default=True, by_person=False) for subject in subjects if subject.severity >= lowest
    ]
    with store.writing() as connection:
        enqueue(connection, items)
        drop_overflow(connection, at_most)
        set_value(connection, CURSOR, rows[-1].number)
    return True


def _has_grown(incident: Subject, worded: tuple[int, int] | None) -> bool:
    if worded is None:
        return True
    members, severity = worded
    return incident.members >= GROWTH * members or incident.severity > severity
