"""The rows that the desk's live streams show."""

from __future__ import annotations

import json

import polars as pl

from livesec.core.rows import Later, Rows, make_rows
from livesec.core.schema import LogType
from livesec.pipeline.recent import RecentRows


def rows_of(users: list[str]) -> Rows:
    count = len(users)
    places = {"event_time_us": [0] * count, "stream_id": [1] * count, "line_offset": list(range(count))}
    return make_rows(LogType.LOGIN, pl.DataFrame({"user": users, **places}))


def shown(recent: RecentRows) -> list[str]:
    return [json.loads(event.fields)["user"] for event in recent.drain()]


def test_the_last_rows_are_kept_however_they_came() -> None:
    recent = RecentRows(4)
    for users in (["a", "b", "c", "d", "e"], ["f"], ["g", "h"]):
        recent.add(rows_of(users))
    assert shown(recent) == ["e", "f", "g", "h"]
    assert recent.drain() == []


def test_columns_that_come_later_are_made_for_the_rows_shown_only() -> None:
    asked: list[int] = []

    def country(rows: Rows) -> dict[str, pl.Series]:
        asked.append(len(rows))
        return {"country": pl.Series(["NZ"] * len(rows))}

    recent = RecentRows(2)
    for users in (["a", "b", "c"], ["d", "e", "f"]):
        recent.add(rows_of(users).with_later(Later(frozenset({"country"}), country)))
    assert [json.loads(event.fields) for event in recent.drain()] == [
        {"user": "e", "country": "NZ"},
        {"user": "f", "country": "NZ"},
    ]
    assert asked == [2]
