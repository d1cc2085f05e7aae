"""The packet forest: an isolation forest over five figures of a packet, and how it is trained.

IsolationForest(contamination=0.1, n_estimators=100, random_state=42) on src_port, dst_port, packet_size, duration_ms
and protocol_UDP, as the network_multi_template seed has it. Training is the only place that needs scikit-learn.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from livesec.models.forest import LEAF, Forest
from livesec.models.score_tail import ScoreTail, tail_of

if TYPE_CHECKING:
    from sklearn.ensemble import IsolationForest  # type: ignore[import-untyped]

FEATURES: Final = ("src_port", "dst_port", "packet_size", "duration_ms", "protocol_UDP")
SAMPLES: Final = 1_000
MIN_SAMPLES: Final = 200
CONTAMINATION: Final = 0.1
TREES: Final = 100
RANDOM_STATE: Final = 42


@dataclass(frozen=True)
class PacketForest:
    """A trained forest, what its scores mean, and where it comes from."""

    forest: Forest
    offset: float
    """The seed's threshold: CONTAMINATION of the training samples score less."""
    tail: ScoreTail
    middle: tuple[float, ...]
    """The median of each of FEATURES in what it was trained on."""
    trained_on: str
    samples: int
    sklearn_version: str

    def scores(self, samples: NDArray[np.float32]) -> NDArray[np.float64]:
        """The score of each of `samples` (n, 5), shape (n,), in [-1, 0); the lower, the odder."""
        return self.forest.score_samples(samples)

    def oddest(self, samples: NDArray[np.float32]) -> NDArray[np.int64]:
        """What makes each of `samples` (n, 5) odd most, shape (n,): the feature whose median would mend it best."""
        mended = np.empty((len(FEATURES), len(samples)))
        for number, value in enumerate(self.middle):
            changed = samples.copy()
            changed[:, number] = value
            mended[number] = self.scores(changed)
        return np.asarray(np.argmax(mended, axis=0), dtype=np.int64)


def features(
    src_ports: ArrayLike, dst_ports: ArrayLike, sizes: ArrayLike, durations_ms: ArrayLike, is_udp: ArrayLike
) -> NDArray[np.float32]:
    """The columns (n,) as samples (n, 5), in the order of FEATURES."""
    columns = [np.asarray(column, dtype=np.float32) for column in (src_ports, dst_ports, sizes, durations_ms, is_udp)]
    return np.column_stack(columns)


def train(samples: NDArray[np.float32], calibration: NDArray[np.float32], trained_on: str) -> PacketForest:
    """A forest of `samples` (n, 5), whose scores of `calibration` (k, 5) say what is rare.

    Best these are others than those it was trained on, which it knows too well. Raises ValueError for fewer than
    MIN_SAMPLES of either, or where all are alike.
    """
    if len(samples) < MIN_SAMPLES:
        raise ValueError(f"{len(samples)} packets are too few to train on; {MIN_SAMPLES} are the least")
    import sklearn  # type: ignore[import-untyped]  # noqa: PLC0415 - a second that only training needs
    from sklearn.ensemble import IsolationForest  # noqa: PLC0415

    fitted = IsolationForest(contamination=CONTAMINATION, n_estimators=TREES, random_state=RANDOM_STATE)
    fitted.fit(samples)
    forest = flattened(fitted)
    return PacketForest(
        forest=forest,
        offset=float(fitted.offset_),
        tail=tail_of(forest.score_samples(calibration)),
        middle=tuple(np.median(samples.astype(np.float64), axis=0).tolist()),
        trained_on=trained_on,
        samples=len(samples),
        sklearn_version=str(sklearn.__version__),
    )


def flattened(fitted: IsolationForest) -> Forest:
    """The trees of a fitted IsolationForest whose trees see all features."""
    trees = [estimator.tree_ for estimator in fitted.estimators_]
    roots = np.cumsum([0, *(tree.node_count for tree in trees[:-1])]).astype(np.int32)
    unit = len(trees) * float(_added_depth(np.array([fitted.max_samples_]))[0])
    return Forest(
        roots=roots,
        feature=_joined([np.maximum(tree.feature, LEAF) for tree in trees], np.int8),
        threshold=_joined([np.where(tree.feature >= 0, tree.threshold, 0.0) for tree in trees], np.float64),
        left=_joined([tree.children_left + root for tree, root in zip(trees, roots, strict=True)], np.int32),
        right=_joined([tree.children_right + root for tree, root in zip(trees, roots, strict=True)], np.int32),
        depth=_joined([_leaf_depths(tree) for tree in trees], np.float64),
        unit=unit,
    )


def _joined(parts: list[NDArray[Any]], dtype: type[np.generic]) -> NDArray[Any]:
    return np.concatenate(parts).astype(dtype)


def _leaf_depths(tree: Any) -> NDArray[np.float64]:
    """What each leaf of a tree adds to the sum of depths, shape (nodes,), 0 for inner nodes; sklearn's sum in order."""
    lengths = np.ones(tree.node_count)  # nodes on the way, the root and the node itself counted
    for node in range(tree.node_count):  # parents come before their children
        if tree.feature[node] >= 0:
            lengths[tree.children_left[node]] = lengths[tree.children_right[node]] = lengths[node] + 1.0
    depths = lengths + _added_depth(tree.n_node_samples) - 1.0
    return np.where(tree.feature >= 0, 0.0, depths)


def _added_depth(samples: NDArray[np.int64]) -> NDArray[np.float64]:
    """The mean depth of an isolation tree over so many samples, shape of `samples`; equation 1 of the paper.

    >>> _added_depth(np.array([1, 2, 3])).round(3).tolist()
    [0.0, 1.0, 1.207]
    """
    n = np.maximum(np.asarray(samples, dtype=np.float64), 3.0)
    many = 2.0 * (np.log(n - 1.0) + np.euler_gamma) - 2.0 * (n - 1.0) / n
    return np.where(samples <= 1, 0.0, np.where(samples == 2, 1.0, many))  # noqa: PLR2004 - a pair is parted by one step
