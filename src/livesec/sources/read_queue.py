"""Which streams have something to read: each in its turn, a rotated file before the one that took its place."""

from __future__ import annotations

from collections import OrderedDict


class ReadQueue:
    """Stream ids in the order in which to read them."""

    def __init__(self) -> None:
        self._waiting: OrderedDict[int, None] = OrderedDict()
        self._before: dict[int, int] = {}

    def __contains__(self, stream_id: int) -> bool:
        return stream_id in self._waiting

    def add(self, stream_id: int, *, first: bool = False) -> None:
        """At the end, or `first` at the front; where it is already it stays, unless it is to be first."""
        self._waiting.setdefault(stream_id, None)
        if first:
            self._waiting.move_to_end(stream_id, last=False)

    def discard(self, stream_id: int) -> None:
        """Out of the queue."""
        self._waiting.pop(stream_id, None)

    def hold_back(self, stream_id: int, until_read: int) -> None:
        """`stream_id` comes only while `until_read` has nothing to read."""
        self._before[stream_id] = until_read

    def pop(self) -> int | None:
        """The next stream, which leaves the queue; None when there is none."""
        while self._waiting:
            stream_id, _ = self._waiting.popitem(last=False)
            earlier = self._before.get(stream_id)
            if earlier is None:
                return stream_id
            if earlier not in self._waiting:
                del self._before[stream_id]
                return stream_id
            self._waiting[stream_id] = None
        return None
