"""A model's answers to questions without any value in them, kept for the next finding of the same kind.

A key that is being asked about now has a flight: whoever else needs the same answer waits for that one.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, select
from sqlalchemy.dialects.sqlite import insert

from livesec.core.clock import US_PER_DAY
from livesec.store import tables as t

TTL_US = 7 * US_PER_DAY
MOST_ANSWERS = 5_000
"""About 6 kB each; the oldest go."""


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """An answer as the model gave it, placeholders and all. It is checked again each time it is used."""

    body: str
    """JSON of WireAnswer."""
    rung: str
    sent: str
    """The question."""


def kept_answer(connection: Connection, key: str, now_us: int) -> KeptAnswer | None:
    """The answer of `key`, if it is not too old."""
    columns = t.model_answers.c
    row = connection.execute(
        select(columns.body, columns.rung, columns.sent).where(
            columns.cache_key == key, columns.created_us > now_us - TTL_US
        )
    ).first()
    return None if row is None else KeptAnswer(row.body, row.rung, row.sent)


def keep_answer(
    connection: Connection, key: str, answer: KeptAnswer, now_us: int, most_answers: int = MOST_ANSWERS
) -> None:
    """Keep an answer that passed the checks; makes room where there are `most_answers`."""
    new = insert(t.model_answers)
    values = {"body": new.excluded.body, "rung": new.excluded.rung, "sent": new.excluded.sent}
    connection.execute(
        new.on_conflict_do_update(index_elements=["cache_key"], set_=values | {"created_us": new.excluded.created_us}),
        {"cache_key": key, "body": answer.body, "rung": answer.rung, "sent": answer.sent, "created_us": now_us},
    )
    columns = t.model_answers.c
    connection.execute(delete(t.model_answers).where(columns.created_us <= now_us - TTL_US))
    over = int(connection.execute(select(func.count()).select_from(t.model_answers)).scalar_one()) - most_answers
    if over > 0:
        oldest = select(columns.cache_key).order_by(columns.created_us).limit(over)
        connection.execute(delete(t.model_answers).where(columns.cache_key.in_(oldest)))


def forget_answer(connection: Connection, key: str) -> None:
    """An answer that the checks of a later finding refused is not offered again."""
    connection.execute(delete(t.model_answers).where(t.model_answers.c.cache_key == key))


def begin_flight(connection: Connection, key: str, now_us: int, until_us: int) -> bool:
    """Take the right to ask about `key` until then; False where somebody asks already."""
    columns = t.model_flights.c
    connection.execute(delete(t.model_flights).where(columns.until_us <= now_us))
    new = insert(t.model_flights).on_conflict_do_nothing()
    return connection.execute(new, {"cache_key": key, "until_us": until_us}).rowcount == 1


def end_flight(connection: Connection, key: str) -> None:
    """It was answered, or not."""
    connection.execute(delete(t.model_flights).where(t.model_flights.c.cache_key == key))
