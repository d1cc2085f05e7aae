"""A thread that receives a feed's lines while the daemon reads them."""

from __future__ import annotations

import threading
from collections.abc import Callable

from livesec.sources.tcp_feed import CONNECT_S, TcpFeed


class FeedThread:
    """Receives from construction to `stop`; calls `ended` where the feed ends by itself, which is a failure."""

    def __init__(self, feed: TcpFeed, ended: Callable[[], None]) -> None:
        self._feed = feed
        self._ended = ended
        self._stop = threading.Event()
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="feed", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._feed.run(self._stop)
        except Exception as error:  # for the thread that calls `stop`
            self._error = error
            self._ended()

    def stop(self) -> None:
        """End the thread. Raises what ended the feed before."""
        self._stop.set()
        self._thread.join(CONNECT_S + 1.0)
        if self._error is not None:
            raise self._error
