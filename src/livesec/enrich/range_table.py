"""A value for each span of address numbers, found by binary search for many addresses at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from livesec.core.jit import inner_kernel, kernel
from livesec.enrich.address_numbers import Numbers

Value = TypeVar("Value", bound=np.generic)


@inner_kernel
def _put(edges: Numbers, at_edges: NDArray[Value], used: int, edge: np.uint64, value: Value) -> int:
    """Let `value` hold from `edge` on; returns how many edges are then in use."""
    if edges[used - 1] == edge:
        used -= 1
    if used == 0 or at_edges[used - 1] != value:
        edges[used], at_edges[used] = edge, value
        used += 1
    return used


@kernel
def _merge(starts: Numbers, ends: Numbers, values: NDArray[Value], edges: Numbers, at_edges: NDArray[Value]) -> int:
    nothing = at_edges[0]
    used, open_until = 1, np.uint64(0)
    for item in range(len(starts)):
        start, end = starts[item], ends[item]
        if end != np.uint64(0) and end <= start:
            continue
        if open_until != np.uint64(0) and open_until < start:
            used = _put(edges, at_edges, used, open_until, nothing)
        used = _put(edges, at_edges, used, start, values[item])
        open_until = end
    if open_until != np.uint64(0):
        used = _put(edges, at_edges, used, open_until, nothing)
    return used


class RangeTable(Generic[Value]):
    """`values[i]` holds from `starts[i]` up to `starts[i + 1]`; `starts` ascends from 0, shapes (m,)."""

    def __init__(self, starts: Numbers, values: NDArray[Value]) -> None:
        if len(starts) == 0 or starts[0] != 0 or not bool((starts[1:] > starts[:-1]).all()):
            raise ValueError("a range table starts at 0 and ascends")
        self.starts = starts
        self.values = values

    @classmethod
    def of_ranges(cls, starts: Numbers, ends: Numbers, values: NDArray[Value]) -> RangeTable[Value]:
        """From ranges [starts[i], ends[i]) in ascending order of their starts; an end of 0 stands for 2^64.

        A range ends where the next one starts, if that is earlier. Ranges with an end not above their start
        hold nothing, and may stand anywhere. Outside all ranges the value is 0.
        """
        edges = np.zeros(2 * len(starts) + 1, dtype=np.uint64)
        at_edges = np.zeros(len(edges), dtype=values.dtype)
        used = _merge(starts, ends, values, edges, at_edges)
        return cls(edges[:used].copy(), at_edges[:used].copy())

    @classmethod
    def of_spans(cls, spans: Sequence[tuple[int, int]], values: NDArray[Value]) -> RangeTable[Value]:
        """From a few spans (first, last), in any order and overlapping; the later in the sequence wins.

        Outside all spans the value is 0.
        """
        edges = {0} | {first for first, _ in spans} | {last + 1 for _, last in spans}
        starts = np.array(sorted(edge for edge in edges if edge < 1 << 64), dtype=np.uint64)
        at_starts = np.zeros(len(starts), dtype=values.dtype)
        for (first, last), value in zip(spans, values, strict=True):
            at_starts[(starts >= np.uint64(first)) & (starts <= np.uint64(last))] = value
        return cls(starts, at_starts)

    def find(self, numbers: Numbers) -> NDArray[Value]:
        """The value of each number, shape (n,)."""
        return self.values[np.searchsorted(self.starts, numbers, side="right") - 1]

    @property
    def nbytes(self) -> int:
        """Bytes of both arrays."""
        return self.starts.nbytes + self.values.nbytes
