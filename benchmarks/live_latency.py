"""From write(2) of the line that reaches a threshold to the anomaly visible in the store, at 1,000 lines a second."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.figure import Figure, median, quantile
from benchmarks.live_daemon import LiveDaemon
from benchmarks.measurement import Bench

LINES_PER_S = 1_000
WRITES_PER_S = 100
ATTACKS_PER_S = 4
SECONDS = 75  # 300 attacks
FAILURES = 5  # bf_fast.capacity
WARM_UP_S = 5.0
POLL_S = 0.001
GRACE_S = 10.0
_KEY_LOGIN = "Accepted publickey for anja from 198.51.100.7 port {port} ssh2: ED25519 SHA256:invented"
_FAILURE = "Failed password for root from {address} port {port} ssh2"


def measure(bench: Bench) -> list[Figure]:
    """One daemon, one log, attackers among honest logins."""
    seen = look(bench, "live", bench.size(SECONDS, 5))
    bench.say(f"latency: {len(seen.latencies_ms)} of {seen.attacks} attacks seen")
    note = f"{len(seen.latencies_ms)} attacks in {seen.lines:,} lines at {seen.lines_per_s:,.0f}/s"
    return [
        Figure("first anomaly, p50", median(seen.latencies_ms), "ms", note=note),
        Figure("first anomaly, p99", quantile(seen.latencies_ms, 0.99), "ms", at_most=200),
        Figure("  slowest", max(seen.latencies_ms), "ms"),
        Figure("  attacks not seen", seen.missed, "attacks", at_most=0),
        Figure("  CPU of the daemon meanwhile", seen.busy * 100, "% of a core"),
    ]


@dataclass(frozen=True)
class Seen:
    """How soon a daemon saw what was written."""

    latencies_ms: list[float]
    attacks: int
    lines: int
    lines_per_s: float
    busy: float
    """Share of a core that the daemon took."""

    @property
    def missed(self) -> int:
        """Attacks that it did not see."""
        return self.attacks - len(self.latencies_ms)


def look(bench: Bench, name: str, seconds: int, settings: Sequence[str] = ()) -> Seen:
    """A daemon with `settings` over a log of its own, for `seconds`."""
    log, db = bench.folder / f"{name}.log", bench.folder / name / "livesec.db"
    log.touch()
    with LiveDaemon([log], db, settings) as daemon:
        writer = _Writer(log, seconds)
        watcher = _Watcher(db)
        cpu_before_s = daemon.cpu_seconds()
        started_s = time.perf_counter()
        watcher.start()
        writer.run()
        watcher.wait_for(set(writer.written_s), GRACE_S)
        busy = (daemon.cpu_seconds() - cpu_before_s) / (time.perf_counter() - started_s)
    found = {address: watcher.seen_s[address] for address in writer.written_s if address in watcher.seen_s}
    latencies_ms = [(seen_s - writer.written_s[address]) * 1000 for address, seen_s in found.items()]
    return Seen(latencies_ms, len(writer.written_s), writer.lines, writer.lines / writer.seconds, busy)


class _Writer:
    """Appends lines at an even rate and notes when each attacker's last failure was written."""

    def __init__(self, log: Path, seconds: int) -> None:
        self._log = log
        self._ticks = round((seconds + WARM_UP_S) * WRITES_PER_S)
        self.written_s: dict[str, float] = {}
        self.lines = 0
        self.seconds = 0.0

    def run(self) -> None:
        """Write for the whole time. Attacks begin after WARM_UP_S."""
        per_tick, attack_every = LINES_PER_S // WRITES_PER_S, WRITES_PER_S // ATTACKS_PER_S
        started_s = time.perf_counter()
        with self._log.open("ab", buffering=0) as file:
            for tick in range(self._ticks):
                time.sleep(max(0.0, started_s + tick / WRITES_PER_S - time.perf_counter()))
                is_attack = tick % attack_every == 0 and tick >= WARM_UP_S * WRITES_PER_S
                attacker = f"198.18.{tick // attack_every // 250}.{tick // attack_every % 250 + 1}"
                messages = [_KEY_LOGIN.format(port=30_000 + number) for number in range(per_tick)]
                if is_attack:
                    messages[-FAILURES:] = [_FAILURE.format(address=attacker, port=40_000 + n) for n in range(FAILURES)]
                file.write(_lines(messages))
                if is_attack:
                    self.written_s[attacker] = time.perf_counter()
                self.lines += len(messages)
        self.seconds = time.perf_counter() - started_s


def _lines(messages: list[str]) -> bytes:
    now = time.time()
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + f".{int(now % 1 * 1e6):06d}+00:00"
    return "".join(f"{stamp} gate01 sshd[{900 + n}]: {text}\n" for n, text in enumerate(messages)).encode()


class _Watcher(threading.Thread):
    """Notes when bf_fast about an address is first visible to a reader of the store."""

    def __init__(self, db: Path) -> None:
        super().__init__(name="store watcher", daemon=True)
        self._db = db
        self.seen_s: dict[str, float] = {}

    def run(self) -> None:
        """Look whenever another process has committed."""
        connection = sqlite3.connect(f"file:{self._db}?mode=ro", uri=True)
        version, number = -1, 0
        while True:
            now = connection.execute("PRAGMA data_version").fetchone()[0]
            if now == version:
                time.sleep(POLL_S)
                continue
            version = now
            rows = connection.execute(
                "SELECT number, src_ip FROM anomalies WHERE number > ? AND type = 'bf_fast'", (number,)
            ).fetchall()
            visible_s = time.perf_counter()
            for number, address in rows:  # noqa: B007 - the last number is where the next look starts
                self.seen_s.setdefault(address, visible_s)

    def wait_for(self, addresses: set[str], seconds: float) -> None:
        """Return when all are seen or the time is over."""
        deadline = time.perf_counter() + seconds
        while not addresses <= self.seen_s.keys() and time.perf_counter() < deadline:
            time.sleep(0.05)
