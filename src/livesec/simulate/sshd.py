"""Lines as OpenSSH writes them through syslog (RFC 3164) on a host that faces the internet.

Sessions of eight kinds are drawn with fixed shares, attacks come in runs from one address each, and the lines
of a session share a process id and come in the order that sshd writes them. For benchmarks and fixtures.
"""

from __future__ import annotations

import re
from typing import Final

import numpy as np
import polars as pl

from livesec.core.errors import UsageError
from livesec.simulate.addresses import attack_hosting, internet_visitors
from livesec.simulate.randomness import IntArray, generator
from livesec.simulate.rhythm import SECOND_US
from livesec.simulate.sshd_sessions import SESSION_KINDS, STAFF, SessionKind

HOST: Final = "gate01"
_LINES_PER_S: Final = 0.6  # about 50,000 a day, as on a host whose port 22 is open to the world
_RUN_SESSIONS: Final = 40.0  # median sessions of one attacking address
_GAPS_S: Final = (1.5, 4.0, 25.0, 400.0)  # between two sessions of one attacker: from a flood to low and slow
_FIRST_PID, _PIDS = 1_000, 31_000  # not a multiple of three, so that a round of numbers is thrice as long
_FIRST_PORT, _PORTS = 32_768, 28_000

_DIGEST_LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


def sshd_lines(n_lines: int, seed: int, attack_share: float = 0.8, *, start_us: int) -> bytes:
    r"""`n_lines` lines in time order from `start_us` (microseconds since 1970 UTC) on, with line feeds.

    `attack_share` (0 to 1) is the share of sessions that are attacks. The same arguments give the same bytes.
    Sessions still open at the end are cut off, as in a log that is being written. Raises UsageError outside
    those ranges.

    >>> sshd_lines(3, seed=5, attack_share=0.0, start_us=0).count(b"\n")
    3
    """
    if n_lines < 0 or not 0 <= attack_share <= 1:
        raise UsageError(f"n_lines {n_lines} must be 0 or more and attack_share {attack_share} from 0 to 1")
    random = generator(seed, "sshd", n_lines)
    shares = np.array([kind.share * (attack_share if kind.attack else 1 - attack_share) for kind in SESSION_KINDS])
    lines_per_session = float(np.dot(shares, [len(kind.lines) for kind in SESSION_KINDS]))
    # Lines of late sessions fall behind the end, so more are made than wanted.
    sessions = int(n_lines / lines_per_session * 1.1) + 200
    span_us = int(sessions * lines_per_session / _LINES_PER_S * SECOND_US)
    counts = random.multinomial(sessions, shares).tolist()
    made = [_sessions_of(kind, count, span_us, random) for kind, count in zip(SESSION_KINDS, counts, strict=True)]
    frames = [
        _lines_of(kind, mine, start_us, random)
        for kind, mine in zip(SESSION_KINDS, _with_process_ids(made), strict=True)
    ]
    ordered = pl.concat(frames).sort("time_us", maintain_order=True).head(n_lines)
    stamped = ordered.select(
        pl.concat_str(
            pl.col("time_us").cast(pl.Datetime("us")).dt.strftime("%b %e %H:%M:%S"),
            pl.col("rest"),
            separator=" ",
        )
    )
    text = stamped.to_series().str.join("\n").item() if n_lines else ""
    return f"{text}\n".encode() if text else b""


def _lines_of(kind: SessionKind, frame: pl.DataFrame, start_us: int, random: np.random.Generator) -> pl.DataFrame:
    """Columns time_us and rest (what follows the time stamp) of all lines of one kind."""
    sessions = frame.height
    parts: list[pl.DataFrame] = []
    for step, (delay_s, text) in enumerate(kind.lines):
        head = f"{HOST} {kind.program}[{{pid}}]: "
        late = random.exponential(delay_s / 5, sessions) if delay_s else np.zeros(sessions)
        # One microsecond a step keeps lines of one moment in their order; a later line never overtakes.
        moved = pl.Series("late_us", ((delay_s + late) * SECOND_US).astype(np.int64) + step)
        frame = frame.with_columns(late_us=moved if step == 0 else pl.max_horizontal(pl.col("late_us") + 1, moved))
        parts.append(frame.select(time_us=pl.col("begin_us") + pl.col("late_us") + start_us, rest=_filled(head + text)))
    return pl.concat(parts)


def _with_process_ids(made: list[pl.DataFrame]) -> list[pl.DataFrame]:
    """The frames with a column pid: process ids rise with the beginnings of all sessions, then come round."""
    begin_us = np.concatenate([frame["begin_us"].to_numpy() for frame in made])
    rank = np.empty(len(begin_us), dtype=np.int64)
    rank[np.argsort(begin_us, kind="stable")] = np.arange(len(begin_us))
    ends = np.cumsum([frame.height for frame in made])[:-1]
    return [
        frame.with_columns(pid=pl.Series(_FIRST_PID + mine * 3 % _PIDS))
        for frame, mine in zip(made, np.split(rank, ends), strict=True)
    ]


def _filled(template: str) -> pl.Expr:
    """An expression that puts columns into the named places of a template."""
    pieces = re.split(r"\{(\w+)\}", template)
    return pl.concat_str(
        [pl.lit(piece) if number % 2 == 0 else pl.col(piece) for number, piece in enumerate(pieces) if piece]
    )


def _sessions_of(kind: SessionKind, sessions: int, span_us: int, random: np.random.Generator) -> pl.DataFrame:
    """One row per session: begin_us within the span, ip, port, user, repeats, digest."""
    if kind.attack:
        run, begin_us = _runs(sessions, span_us, random)
        addresses = attack_hosting().draw(int(run.max(initial=0)) + 1, random)[0].gather(run)
    else:
        begin_us = random.integers(span_us, size=sessions)
        homes = internet_visitors().draw(len(STAFF) * 2, random)[0]
        addresses = homes.gather(random.integers(len(homes), size=sessions))
    digests = ["".join(random.choice(list(_DIGEST_LETTERS), 43)) for _ in STAFF]
    who = random.integers(len(kind.users), size=sessions)
    return pl.DataFrame(
        {
            "begin_us": begin_us,
            "ip": addresses,
            "port": _FIRST_PORT + random.integers(_PORTS, size=sessions),
            "user": pl.Series(kind.users).gather(who),
            "repeats": random.integers(2, 6, size=sessions),
            "digest": pl.Series(digests).gather(who % len(digests)),
        }
    )


def _runs(sessions: int, span_us: int, random: np.random.Generator) -> tuple[IntArray, IntArray]:
    """The attacker's number and the beginning of each session: attackers come, try for a while, and go."""
    lengths: list[int] = []
    while sum(lengths) < sessions:
        lengths.append(1 + int(random.lognormal(np.log(_RUN_SESSIONS), 1.3)))
    run = np.repeat(np.arange(len(lengths)), lengths)[:sessions]
    gap_s = random.choice(_GAPS_S, size=len(lengths), p=(0.2, 0.3, 0.3, 0.2))[run]
    elapsed = np.cumsum(random.exponential(gap_s, sessions) * SECOND_US)
    first = np.flatnonzero(np.diff(run, prepend=-1))
    since = elapsed - np.repeat(elapsed[first], np.diff(np.append(first, sessions)))
    begin = random.integers(span_us, size=len(lengths))[run]
    return run, (begin + since.astype(np.int64)) % span_us
