"""Places by name at which a test kills the process, to see what a crash there leaves behind.

`LIVESEC_FAULT_POINT=name` ends the process with SIGKILL the first time it comes to that place, `name:3` the third time.
Without it `reach` compares one variable with None.
"""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from typing import Final, NamedTuple

VARIABLE: Final = "LIVESEC_FAULT_POINT"


class FaultPoint(NamedTuple):
    """A place in the code, and what has and has not happened there."""

    name: str
    meaning: str


FAULT_POINTS: Final = (
    FaultPoint("store.creating", "tables and version made, their transaction not committed"),
    FaultPoint("store.created", "an empty store is on disk, its mirror has no name yet"),
    FaultPoint("store.mirror_named", "the mirror's name is stored, its file not opened yet"),
    FaultPoint("store.mirror_cut", "the mirror has its committed length again, nothing else has happened"),
    FaultPoint("migration.begun", "an older store was recognised, nothing done"),
    FaultPoint("migration.backed_up", "its backup is complete, the store itself untouched"),
    FaultPoint("migration.inside", "every table has its new layout, the transaction not committed"),
    FaultPoint("migration.done", "the new layout is on disk"),
    FaultPoint("recovery.begun", "the engine is empty, saved state not read"),
    FaultPoint("recovery.restored", "the engine has the saved state, no journalled batch since"),
    FaultPoint("recovery.between", "a journalled batch has gone through the engine, perhaps not the last"),
    FaultPoint("recovery.done", "the engine is level with the store, nothing new read"),
    FaultPoint("batch.read", "lines are in memory, nothing has seen them"),
    FaultPoint("batch.processed", "the engine is ahead of the store by a batch"),
    FaultPoint("commit.mirror_appended", "the mirror is longer than its committed length, no transaction begun"),
    FaultPoint("commit.positions", "in the transaction: positions written"),
    FaultPoint("commit.journal", "in the transaction: the batch's bytes written too"),
    FaultPoint("commit.results", "in the transaction: anomalies, incidents, risk, counts and rejects written too"),
    FaultPoint("commit.gaps", "in the transaction: gaps written too"),
    FaultPoint("commit.meta", "in the transaction: all written, not committed"),
    FaultPoint("commit.done", "the transaction is on disk, memory still says what was before"),
    FaultPoint("positions.ready", "streams appeared, moved or ended without a batch; nothing stored"),
    FaultPoint("positions.stored", "the same, stored"),
    FaultPoint("snapshot.taken", "changed state is in memory as bytes and counts as saved there, not stored"),
    FaultPoint("snapshot.inside", "in its transaction: parts written and journal pruned, not committed"),
    FaultPoint("snapshot.stored", "the snapshot is on disk, the reader has not gone on"),
    FaultPoint("alerts.shown", "alerts are on the console, not marked as delivered"),
    FaultPoint("alerts.marking", "in the transaction: marked as delivered, not committed"),
    FaultPoint("shutdown.begun", "asked to stop: the batch in hand is stored, state not saved"),
    FaultPoint("shutdown.saved", "state is saved, the last sign of life is not"),
)
"""All of them, in the order of a life."""


@dataclass
class _Armed:
    name: str
    comings: int
    """How often the place is still to be reached before it kills."""

    def reached(self, name: str) -> None:
        if name == self.name:
            self.comings -= 1
            if self.comings == 0:
                os.kill(os.getpid(), signal.SIGKILL)


_armed: _Armed | None = None


def reach(name: str) -> None:
    """The process has come to the place `name`: it ends here if that is the armed one."""
    if _armed is not None:
        _armed.reached(name)


def arm(wanted: str | None) -> None:
    """Have the process killed at `wanted`, a name or `name:times`; None or empty: nowhere. Raises ValueError."""
    global _armed  # noqa: PLW0603 - the one switch of this process
    if not wanted:
        _armed = None
        return
    name, _, times = wanted.partition(":")
    if name not in {point.name for point in FAULT_POINTS} or not (times or "1").isdigit() or times == "0":
        names = ", ".join(point.name for point in FAULT_POINTS)
        raise ValueError(f"{VARIABLE}: {wanted!r} is no fault point; give NAME or NAME:TIMES, with NAME of {names}")
    _armed = _Armed(name, int(times or 1))


arm(os.environ.get(VARIABLE))
