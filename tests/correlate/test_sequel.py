"""What correlators remember: bounded, and gone when it cannot matter any more."""

from __future__ import annotations

import pytest
from tests.correlate.made import finding

from livesec.correlate import sequel
from livesec.correlate.sequel import Cause, Memory, merged


def cause(at_s: float) -> Cause:
    return Cause("bf_fast", int(at_s * 1e6), 1.0, (1, 2))


def test_what_is_older_than_twice_the_window_goes() -> None:
    memory = Memory("x", 60)
    for number in range(1000):
        memory.remember(f"user:{number}", cause(number))
        assert len(memory.causes) <= 122
    assert next(iter(memory.causes)) == "user:879"


def test_the_entity_written_least_recently_makes_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sequel, "MAX_ENTITIES", 2)
    memory = Memory("x", 60)
    for name in ("a", "b", "a", "c"):
        memory.remember(name, cause(0))
    assert list(memory.causes) == ["a", "c"]


def test_it_comes_back_from_its_bytes() -> None:
    memory = Memory("x", 60)
    memory.remember("user:eve", Cause("bf_fast", 5, 0.5, (1, 2), 7, "eve", 1, 2, 0.25))
    again = Memory.from_bytes("x", 60, memory.to_bytes())
    assert again.causes == memory.causes


@pytest.mark.parametrize(("apart_s", "since_s"), [(-61, None), (-60, 0.0), (0, 0.0), (5, 5.0)])
def test_a_sequel_may_be_a_minute_before_its_cause(apart_s: float, since_s: float | None) -> None:
    assert cause(100).since_s(int((100 + apart_s) * 1e6)) == since_s


def test_findings_come_in_the_order_of_lines() -> None:
    items = [finding("a", 3, 0, "192.0.2.1"), finding("b", 1, 0, "192.0.2.1"), finding("c", 2, 0, "192.0.2.1")]
    assert [item.sequence for item in merged(items, [])] == [1, 2, 3]
