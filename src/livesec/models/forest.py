"""An isolation forest as flat arrays, and its scores in compiled code.

    score = -2^(-mean depth / c)        in [-1, 0); the lower, the sooner a sample is alone in its leaf

Depths are sklearn's: the length of the path to the leaf, plus what a tree over the leaf's samples would add; c is the
mean depth of a tree over all samples that each was trained on. Scores equal `IsolationForest.score_samples` within
1e-12 (a test compares them). Source: Liu, Ting, Zhou: Isolation Forest, ICDM 2008.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from livesec.core.jit import kernel

LEAF: Final = -1
"""Feature of a node that asks nothing."""
MOST_LEVELS: Final = 64
"""Questions on the longest path: trees over 256 samples have 8."""
_BLOCK: Final = 256  # samples that go down a tree together, each on its way while the others wait for memory


class _Nodes(NamedTuple):
    """What the kernel walks on; leaves lead to themselves."""

    roots: NDArray[np.int32]
    feature: NDArray[np.int8]
    threshold: NDArray[np.float64]
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    depth: NDArray[np.float64]


@dataclass(frozen=True)
class Forest:
    """m nodes of all trees one after the other, each tree's root first and children behind their parent."""

    roots: NDArray[np.int32]
    """(trees,) the node that each tree begins with."""
    feature: NDArray[np.int8]
    """(m,) the column that is asked, LEAF for none."""
    threshold: NDArray[np.float64]
    """(m,) a sample whose value is this or less goes left."""
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    depth: NDArray[np.float64]
    """(m,) of a leaf: what it adds to the sum of depths; 0 elsewhere."""
    unit: float
    """c times the number of trees."""

    @cached_property
    def levels(self) -> int:
        """Questions on the longest path. Raises ValueError where there are more than MOST_LEVELS."""
        reached = self.roots
        for level in range(MOST_LEVELS + 1):
            asking = reached[self.feature[reached] != LEAF]
            if len(asking) == 0:
                return level
            reached = np.concatenate([self.left[asking], self.right[asking]])
        raise ValueError(f"a tree of more than {MOST_LEVELS} levels")

    @cached_property
    def _nodes(self) -> _Nodes:
        itself, is_leaf = np.arange(len(self.feature), dtype=np.int32), self.feature == LEAF
        return _Nodes(
            self.roots,
            np.maximum(self.feature, 0),
            self.threshold,
            np.where(is_leaf, itself, self.left),
            np.where(is_leaf, itself, self.right),
            self.depth,
        )

    def score_samples(self, samples: NDArray[np.float32]) -> NDArray[np.float64]:
        """The score of each of `samples` (n, features), shape (n,). NaN goes right, as it is not less than anything."""
        scores = np.empty(len(samples), dtype=np.float64)
        place = np.empty(_BLOCK, dtype=np.int32)
        _depths(self._nodes, self.levels, np.ascontiguousarray(samples, dtype=np.float32), place, scores)
        _to_scores(self.unit, scores)
        return scores


@kernel
def _depths(
    nodes: _Nodes, levels: int, samples: NDArray[np.float32], place: NDArray[np.int32], out: NDArray[np.float64]
) -> None:
    block = len(place)
    for start in range(0, len(out), block):
        count = min(block, len(out) - start)
        for row in range(count):
            out[start + row] = 0.0
        for tree in range(len(nodes.roots)):
            for row in range(count):
                place[row] = nodes.roots[tree]
            for _ in range(levels):
                for row in range(count):
                    node = place[row]
                    goes_left = samples[start + row, nodes.feature[node]] <= nodes.threshold[node]
                    place[row] = nodes.left[node] if goes_left else nodes.right[node]
            for row in range(count):
                out[start + row] += nodes.depth[place[row]]


@kernel
def _to_scores(unit: float, depths: NDArray[np.float64]) -> None:
    for row in range(len(depths)):  # one by one: a vector's power may round its last elements otherwise
        depths[row] = -(2.0 ** -(depths[row] / unit))
