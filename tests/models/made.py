"""Packet forests made in the test: one by hand, whose scores can be worked out, and trained ones."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from livesec.models.forest import LEAF, Forest
from livesec.models.packet_forest import PacketForest, features, train
from livesec.models.score_tail import ScoreTail
from livesec.simulate.packets import ordinary_packets


def packets(count: int, seed: int) -> NDArray[np.float32]:
    """Simulated packets as samples (count, 5)."""
    frame = ordinary_packets(count, seed)
    is_udp = (frame["protocol"] == "UDP").to_numpy()
    return features(frame["src_port"], frame["dst_port"], frame["packet_size"], frame["duration_ms"], is_udp)


@cache
def trained() -> PacketForest:
    """A forest of a thousand simulated packets."""
    return train(packets(1000, 1), packets(5000, 2), "a test's packets")


def by_hand() -> PacketForest:
    """One tree that asks two things: is the packet larger than 1,500 bytes, and if so, is the source port below 1,024?

    Depths 4, 2 and 1 over a unit of 4: ordinary packets score -0.5, large ones -2^-0.5 = -0.707, large ones from a low
    port -2^-0.25 = -0.841. One score in fifty is -0.6 or lower, by 0.02 in the mean: large packets are one in 10,600,
    large ones from a low port one in 8.5 million, of which a thousand scores let no more than 1 / 2002^2 be believed.
    """
    forest = Forest(
        roots=np.array([0], dtype=np.int32),
        feature=np.array([2, LEAF, 0, LEAF, LEAF], dtype=np.int8),
        threshold=np.array([1500.0, 0.0, 1023.0, 0.0, 0.0]),
        left=np.array([1, 0, 3, 0, 0], dtype=np.int32),
        right=np.array([2, 0, 4, 0, 0], dtype=np.int32),
        depth=np.array([0.0, 4.0, 0.0, 1.0, 2.0]),
        unit=4.0,
    )
    return PacketForest(
        forest,
        -0.65,
        ScoreTail(1000, -0.6, 0.02),
        (40_000.0, 443.0, 200.0, 20.0, 0.0),
        "nothing: made by hand",
        1000,
        "none",
    )
