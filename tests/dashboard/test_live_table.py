"""Which rows a growing table shows while one of them is being read."""

from __future__ import annotations

from dataclasses import dataclass

from livesec.dashboard.live_table import Shown, rows_to_show


@dataclass(frozen=True)
class Row:
    id: str


def rows(*ids: str) -> list[Row]:
    return [Row(row_id) for row_id in ids]


HELD = Shown("all", rows("b", "a"))


def test_without_a_selection_new_rows_appear_at_once() -> None:
    assert rows_to_show(HELD, "all", rows("c", "b", "a"), None) == (rows("c", "b", "a"), 0)


def test_while_a_row_is_selected_new_rows_wait_and_are_counted() -> None:
    assert rows_to_show(HELD, "all", rows("d", "c", "b", "a"), "a") == (rows("b", "a"), 2)


def test_rows_that_left_the_list_stay_while_they_are_held() -> None:
    assert rows_to_show(HELD, "all", rows("c", "b"), "a") == (rows("b", "a"), 1)


def test_another_question_lets_go() -> None:
    assert rows_to_show(HELD, "critical only", rows("c"), "a") == (rows("c"), 0)


def test_a_selection_that_is_not_shown_holds_nothing() -> None:
    assert rows_to_show(HELD, "all", rows("c", "b", "a"), "z") == (rows("c", "b", "a"), 0)
    assert rows_to_show(None, "all", rows("a"), "a") == (rows("a"), 0)
