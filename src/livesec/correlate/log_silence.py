"""A log that falls silent while others go on: logging switched off, an agent killed, a disk full.

Sees a source of lines (log type, host and service) that spoke regularly for three days and then is not heard of for six
times its longest pause, and an hour at least, while time goes on in other streams. That longest pause is of the last
two to four weeks, so a log that is silent at night or on weekends has had those pauses. Misses sources that are rarely
heard of, a silence as long as usual pauses, and one that all share: total silence is no finding but a state of health.
Whoever makes the pauses longer step by step hides a longer silence later: a reported one teaches a quarter at most.

Time here is the progress of all streams together: what their latest stream time gains, at most ten minutes a line, so
that a machine that was off, a clock that is ahead and an old file that is read make nobody silent. Streams may be read
in turns, after a pause of the reader each for hours of its time: a silence counts once the other streams had their
turns, that is when one of them comes again after another. Where there is only one other stream, the silence must be
twice as long. Source: ATT&CK T1562.006; Elastic's "host stopped sending logs" rules; the factors are our choice.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass, field, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from livesec.core.clock import US_PER_DAY, US_PER_S
from livesec.core.errors import StateVersionError
from livesec.core.finding import Finding, Scalar
from livesec.core.human_units import time_text
from livesec.core.protocols import Correlator, Guidance, param
from livesec.core.rows import Rows
from livesec.core.schema import LogType
from livesec.correlate.sequel import events, raised
from livesec.correlate.silent_sources import Lines, Source, lines_of

MAX_SOURCES = 256
TICK_S = 60
TICK_US = TICK_S * US_PER_S
_STEP_US = 10 * TICK_US  # progress that one line can make
_EPOCH_US = 14 * US_PER_DAY  # the longest pause is of this and the last epoch
_FORGET_TICKS = 30 * 24 * 60  # a month: what is silent for longer is gone
_TEACHES = 1.25  # how much longer a reported silence makes the longest pause
_VERSION = 1


@dataclass(frozen=True)
class Params:
    """What is regular, and how long is silent."""

    events: int = param(100, "events", "our choice: fewer are no rhythm", minimum=2)
    learn_s: float = param(3 * 86_400.0, "s", "our choice: three nights", minimum=3600)
    factor: float = param(6.0, "ratio", "our choice: a weekend is less than six nights", minimum=1)
    least_s: float = param(3600.0, "s", "our choice: an hour", minimum=60)


@dataclass
class State:
    """Sources by name; progress of all streams together; sources that may be silent, with the streams seen since."""

    sources: dict[str, Source] = field(default_factory=dict)
    top_us: int | None = None
    progress_us: int = 0
    waiting: dict[str, list[int]] = field(default_factory=dict)


class LogSilence(Correlator[Params, State]):
    """Watches the pauses of each source by the time of the others."""

    name = "log_silence"
    log_type = LogType.LOGIN
    technique = ("T1562.006",)
    base_severity = 47
    params = Params
    summary = "{source} has written nothing for {silent} while other logs go on; its longest pause was {longest}"
    guidance = Guidance(
        meaning="A log that was regular has stopped. Whoever does not want to be seen stops logging first.",
        usual="{source} has been silent for {silent}; in {events:,} events it lately never paused for more than "
        "{longest}, and a silence is told from {limit} on.",
        benign=(
            "a service that was stopped, moved or renamed",
            "a holiday, for a log that only people fill",
            "a full disk, or a log shipper that hangs",
        ),
        commands=("log_daemons", "disk", "restarts"),
        next_steps=(
            "The evidence has the source's last line: what happened on that machine just before and after?",
            "Does the machine answer, and does the service still run? Then only its log has stopped.",
            "Who logged in there last, and with which rights?",
            "If somebody stopped the log: take the machine off the network before you start the log again.",
        ),
        would_change=(
            "the log was stopped or emptied by hand, or logins came just before the last line: then somebody hides",
            "further logs of the same machine that stopped in the same minutes while it runs: then look there first",
            "the machine or the service was switched off or moved, or its disk is full: then it is harmless",
        ),
    )

    def initial(self) -> State:
        """Nothing was heard."""
        return State()

    def step(self, state: State, findings: Sequence[Finding], rows: Mapping[LogType, Rows]) -> list[Finding]:
        """A finding for each source that has been silent too long, once per silence."""
        lines = lines_of(rows)
        if lines is None:
            return []
        ticks = self._progress(state, lines)
        found: list[Finding] = []
        start = end = 0
        while end < len(ticks):
            start, tick = end, int(ticks[end])
            end = int(np.searchsorted(ticks, self._calm_until(state, tick), side="right"))
            if end > start and self._hear_all(state, lines, ticks, start, end):
                continue
            end = int(np.searchsorted(ticks, tick, side="right"))
            heard = lines.of_each(start, end)
            self._suspect(state, tick)
            for at, name in self._confirmed(state, lines, tick, start, end, heard):
                found.append(self._finding(state.sources[name], rows, lines, at, tick, name))
            for name, own in heard.items():
                self._hear(state, name, lines, own, ticks[own])
        return found

    def _calm_until(self, state: State, tick: int) -> int:
        """The last tick, from `tick` on, up to which no source can be silent too long; before `tick` if one may be.

        Whoever speaks in these ticks has `least_s` from then on.
        """
        if state.waiting:
            return tick - 1
        return min(
            tick + self._least(),
            min(
                (
                    source.tick + (_FORGET_TICKS if source.reported else self._limit(source))
                    for source in state.sources.values()
                    if source.reported or self._is_regular(source)
                ),
                default=tick + self._least(),
            ),
        )

    def _hear_all(self, state: State, lines: Lines, ticks: NDArray[np.int64], start: int, end: int) -> bool:
        """Hear the lines in [start, end), none too late; not where there may be too many sources."""
        heard = lines.of_each(start, end)
        if len(state.sources.keys() | heard.keys()) > MAX_SOURCES:
            return False
        for name, own in heard.items():
            self._hear(state, name, lines, own, ticks[own])
        return True

    @staticmethod
    def _progress(state: State, lines: Lines) -> NDArray[np.int64]:
        """The tick of each line."""
        times = lines.times
        top = np.maximum.accumulate(times if state.top_us is None else np.maximum(times, state.top_us))
        before = np.concatenate(([times[0] if state.top_us is None else state.top_us], top[:-1]))
        progress = state.progress_us + np.cumsum(np.minimum(top - before, _STEP_US))
        state.top_us, state.progress_us = int(top[-1]), int(progress[-1])
        return np.asarray(progress // TICK_US, dtype=np.int64)

    def _limit(self, source: Source) -> int:
        """Ticks of silence that are too many."""
        return max(self._least(), int(self.p.factor * source.longest))

    def _least(self) -> int:
        return int(self.p.least_s * US_PER_S) // TICK_US

    def _is_regular(self, source: Source) -> bool:
        return source.events >= self.p.events and source.span_us >= self.p.learn_s * US_PER_S

    def _suspect(self, state: State, tick: int) -> None:
        for name, source in list(state.sources.items()):
            if source.reported and tick - source.tick > _FORGET_TICKS:
                del state.sources[name]
                continue
            if self._is_regular(source) and not source.reported and tick - source.tick > self._limit(source):
                state.waiting.setdefault(name, [])

    def _confirmed(
        self, state: State, lines: Lines, tick: int, start: int, end: int, heard: Mapping[str, NDArray[np.int64]]
    ) -> Iterator[tuple[int, str]]:
        """(position, source) of each silence that is sure now, in the order of lines."""
        sure = []
        for name, seen in list(state.waiting.items()):
            source = state.sources[name]
            until = int(heard[name][0]) if name in heard else end
            at = self._sure_at(source, seen, lines, tick, start, until)
            if at is not None:
                source.reported = True
                sure.append((at, name))
            if at is not None or until < end:
                del state.waiting[name]
        yield from sorted(sure)

    def _sure_at(self, source: Source, seen: list[int], lines: Lines, tick: int, start: int, until: int) -> int | None:
        """The line in [start, until) at which the silence is sure; notes the streams that spoke."""
        for at in lines.turns(start, until):
            stream = int(lines.streams[at])
            if stream == source.stream_id or stream in seen[:-1]:
                return at
            if stream not in seen:
                seen.append(stream)
            if len(seen) == 1 and tick - source.tick > 2 * self._limit(source):
                return at
        return None

    def _hear(self, state: State, name: str, lines: Lines, own: NDArray[np.int64], ticks: NDArray[np.int64]) -> None:
        """Take the lines `own` (n,) of a source; `ticks` (n,) are theirs."""
        times, last = lines.times[own], int(own[-1])
        source = state.sources.get(name)
        if source is None:
            if not self._room(state, int(ticks[0])):
                return
            source = Source(int(times[0]), int(times[0]), int(ticks[0]), int(times[0]) // _EPOCH_US)
            state.sources[name] = source
        latest = np.maximum.accumulate(np.maximum(times, source.last_us))
        pause = max((int(latest[0]) - source.last_us) // TICK_US, int(ticks[0]) - source.tick)
        if source.reported:
            pause = min(pause, int(source.longest * _TEACHES) + 1)
        source.learn(pause, int(latest[0]) // _EPOCH_US)
        if (
            latest[-1] - latest[0] >= TICK_US or ticks[-1] > ticks[0]
        ):  # in a tick, it may be weeks: a file that is behind
            pauses = np.maximum((latest[1:] - latest[:-1]) // TICK_US, ticks[1:] - ticks[:-1])
            for start, end in _runs(latest[1:] // _EPOCH_US):
                source.learn(int(pauses[start:end].max()), int(latest[start + 1]) // _EPOCH_US)
        source.reported = False
        source.events += len(times)
        source.last_us, source.tick = int(latest[-1]), int(ticks[-1])
        source.stream_id, source.line = int(lines.streams[last]), int(lines.addresses[last])

    @staticmethod
    def _room(state: State, tick: int) -> bool:
        """Make room for another source; those that are silent stay for as long as that is news."""
        if len(state.sources) < MAX_SOURCES:
            return True
        spare = [
            (source.tick, name)
            for name, source in state.sources.items()
            if source.tick < tick and not source.reported and name not in state.waiting
        ]
        if spare:
            del state.sources[min(spare)[1]]
        return bool(spare)

    def _finding(
        self, source: Source, rows: Mapping[LogType, Rows], lines: Lines, at: int, tick: int, name: str
    ) -> Finding:
        log_type, host, service = json.loads(name)
        of, position = lines.place(at)
        (row,) = events(rows[of], np.array([position], dtype=np.int64))
        said = " ".join(word for word in (service or f"the {log_type} log", "on" if host else "", host or "") if word)
        details: dict[str, Scalar] = {
            "source": said,
            "silent_h": (tick - source.tick) / 60,
            "longest_h": source.longest / 60,
            "silent": time_text((tick - source.tick) * TICK_S),
            "longest": time_text(source.longest * TICK_S),
            "limit": time_text(self._limit(source) * TICK_S),
            "events": source.events,
        }
        raw = raised(self, row, "host" if host else "service", host or service or log_type, "silence", details, ())
        lines_named = tuple(dict.fromkeys((source.line, *raw.evidence)))
        return replace(raw, user=None, src_ip=None, dst_ip=None, host=host, evidence=lines_named)

    def to_bytes(self, state: State) -> bytes:
        """JSON."""
        sources = [[name, *astuple(source)] for name, source in state.sources.items()]
        saved = {"sources": sources, "top_us": state.top_us, "progress_us": state.progress_us}
        return json.dumps({"version": _VERSION, "waiting": state.waiting, **saved}).encode()

    def from_bytes(self, blob: bytes) -> State:
        """What `to_bytes` wrote. Raises StateVersionError."""
        saved = json.loads(blob)
        if saved["version"] != _VERSION:
            raise StateVersionError(f"log_silence: saved state of version {saved['version']}")
        sources = {name: Source(*values) for name, *values in saved["sources"]}
        return State(sources, saved["top_us"], saved["progress_us"], saved["waiting"])


def _runs(ticks: NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """[start, end) of each run of equal ticks."""
    starts = np.concatenate(([0], np.flatnonzero(np.diff(ticks)) + 1, [len(ticks)])).tolist()
    yield from pairwise(starts)


CORRELATOR = LogSilence
