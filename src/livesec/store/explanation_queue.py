"""What waits for a model: bounded, ordered, in the store, so that it survives whatever ends the worker."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, delete, func, literal_column, or_, select, update
from sqlalchemy.dialects.sqlite import insert

from livesec.core.errors import UsageError
from livesec.core.severity import SEVERITIES
from livesec.store import tables as t
from livesec.store.explainer_counts import add_to_count
from livesec.store.second_writer import SecondWriter
from livesec.store.subjects import ANOMALY, Subject, find_subject

WAITING, WORKING = "waiting", "working"
_q = t.explanation_queue.c
_ROWID: ColumnElement[int] = literal_column("rowid")
_FIRST = (_q.by_person.desc(), _q.severity.desc(), _q.score.desc(), _q.number.desc())


@dataclass(frozen=True, slots=True)
class Item:
    """One view of one anomaly or incident that waits."""

    subject_id: str
    view: str
    kind: str
    is_default: bool
    by_person: bool
    severity: int
    """0 low to 3 critical."""
    score: float
    number: int
    attempts: int = 0
    rejected: int = 0

    @property
    def is_critical(self) -> bool:
        """Of the highest severity, for which a part of the budget is kept."""
        return self.severity == len(SEVERITIES) - 1


def item_of(subject: Subject, view: str, *, is_default: bool, by_person: bool) -> Item:
    """What to queue for `subject`."""
    return Item(subject.id, view, subject.kind, is_default, by_person, subject.severity, subject.score, subject.number)


def enqueue(connection: Connection, items: Sequence[Item]) -> None:
    """Let `items` wait; one that waits already keeps its attempts and takes the higher priority."""
    if not items:
        return
    new = insert(t.explanation_queue)
    later = new.on_conflict_do_update(
        index_elements=["subject_id", "view"],
        set_={
            "severity": new.excluded.severity,
            "score": new.excluded.score,
            "number": new.excluded.number,
            "by_person": func.max(_q.by_person, new.excluded.by_person),
            "is_default": func.max(_q.is_default, new.excluded.is_default),
            "due_us": func.iif(new.excluded.by_person, 0, _q.due_us),
        },
    )
    connection.execute(later, [_row(item) for item in items])


def _row(item: Item) -> dict[str, Any]:
    values = {name: getattr(item, name) for name in Item.__dataclass_fields__}
    return values | {"state": WAITING, "due_us": 0, "reason": ""}


def drop_overflow(connection: Connection, at_most: int) -> int:
    """Drop the least severe where more than `at_most` wait, counted; what a person asked for stays."""
    over = waiting_count(connection) - at_most
    if over <= 0:
        return 0
    last = (_q.severity, _q.score, _q.number)
    droppable = (
        select(t.explanation_queue.c.subject_id, t.explanation_queue.c.view)
        .where(_q.state == WAITING, ~_q.by_person)
        .order_by(*last)
        .limit(over)
    )
    rows = connection.execute(droppable).all()
    for row in rows:
        remove(connection, row.subject_id, row.view)
    add_to_count(connection, "dropped", len(rows))
    return len(rows)


def waiting_count(connection: Connection) -> int:
    """How many wait or are being worked on."""
    return int(connection.execute(select(func.count()).select_from(t.explanation_queue)).scalar_one())


def next_due(connection: Connection, at_us: int) -> Item | None:
    """The first that is due at `at_us`; None where there is none. Its search needs no lock: there is one worker."""
    row = connection.execute(
        select(*(getattr(_q, name) for name in Item.__dataclass_fields__))
        .where(_q.state == WAITING, _q.due_us <= at_us)
        .order_by(*_FIRST)
        .limit(1)
    ).first()
    return None if row is None else Item(**row._mapping)


def also_due(connection: Connection, item: Item, at_us: int, at_most: int) -> list[Item]:
    """What could be asked together with `item`: anomalies of its view that wait, are due and did not fail before."""
    rows = connection.execute(
        select(*(getattr(_q, name) for name in Item.__dataclass_fields__))
        .where(_q.state == WAITING, _q.due_us <= at_us, _q.attempts == 0, _q.rejected == 0)
        .where(_q.kind == ANOMALY, _q.view == item.view, _q.subject_id != item.subject_id)
        .order_by(*_FIRST)
        .limit(at_most)
    )
    return [Item(**row._mapping) for row in rows]


def begin_work(connection: Connection, item: Item) -> None:
    """`item` is being worked on from now on."""
    connection.execute(update(t.explanation_queue).where(_is(item.subject_id, item.view)).values(state=WORKING))


def take_up_again(connection: Connection, at_most: int) -> bool:
    """Some of what an earlier worker began or put off is due now, for the settings may be others; False: all is.

    For the worker's start, under its lock, until it gives False.
    """
    connection.execute(delete(t.model_flights))
    some = select(_ROWID).select_from(t.explanation_queue).where(or_(_q.state == WORKING, _q.due_us > 0)).limit(at_most)
    done = connection.execute(update(t.explanation_queue).where(_ROWID.in_(some)).values(state=WAITING, due_us=0))
    return done.rowcount == at_most


def postpone(
    connection: Connection, item: Item, due_us: int, reason: str, *, attempts: int = 0, rejected: int = 0
) -> None:
    """`item` waits again until `due_us`; `attempts` and `rejected` are added to its counts."""
    connection.execute(
        update(t.explanation_queue)
        .where(_is(item.subject_id, item.view))
        .values(
            state=WAITING,
            due_us=due_us,
            reason=reason,
            attempts=_q.attempts + attempts,
            rejected=_q.rejected + rejected,
        )
    )


def remove(connection: Connection, subject_id: str, view: str) -> None:
    """It waits no longer."""
    connection.execute(delete(t.explanation_queue).where(_is(subject_id, view)))


def _is(subject_id: str, view: str) -> Any:
    return and_(_q.subject_id == subject_id, _q.view == view)


def request_view(db: str, subject_id: str, view: str, at_once: bool = True) -> None:
    """Put a person's request into the queue, before everything else where `at_once`.

    A short transaction of its own. Raises UsageError for an id that is not in the store, LiveSecError.
    """
    store = SecondWriter(db)
    try:
        with store.writing() as connection:
            subject = find_subject(connection, subject_id)
            if subject is None:
                raise UsageError(f"{subject_id}: no such anomaly or incident in {store.path}")
            enqueue(connection, [item_of(subject, view, is_default=False, by_person=at_once)])
    finally:
        store.close()
