"""Keys of parts of an entity that stay in the entity's own virtual shard, so it is forgotten alike on any worker."""

from __future__ import annotations

import numpy as np

from livesec.core.hashing import Keys, combine_keys

_SHARD_BITS = np.uint64(0xFF << 56)


def sub_keys(keys: Keys, parts: Keys) -> Keys:
    """One key for each entity and part, (n,); 0 where either is 0.

    >>> made = sub_keys(np.array([7 << 56 | 5, 0], dtype=np.uint64), np.array([1, 1], dtype=np.uint64))
    >>> int(made[0]) >> 56, int(made[1])
    (7, 0)
    """
    joint = np.empty(len(keys), dtype=np.uint64)
    combine_keys(keys, parts, joint)
    return np.where(joint != 0, (joint & ~_SHARD_BITS) | (keys & _SHARD_BITS), joint)
