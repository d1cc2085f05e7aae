"""Remembers which answer each address got, so that a lookup costs tens of nanoseconds per row.

Only a memo: what it holds never changes a result, so it needs no saving and may be cleared at any time.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from livesec.core.hashing import Keys
from livesec.core.jit import inner_kernel, kernel

MAX_KEYS: Final = 1 << 20  # 29 MB; then it starts afresh
_FIRST_CAPACITY: Final = 1 << 12
_ROWS_AT_ONCE: Final = 1 << 16


@inner_kernel
def _place_of(table_keys: Keys, key: np.uint64) -> np.int64:
    mask = len(table_keys) - 1
    place = np.int64(key & np.uint64(mask))
    while table_keys[place] != np.uint64(0) and table_keys[place] != key:
        place = (place + 1) & mask
    return place


@kernel
def _number_keys(
    table_keys: Keys,
    table_numbers: NDArray[np.int32],
    used: int,
    keys: Keys,
    numbers: NDArray[np.int32],
    first_rows: NDArray[np.int64],
) -> int:
    """Number each row's key, new keys from `used` on; returns how many were new, `first_rows` says where."""
    fresh = 0
    for row in range(len(keys)):
        key = keys[row]
        if key == np.uint64(0):
            numbers[row] = 0
            continue
        place = _place_of(table_keys, key)
        if table_keys[place] != key:
            table_keys[place], table_numbers[place] = key, np.int32(used + fresh)
            first_rows[fresh] = row
            fresh += 1
        numbers[row] = table_numbers[place]
    return fresh


@kernel
def _move(old_keys: Keys, old_numbers: NDArray[np.int32], keys: Keys, numbers: NDArray[np.int32]) -> None:
    for old in range(len(old_keys)):
        if old_keys[old] != np.uint64(0):
            place = _place_of(keys, old_keys[old])
            keys[place], numbers[place] = old_keys[old], old_numbers[old]


class AddressMemo:
    """Answers (whole numbers >= 0) by key. Key 0, "no address", has answer 0 from the start."""

    def __init__(self, max_keys: int = MAX_KEYS) -> None:
        self._max_keys = max_keys
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        self._keys = np.zeros(2 * _FIRST_CAPACITY, dtype=np.uint64)
        self._numbers = np.zeros(2 * _FIRST_CAPACITY, dtype=np.int32)
        self._answers = np.zeros(_FIRST_CAPACITY, dtype=np.int32)
        self._used = 1
        self._is_asking = False

    def __len__(self) -> int:
        return self._used - 1

    def _make_room(self, rows: int) -> None:
        if self._used + rows > self._max_keys:
            self.clear()
        needed = self._used + rows
        if needed <= len(self._answers):
            return
        capacity = 1 << (needed - 1).bit_length()
        keys, numbers = np.zeros(2 * capacity, dtype=np.uint64), np.zeros(2 * capacity, dtype=np.int32)
        _move(self._keys, self._numbers, keys, numbers)
        self._keys, self._numbers = keys, numbers
        self._answers = np.append(self._answers, np.zeros(capacity - len(self._answers), dtype=np.int32))

    def fill(self, keys: Keys, answers: NDArray[np.int32]) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int32]]]:
        """Write the answer of each row into `answers`, shape (n,), asking the caller for those not known.

        Yields (rows, blanks): one row for each new key, and an array of that length into which the caller
        writes their answers before it goes on.
        """
        if self._is_asking:  # the caller failed to answer: its new keys have no answers
            self.clear()
        step = max(1, min(_ROWS_AT_ONCE, self._max_keys // 2))
        for start in range(0, len(keys), step):
            part = slice(start, min(start + step, len(keys)))
            rows = part.stop - start
            self._make_room(rows)
            numbers, first_rows = np.empty(rows, dtype=np.int32), np.empty(rows, dtype=np.int64)
            fresh = int(_number_keys(self._keys, self._numbers, self._used, keys[part], numbers, first_rows))
            if fresh:
                blanks = np.zeros(fresh, dtype=np.int32)
                self._is_asking = True
                yield first_rows[:fresh] + start, blanks
                self._is_asking = False
                self._answers[self._used : self._used + fresh] = blanks
                self._used += fresh
            np.take(self._answers, numbers, out=answers[part])
