"""Files that nobody should point LiveSec at, and one good log among them."""

from __future__ import annotations

import random
from pathlib import Path

HUGE_LINE_BYTES = 100 * 1024 * 1024
ATTACKER = "192.0.2.66"
ATTEMPTS = 6

_GAME = "[{second:02d}:17] player{host} joined the arena at level 3\n"
_NO_HEADER = "2026-03-02 06:25:{second:02d},anja,198.51.100.{host},Berlin,success,web01\n"


def guessing(address: str = ATTACKER, *, first_second: int = 0) -> str:
    """ATTEMPTS failed logins within as many seconds: one bf_fast."""
    return "".join(
        f"2026-03-02T06:25:{first_second + number:02d}.000000+00:00 gate01 sshd[{700 + number}]: "
        f"Failed password for root from {address} port {40_000 + number} ssh2\n"
        for number in range(ATTEMPTS)
    )


def good_log(folder: Path) -> Path:
    """An auth.log with one brute force."""
    path = folder / "auth.log"
    path.write_text(guessing())
    return path


def binary_file(folder: Path) -> Path:
    """Random bytes, with NULs, line feeds and every other byte among them."""
    path = folder / "program.bin"
    path.write_bytes(random.Random(3).randbytes(200_000))
    return path


def huge_line(folder: Path) -> Path:
    """One line of 100 MB, and a brute force by another address behind it."""
    path = folder / "huge.log"
    with path.open("wb") as file:
        for _ in range(HUGE_LINE_BYTES >> 20):
            file.write(b"x" * (1 << 20))
        file.write(b"\n" + guessing("192.0.2.77").encode())
    return path


def headless_csv(folder: Path) -> Path:
    """Rows of a login CSV without the line that names the columns."""
    path = folder / "login_logs.csv"
    path.write_text("".join(_NO_HEADER.format(second=number, host=number) for number in range(1, 21)))
    return path


def unknown_format(folder: Path) -> Path:
    """A game server's log, which no format here reads."""
    path = folder / "arena.log"
    path.write_text("".join(_GAME.format(second=number, host=number) for number in range(1, 31)))
    return path
