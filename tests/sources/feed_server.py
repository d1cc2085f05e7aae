"""A TCP server on loopback that sends what a test says, one script per connection."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

PATIENCE_S = 30.0


class FeedServer:
    """Accepts one connection after the other; sends each the next of `scripts` and closes it, the last one stays.

    Attributes
    ----------
    connections : how many there were
    """

    def __init__(self, scripts: Sequence[bytes], port: int = 0) -> None:
        self.connections = 0
        self._scripts = list(scripts)
        self._ended = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", port))
        self._listener.settimeout(0.1)
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        with self._listener:
            for number, script in enumerate(self._scripts, 1):
                connection = self._accept()
                if connection is None:
                    return
                with connection:
                    self.connections = number
                    connection.sendall(script)
                    if number == len(self._scripts):
                        self._ended.wait(PATIENCE_S)

    def _accept(self) -> socket.socket | None:
        while not self._ended.is_set():
            try:
                return self._listener.accept()[0]
            except TimeoutError:
                continue
        return None

    def close(self) -> None:
        """Close every connection and listen no more."""
        self._ended.set()
        self._thread.join(PATIENCE_S)


@contextmanager
def served(*scripts: bytes, port: int = 0) -> Iterator[FeedServer]:
    """A server with these scripts at `port`, 0 for any that is free, until the block ends."""
    server = FeedServer(scripts, port)
    try:
        yield server
    finally:
        server.close()
