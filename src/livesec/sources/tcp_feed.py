"""Lines that a TCP server sends to whoever is connected, each kept in a spool that the daemon tails.

Such a server cannot be asked for what was sent before: a feed goes on from now. Each time that it was not connected is
noted as an outage. What follows the last line break when a connection ends is no line and is dropped.
"""

from __future__ import annotations

import logging
import socket
import time
from threading import Event
from typing import Final

from livesec.core.batch import MAX_LINE_BYTES
from livesec.core.errors import InputUnreadableError
from livesec.core.text import shown
from livesec.sources.back_off import FIRST_S, BackOff
from livesec.sources.outages import Outages
from livesec.sources.spool import Spool

CONNECT_S: Final = 5.0
_NAP_S: Final = 0.1  # how soon a stop is noticed, and how long lines gather at most while none come
_WRITE_BYTES: Final = 1 << 20
_WRITE_S: Final = 0.5  # how long they gather while more come
_CHUNK_BYTES: Final = 1 << 16
_log = logging.getLogger(__name__)


class LinesOfChunks:
    r"""Puts lines together that come in pieces; of one longer than `limit` bytes the rest is dropped.

    >>> lines = LinesOfChunks(limit=4)
    >>> lines.take(b"ab"), lines.take(b"c\n\nxx"), lines.take(b"yyz\nend"), lines.cut
    ([], [b'abc', b''], [b'xxyy'], 1)
    """

    def __init__(self, limit: int = MAX_LINE_BYTES) -> None:
        self._limit = limit
        self._begun = bytearray()
        self._is_over = False
        self.cut = 0
        """Lines of which the rest was dropped."""

    @property
    def begun(self) -> int:
        """Bytes of a line whose end has not come."""
        return len(self._begun)

    def take(self, chunk: bytes) -> list[bytes]:
        """The lines that end in `chunk`."""
        *ends, rest = chunk.split(b"\n")
        lines = []
        for end in ends:
            self._add(end)
            lines.append(bytes(self._begun))
            self._begun.clear()
            self._is_over = False
        self._add(rest)
        return lines

    def _add(self, piece: bytes) -> None:
        room = self._limit - len(self._begun)
        self._begun += piece[:room]
        if len(piece) > room and not self._is_over:
            self._is_over = True
            self.cut += 1


class TcpFeed:
    """The server at `host` and `port`; its lines go to `spool`, times without a connection to `outages`."""

    def __init__(self, host: str, port: int, spool: Spool, outages: Outages) -> None:
        self._host = host
        self._port = port
        self._name = f"{shown(host)}:{port}"
        self._spool = spool
        self._outages = outages
        self.received = 0
        """Lines kept."""

    def run(self, stop: Event) -> None:
        """Receive until `stop` is set, connecting again whenever that is needed.

        Raises InputUnreadableError where the spool cannot be written.
        """
        if self._spool.last_line() is not None:
            self._note_outage("not connected before this start")
        back_off = BackOff()
        while not stop.is_set():
            if time.monotonic() < back_off.due:
                stop.wait(_NAP_S)
                continue
            before = self.received
            try:
                problem = self._connect(stop)
            except OSError as error:
                problem = error.strerror or str(error)
            if stop.is_set():
                return
            now = time.monotonic()
            if self.received > before:
                back_off = BackOff()
            back_off.failed(now)
            back_off.due = max(back_off.due, now + FIRST_S)
            _log.warning("%s: %s; next try in %.0f s", self._name, shown(problem), back_off.due - now)

    def _connect(self, stop: Event) -> str:
        """Receive from one connection until it ends or `stop` is set; how it ended."""
        with socket.create_connection((self._host, self._port), CONNECT_S) as connection:
            _log.info("%s: connected", self._name)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)  # notes a server that vanished
            connection.settimeout(_NAP_S)
            lines = LinesOfChunks()
            try:
                self._receive(connection, lines, stop)
                problem = "the server closed the connection"
            except OSError as error:
                problem = f"the connection broke ({error.strerror or error})"
            dropped = f"; {lines.begun} bytes of a line without its end were dropped" if lines.begun else ""
            if lines.cut:
                _log.warning("%s: %d lines over %d bytes were cut", self._name, lines.cut, MAX_LINE_BYTES)
            if not stop.is_set():
                self._note_outage(problem + dropped)
            return problem

    def _receive(self, connection: socket.socket, lines: LinesOfChunks, stop: Event) -> None:
        waiting: list[bytes] = []
        size, write_at = 0, 0.0
        try:
            while not stop.is_set():
                try:
                    chunk = connection.recv(_CHUNK_BYTES)
                except TimeoutError:
                    chunk = None
                if chunk == b"":
                    return
                if chunk is not None:
                    if not waiting:
                        write_at = time.monotonic() + _WRITE_S
                    found = lines.take(chunk)
                    waiting += found
                    size += sum(map(len, found))
                if chunk is None or size >= _WRITE_BYTES or time.monotonic() >= write_at:
                    ready, waiting, size = waiting, [], 0
                    self._keep(ready)
        finally:
            self._keep(waiting)

    def _keep(self, lines: list[bytes]) -> None:
        try:
            self._spool.append(lines)
        except OSError as error:
            problem = error.strerror or str(error)
            raise InputUnreadableError(f"{self._spool.path}: lines of the feed cannot be kept: {problem}") from error
        self.received += len(lines)

    def _note_outage(self, reason: str) -> None:
        path = self._spool.path
        offset = path.stat().st_size if path.exists() else 0
        self._outages.note(offset, f"{reason}: what {self._name} sent until it was connected again is not known")
