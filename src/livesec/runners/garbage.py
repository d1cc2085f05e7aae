"""The garbage collector, told what a program that runs long is like."""

from __future__ import annotations

import gc

_NEW_OBJECTS = 20_000
_YOUNG_PASSES = 50


def settle_garbage_collection() -> None:
    """Call once start-up is over: what there is now stays, and what comes dies young, for it has no cycles.

    Looking through modules and compiled kernels again and again is a tenth of the time of a replay otherwise.
    """
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS, _YOUNG_PASSES)
