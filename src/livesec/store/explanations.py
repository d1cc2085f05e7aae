"""Explanations that a model worded, or the reason why it did not: read by the desk, the commands and the tools."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, ScalarSelect, func, literal, select
from sqlalchemy.dialects.sqlite import insert

from livesec.core.clock import now_us
from livesec.core.explanation import Explanation
from livesec.store import tables as t
from livesec.store.explainer_counts import counts
from livesec.store.explanation_queue import waiting_count
from livesec.store.model_usage import TemplateUse, template_performance, usage
from livesec.store.subjects import Subject

__all__ = [
    "QueueSummary",
    "TemplateUse",
    "queue_summary",
    "sent_text",
    "shown_columns",
    "shown_explanation",
    "shown_from",
    "template_performance",
    "worded_explanation",
]
_e = t.explanations.c


@dataclass(frozen=True, slots=True)
class Wording:
    """What came of asking a model about one view of a subject."""

    subject: Subject
    view: str
    language: str
    is_default: bool
    record: Explanation | None
    """None: the deterministic text stays."""
    reason: str = ""
    """Why it stays."""
    cache_key: str | None = None
    sent: str | None = None
    """None where an answer was there already."""


def put_wording(connection: Connection, wording: Wording, at_us: int) -> None:
    """Keep `wording` in the place of the one before; one that failed does not replace one that stands."""
    new = insert(t.explanations)
    names = [column.name for column in t.explanations.c if not column.primary_key]
    changes: dict[str, Any] = {name: new.excluded[name] for name in names}
    changes["is_default"] = func.max(_e.is_default, new.excluded.is_default)
    if wording.record is None:
        changes = {name: changes[name] for name in ("members", "severity", "is_default", "reason")}
    connection.execute(
        new.on_conflict_do_update(index_elements=["subject_id", "view"], set_=changes),
        {
            "subject_id": wording.subject.id,
            "view": wording.view,
            "language": wording.language,
            "is_default": wording.is_default,
            "record": None if wording.record is None else wording.record.to_json(),
            "reason": wording.reason,
            "cache_key": wording.cache_key,
            "sent": wording.sent,
            "members": wording.subject.members,
            "severity": wording.subject.severity,
            "committed_us": at_us,
        },
    )


def worded_explanation(connection: Connection, subject_id: str, view: str) -> Explanation | None:
    """The model's wording of one view, or None where there is none."""
    row = connection.execute(select(_e.record).where(_e.subject_id == subject_id, _e.view == view)).first()
    return None if row is None or row.record is None else Explanation.from_json(row.record)


def _of_default_view(column: ColumnElement[Any], subject_id: Any) -> ScalarSelect[Any]:
    """`column` of the latest row about a subject's default view; a view that was the default once counts too."""
    queried = select(column).where(_e.subject_id == subject_id, _e.is_default)
    return queried.order_by(_e.record.is_(None), _e.committed_us.desc()).limit(1).scalar_subquery()


def shown_columns(subject_id: Any) -> tuple[ColumnElement[Any], ...]:
    """What `shown_from` needs, as columns of a query over subjects whose ids stand in the column `subject_id`."""
    queue = t.explanation_queue.c
    waits = select(queue.reason).where(queue.subject_id == subject_id, queue.is_default).limit(1).scalar_subquery()
    return (
        _of_default_view(_e.record, subject_id).label("worded"),
        _of_default_view(_e.reason, subject_id).label("kept_reason"),
        waits.label("waits_reason"),
    )


def shown_from(row: Row[Any], written: Explanation) -> Explanation:
    """What is shown where no view is chosen: the model's wording of the default view, else `written`.

    `written` then says why no model's words stand there, if one was asked or is to be asked. `row` has the columns of
    `shown_columns`.
    """
    if row.worded is not None:
        return Explanation.from_json(row.worded)
    if row.waits_reason is not None:
        reason = "waits for the model" + (f": {row.waits_reason}" if row.waits_reason else "")
    elif row.kept_reason is not None:
        reason = row.kept_reason
    else:
        return written
    return replace(written, provenance=replace(written.provenance, reason=reason))


def shown_explanation(connection: Connection, subject_id: str, written: Explanation) -> Explanation:
    """As `shown_from`, for one subject."""
    return shown_from(connection.execute(select(*shown_columns(literal(subject_id)))).one(), written)


def sent_text(connection: Connection, subject_id: str, view: str) -> str | None:
    """What was sent for it, or for the finding of the same kind whose answer it uses; None where nothing was."""
    row = connection.execute(select(_e.sent, _e.cache_key).where(_e.subject_id == subject_id, _e.view == view)).first()
    if row is None or row.sent is not None or row.cache_key is None:
        return None if row is None else row.sent
    kept = select(t.model_answers.c.sent).where(t.model_answers.c.cache_key == row.cache_key)
    return connection.execute(kept).scalar()


def worded_size(connection: Connection, subject_id: str, view: str) -> tuple[int, int] | None:
    """(members, severity 0 to 3) of a subject when a model was last asked about it; None where it never was."""
    row = connection.execute(
        select(_e.members, _e.severity).where(_e.subject_id == subject_id, _e.view == view)
    ).first()
    return None if row is None else (row.members, row.severity)


@dataclass(frozen=True, slots=True)
class QueueSummary:
    """The worker's queue and work in numbers."""

    waiting: int
    by_person: int
    """Of these, asked for by a person."""
    worked: int
    """Worded by a model since the store was made."""
    cached: int
    """Of these, from answers that were there already."""
    kept: int
    """Asked about in vain: the deterministic text stays."""
    dropped: int
    """Did not fit the queue."""
    calls_today: int
    tokens_today: int


def queue_summary(connection: Connection) -> QueueSummary:
    """As it stands now."""
    done, today = counts(connection), usage(connection, now_us())["day"]
    asked = select(func.count()).select_from(t.explanation_queue).where(t.explanation_queue.c.by_person)
    return QueueSummary(
        waiting=waiting_count(connection),
        by_person=int(connection.execute(asked).scalar_one()),
        worked=done.get("worked", 0),
        cached=done.get("cached", 0),
        kept=done.get("kept", 0),
        dropped=done.get("dropped", 0),
        calls_today=today.calls,
        tokens_today=today.tokens,
    )
