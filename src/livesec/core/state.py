"""Keyed state: one slot of columns per entity, bounded by least-recent use per virtual shard.

The index maps a 64-bit key to a slot by open addressing with linear probing, and threads the slots of each of the 256
virtual shards into a list, most recently touched first. Kernels call `touch` per row, so eviction happens in row order
and depends on nothing but the order of keys: the same for any batching, worker count, save and restore.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from livesec.core.hashing import Keys
from livesec.core.jit import inner_kernel, kernel
from livesec.core.rows import SHARDS
from livesec.core.state_parts import ColumnSpec as ColumnSpec  # noqa: PLC0414 - who uses a state declares columns
from livesec.core.state_parts import StatePart, merged, pack_part, specs_of, unpack_part

_NONE = -1
_USED, _FREE, _EPOCH = 0, 1, 2  # places in Index.meta: slots ever used, first of the freed slots, saves so far


class Index(NamedTuple):
    """The arrays behind a KeyedState, as kernels take them."""

    table_keys: NDArray[np.uint64]  # (table size,) 0 where empty
    table_slots: NDArray[np.int32]  # (table size,)
    slot_keys: NDArray[np.uint64]  # (capacity,)
    newer: NDArray[np.int32]  # (capacity,) neighbour towards the most recent, also links freed slots
    older: NDArray[np.int32]  # (capacity,)
    stamps: NDArray[np.int64]  # (capacity,) epoch of the last touch
    newest: NDArray[np.int32]  # (256,)
    oldest: NDArray[np.int32]  # (256,)
    counts: NDArray[np.int32]  # (256,) slots in use
    limit: NDArray[np.int32]  # (1,) slots allowed per shard
    meta: NDArray[np.int64]  # (3,)


@inner_kernel
def _place_of(index: Index, key: np.uint64) -> int:
    mask = len(index.table_keys) - 1
    place = int(np.int64(key & np.uint64(mask)))  # int() alone means nothing to numba
    while index.table_keys[place] != np.uint64(0) and index.table_keys[place] != key:
        place = (place + 1) & mask
    return place


@kernel
def find(index: Index, key: np.uint64) -> int:
    """The slot of `key`, or -1; changes nothing."""
    place = _place_of(index, key)
    return int(index.table_slots[place]) if index.table_keys[place] == key else _NONE


@inner_kernel
def _unlink(index: Index, slot: int, shard: int) -> None:
    newer, older = index.newer[slot], index.older[slot]
    if newer == _NONE:
        index.newest[shard] = older
    else:
        index.older[newer] = older
    if older == _NONE:
        index.oldest[shard] = newer
    else:
        index.newer[older] = newer


@inner_kernel
def _link_newest(index: Index, slot: int, shard: int) -> None:
    head = index.newest[shard]
    index.newer[slot] = _NONE
    index.older[slot] = head
    if head == _NONE:
        index.oldest[shard] = slot
    else:
        index.newer[head] = slot
    index.newest[shard] = slot


@inner_kernel
def remove(index: Index, slot: int) -> None:
    """Forget the key in `slot`; the slot may be given to another key."""
    key = index.slot_keys[slot]
    shard = int(np.int64(key >> np.uint64(56)))
    mask = len(index.table_keys) - 1
    hole = _place_of(index, key)
    place = hole
    while True:  # backward-shift deletion keeps every probe chain whole
        place = (place + 1) & mask
        if index.table_keys[place] == np.uint64(0):
            break
        home = np.int64(index.table_keys[place] & np.uint64(mask))
        if ((place - home) & mask) >= ((place - hole) & mask):
            index.table_keys[hole] = index.table_keys[place]
            index.table_slots[hole] = index.table_slots[place]
            hole = place
    index.table_keys[hole] = np.uint64(0)
    _unlink(index, slot, shard)
    index.counts[shard] -= 1
    index.slot_keys[slot] = np.uint64(0)
    index.newer[slot] = index.meta[_FREE]
    index.meta[_FREE] = slot


@kernel
def touch(index: Index, key: np.uint64) -> tuple[int, bool]:
    """(slot, fresh) of `key`, made the most recent of its shard; fresh: the slot's values are another's leftovers.

    The caller initialises every value column of a fresh slot. `key` must not be 0, and `reserve` must have been called
    for the batch's keys.
    """
    shard = int(np.int64(key >> np.uint64(56)))
    place = _place_of(index, key)
    if index.table_keys[place] == key:
        slot = int(np.int64(index.table_slots[place]))
        if index.newest[shard] != slot:
            _unlink(index, slot, shard)
            _link_newest(index, slot, shard)
        index.stamps[slot] = index.meta[_EPOCH]
        return slot, False
    if index.counts[shard] >= index.limit[0]:
        remove(index, int(np.int64(index.oldest[shard])))
        place = _place_of(index, key)
    if index.meta[_FREE] != _NONE:
        slot = int(index.meta[_FREE])
        index.meta[_FREE] = index.newer[slot]
    else:
        slot = int(index.meta[_USED])
        index.meta[_USED] += 1
    index.table_keys[place] = key
    index.table_slots[place] = slot
    index.slot_keys[slot] = key
    index.counts[shard] += 1
    _link_newest(index, slot, shard)
    index.stamps[slot] = index.meta[_EPOCH]
    return slot, True


@kernel
def _missing_keys(index: Index, keys: Keys, out: Keys) -> int:
    missing = 0
    for row in range(len(keys)):
        key = keys[row]
        if key != np.uint64(0) and index.table_keys[_place_of(index, key)] != key:
            out[missing] = key
            missing += 1
    return missing


@kernel
def _touch_all(index: Index, keys: Keys) -> None:
    for row in range(len(keys)):
        touch(index, keys[row])


@kernel
def _slots_oldest_first(index: Index, first: int, end: int, out: NDArray[np.int32]) -> None:
    at = 0
    for shard in range(first, end):
        slot = index.oldest[shard]
        while slot != _NONE:
            out[at] = slot
            at += 1
            slot = index.newer[slot]


@kernel
def _changed_slots(index: Index, out: NDArray[np.int32]) -> int:
    """Slots touched in this epoch, in the order of `_slots_oldest_first`: they are the newest of their shards."""
    at = 0
    for shard in range(len(index.newest)):
        slot = index.newest[shard]
        first = _NONE
        while slot != _NONE and index.stamps[slot] == index.meta[_EPOCH]:
            first = slot
            slot = index.older[slot]
        slot = first
        while slot != _NONE:
            out[at] = slot
            at += 1
            slot = index.newer[slot]
    return at


@kernel
def _expire_before(index: Index, times_us: NDArray[np.int64], before_us: int) -> int:
    freed = 0
    for shard in range(len(index.oldest)):
        while index.oldest[shard] != _NONE and times_us[index.oldest[shard]] < before_us:
            remove(index, int(np.int64(index.oldest[shard])))
            freed += 1
    return freed


class KeyedState:
    """Values per entity key. `state["level"]` is the column's array, indexed by the slot that `touch` gives.

    Parameters
    ----------
    columns : name to numpy type, or (type, width)
    max_keys : bound on entities over all shards; the least recently seen of a shard makes way
    """

    def __init__(self, columns: Mapping[str, ColumnSpec], max_keys: int = 1 << 20) -> None:
        self._specs = specs_of(columns)
        self.max_keys = max_keys
        self._allocate(1 << 10)

    def _allocate(self, capacity: int) -> None:
        self._allocate_index(capacity)
        self._columns = {name: self._new_column(name, capacity) for name in self._specs}

    def _allocate_index(self, capacity: int) -> None:
        self.index = Index(
            table_keys=np.zeros(2 * capacity, dtype=np.uint64),
            table_slots=np.zeros(2 * capacity, dtype=np.int32),
            slot_keys=np.zeros(capacity, dtype=np.uint64),
            newer=np.full(capacity, _NONE, dtype=np.int32),
            older=np.full(capacity, _NONE, dtype=np.int32),
            stamps=np.zeros(capacity, dtype=np.int64),
            newest=np.full(SHARDS, _NONE, dtype=np.int32),
            oldest=np.full(SHARDS, _NONE, dtype=np.int32),
            counts=np.zeros(SHARDS, dtype=np.int32),
            limit=np.array([self._limit], dtype=np.int32),
            meta=np.array([0, _NONE, 0], dtype=np.int64),
        )

    def _new_column(self, name: str, capacity: int) -> NDArray[np.generic]:
        dtype, width = self._specs[name]
        return np.zeros((capacity, width) if width else capacity, dtype=dtype)

    @property
    def _limit(self) -> int:
        return max(1, self.max_keys // SHARDS)

    def __len__(self) -> int:
        return int(self.index.counts.sum())

    def __getitem__(self, column: str) -> NDArray[np.generic]:
        return self._columns[column]

    @property
    def column_names(self) -> frozenset[str]:
        """The names of its value columns."""
        return frozenset(self._specs)

    def slots_in_use(self) -> NDArray[np.bool_]:
        """Which slots hold a key's values, shape (capacity,)."""
        return np.asarray(self.index.slot_keys != 0)

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays."""
        arrays: list[NDArray[np.generic]] = [*self.index, *self._columns.values()]
        return sum(array.nbytes for array in arrays)

    def reserve(self, keys: Keys) -> None:
        """Make room for every new key in `keys`, so that kernels never need to grow an array."""
        capacity = len(self.index.slot_keys)
        in_use = len(self)
        if in_use + len(keys) <= capacity:
            return
        missing = np.empty_like(keys)
        count = _missing_keys(self.index, keys, missing)
        needed = in_use + len(np.unique(missing[:count]))
        if needed <= capacity:
            return
        needed = min(needed, self._limit * SHARDS)
        if needed > capacity:
            self._rebuild(1 << (needed - 1).bit_length())

    def _slots(self, first: int = 0, end: int = SHARDS) -> NDArray[np.int32]:
        """The slots in use of shards `first` to before `end`, by shard, least recently touched first."""
        slots = np.empty(int(self.index.counts[first:end].sum()), dtype=np.int32)
        _slots_oldest_first(self.index, first, end, slots)
        return slots

    def _fill(self, keys: Keys, values: Mapping[str, NDArray[np.generic]]) -> None:
        _touch_all(self.index, keys)  # into an empty index: slot i is keys[i]
        for name, array in values.items():
            self._columns[name][: len(keys)] = array

    def _rebuild(self, capacity: int) -> None:
        slots = self._slots()
        keys, stamps, epoch = self.index.slot_keys[slots], self.index.stamps[slots], self.index.meta[_EPOCH]
        self._allocate_index(capacity)
        _touch_all(self.index, keys)  # into an empty index: slot i is keys[i]
        for name, old in self._columns.items():  # one after the other: states are large
            new = self._new_column(name, capacity)
            new[: len(keys)] = old[slots]
            self._columns[name] = new
        self.index.stamps[: len(keys)] = stamps
        self.index.meta[_EPOCH] = epoch

    def expire(self, before_us: int, column: str = "last_us") -> int:
        """Free the keys whose `column` is below `before_us`, oldest first per shard; returns how many."""
        return int(_expire_before(self.index, self._columns[column].view(np.int64), before_us))

    def to_bytes(self, shards: range = range(SHARDS)) -> bytes:
        """All keys and values of `shards` (one after the other), as one part for `load_parts`."""
        return self._part(self._slots(shards.start, shards.stop), {"shards": list(shards)})

    def changes_to_bytes(self) -> tuple[bytes, int]:
        """What `mark_saved` has not covered, as one part for `load_parts`, and how many keys it holds.

        Keys touched since, and the shards' counts. That is enough: touched keys are the newest of their shard's order
        of use, and keys only ever go at its other end, as eviction and expiry take them.
        """
        slots = np.empty(len(self), dtype=np.int32)
        changed = slots[: _changed_slots(self.index, slots)]
        return self._part(changed, {"counts": self.index.counts.tolist()}), len(changed)

    def mark_saved(self) -> None:
        """From now on changes are those that come after this."""
        self.index.meta[_EPOCH] += 1

    def _part(self, slots: NDArray[np.int32], head: dict[str, list[int]]) -> bytes:
        return pack_part(
            StatePart(
                keys=self.index.slot_keys[slots],
                values={name: array[slots] for name, array in self._columns.items()},
                shards=head.get("shards"),
                counts=head.get("counts"),
            )
        )

    def load(self, blob: bytes) -> None:
        """Replace the content by what `to_bytes` wrote. Errors as `load_parts`."""
        self.load_parts([blob])

    def load_parts(self, blobs: Sequence[bytes]) -> None:
        """Replace the content by what parts say together, in the order in which they were saved.

        Raises StateVersionError where the layout is another one, ValueError where the bytes are damaged.
        """
        keys, values = merged([unpack_part(blob, self._specs) for blob in blobs], self._specs, self._limit)
        self._allocate(1 << max(10, (len(keys) - 1).bit_length() if len(keys) else 0))
        self._fill(keys, values)
        self.mark_saved()
