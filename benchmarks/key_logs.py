"""Logs whose every line has a key of its own."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

_START_S = 1_772_409_600
_LINES_PER_S = 1_000
_CHUNK = 100_000
_SOURCES = 1_000


def strangers(count: int) -> bytes:
    """A failed login from each of `count` addresses, in an order that is none."""
    return b"".join(_stranger_lines(count))


def strangers_log(folder: Path, count: int) -> Path:
    """An auth.log of those lines."""
    return _written(folder / f"strangers_{count}.log", _stranger_lines(count))


def pairs_log(folder: Path, count: int) -> Path:
    """A network CSV of `count` connections, each from one of a thousand machines to an address of its own."""
    return _written(folder / f"pairs_{count}.csv", _pair_lines(count))


def _written(path: Path, lines: Iterable[bytes]) -> Path:
    if not path.exists():
        with path.open("wb") as file:
            file.writelines(lines)
    return path


def _addresses(count: int, first: int) -> Sequence[int]:
    shuffled: list[int] = np.random.default_rng(5).permutation(np.arange(count, dtype=np.uint32) * 97 + first).tolist()
    return shuffled


def _dotted(address: int) -> str:
    return f"{address >> 24}.{address >> 16 & 255}.{address >> 8 & 255}.{address & 255}"


def _stamp(second: int, between: str) -> str:
    return time.strftime(f"%Y-%m-%d{between}%H:%M:%S", time.gmtime(_START_S + second))


def _stranger_lines(count: int) -> Iterable[bytes]:
    addresses = _addresses(count, 11 << 24)
    for start in range(0, count, _CHUNK):
        yield "".join(
            f"{_stamp(number // _LINES_PER_S, 'T')}+00:00 gate01 sshd[{900 + number}]: "
            f"Failed password for root from {_dotted(address)} port {1024 + number % 60_000} ssh2\n"
            for number, address in enumerate(addresses[start : start + _CHUNK], start)
        ).encode()


def _pair_lines(count: int) -> Iterable[bytes]:
    yield b"timestamp,source_ip,dest_ip,port,protocol,bytes_sent,bytes_received,connections\n"
    addresses = _addresses(count, 11 << 24)
    for start in range(0, count, _CHUNK):
        yield "".join(
            f"{_stamp(number // _LINES_PER_S, ' ')},10.0.{number % _SOURCES >> 8}.{number % _SOURCES & 255},"
            f"{_dotted(address)},443,tcp,{500 + number % 4_000},{2_000 + number % 90_000},1\n"
            for number, address in enumerate(addresses[start : start + _CHUNK], start)
        ).encode()
