"""An isolation forest as flat arrays, and its scores in compiled code.

    score = -2^(-mean depth / c)        in [-1, 0); the lower, the sooner a sample is alone in its leaf

Depths are sklearn's: the length of the path to the leaf, plus what a tree over the leaf's samples would add; c is the
mean depth of a tree over all samples that each was trained on. Scores equal `IsolationForest.score_samples` within
1e-12 (a test compares them). Source: Liu, Ting, Zhou: Isolation Forest, ICDM 2008.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livesec.core.jit import kernel

LEAF = -1
"""Feature of a node that asks nothing."""


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


@kernel
def _depths(
    roots: NDArray[np.int32],
    feature: NDArray[np.int8],
    threshold: NDArray[np.float64],
    left: NDArray[np.int32],
    right: NDArray[np.int32],
    depth: NDArray[np.float64],
    samples: NDArray[np.float32],
    out: NDArray[np.float64],
) -> None:
    for row in range(len(out)):
        out[row] = 0.0
    for tree in range(len(roots)):  # one after the other: a tree's nodes stay in the cache
        for row in range(len(out)):
            node = int(np.int64(roots[tree]))
            while feature[node] >= 0:
                value = np.float64(samples[row, feature[node]])
                node = int(np.int64(left[node] if value <= threshold[node] else right[node]))
            out[row] += depth[node]


@kernel
def _to_scores(unit: float, depths: NDArray[np.float64]) -> None:
    for row in range(len(depths)):  # one by one: a vector's power may round its last elements otherwise
        depths[row] = -(2.0 ** -(depths[row] / unit))


def score_samples(forest: Forest, samples: NDArray[np.float32]) -> NDArray[np.float64]:
    """The score of each of `samples` (n, features), shape (n,). NaN goes right, as it is not less than anything."""
    scores = np.empty(len(samples), dtype=np.float64)
    _depths(
        forest.roots,
        forest.feature,
        forest.threshold,
        forest.left,
        forest.right,
        forest.depth,
        np.ascontiguousarray(samples, dtype=np.float32),
        scores,
    )
    _to_scores(forest.unit, scores)
    return scores
