"""A stream's own time: the running maximum of its events' times, which one wrong or forged time cannot move far.

    confirmed c, shown s, last unconfirmed jump j; per event time t

    t <= c + 1 h            c <- max(c, t);              s <- max(s, c);        j <- none
    t >  c + 1 h, no j      unconfirmed: c stays;        s <- c + 1 h;          j <- t
    t >  c + 1 h, j known   both are beyond, so time did go on: c <- min(j, t), then t is judged again

The time shown is thus at most an hour ahead of what two events in a row agree on, and never goes back, but for one
case: 64 events in a row that are more than a day before c set it back to the latest of them. A forged first time
would otherwise stop the clock for good.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from livesec.core.jit import kernel

JUMP_US = 3_600_000_000  # our choice: the longest quiet spell after which an event is taken at its word
BEHIND_US = 86_400_000_000  # our choice: later than logs arrive late
BEHIND_EVENTS = 64  # our choice: more than a shipper replays out of order

_NONE = np.iinfo(np.int64).min
_CONFIRMED, _SHOWN, _JUMPED, _BEHIND, _BEHIND_LATEST = range(5)


def new_clock() -> NDArray[np.int64]:
    """The state before the first event: int64 of shape (5,)."""
    return np.array([_NONE, _NONE, _NONE, 0, _NONE], dtype=np.int64)


@kernel
def _advance(state: NDArray[np.int64], times_us: NDArray[np.int64], out_us: NDArray[np.int64]) -> None:
    for row in range(len(times_us)):
        time = times_us[row]
        if state[_CONFIRMED] == _NONE:
            state[_CONFIRMED] = time
            state[_SHOWN] = time
        if time < state[_CONFIRMED] - BEHIND_US:
            state[_BEHIND_LATEST] = max(state[_BEHIND_LATEST], time)
            state[_BEHIND] += 1
        else:
            state[_BEHIND_LATEST] = _NONE
            state[_BEHIND] = 0
        if state[_BEHIND] >= BEHIND_EVENTS:
            state[_CONFIRMED] = state[_BEHIND_LATEST]
            state[_SHOWN] = state[_BEHIND_LATEST]
            state[_BEHIND_LATEST] = _NONE
            state[_BEHIND] = 0
        if time > state[_CONFIRMED] + JUMP_US and state[_JUMPED] != _NONE:
            state[_CONFIRMED] = min(state[_JUMPED], time)
        if time > state[_CONFIRMED] + JUMP_US:
            state[_JUMPED] = time
            state[_SHOWN] = max(state[_SHOWN], state[_CONFIRMED] + JUMP_US)
        else:
            state[_JUMPED] = _NONE
            state[_CONFIRMED] = max(state[_CONFIRMED], time)
            state[_SHOWN] = max(state[_SHOWN], state[_CONFIRMED])
        out_us[row] = state[_SHOWN]


def advance(state: NDArray[np.int64], times_us: NDArray[np.int64]) -> NDArray[np.int64]:
    """The stream's time at each event, shape (n,), in us since 1970 UTC; `times_us` (n,) in order. Changes `state`.

    >>> hour = 3_600_000_000
    >>> (advance(new_clock(), np.array([0, 9, 900, 1, 2]) * hour) // hour).tolist()  # 900 confirms that 9 was right
    [0, 1, 10, 10, 10]
    """
    out_us = np.empty(len(times_us), dtype=np.int64)
    _advance(state, times_us, out_us)
    return out_us
