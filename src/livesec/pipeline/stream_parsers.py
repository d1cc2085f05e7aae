"""The parsers of all streams, in bounded memory: those not used for long are kept as the bytes that a save writes."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any

from livesec.core.batch import StreamInfo
from livesec.core.errors import StateVersionError
from livesec.core.protocols import Format
from livesec.core.text import shown
from livesec.formats.stream_parser import StreamParser

_log = logging.getLogger(__name__)
LIVE_PARSERS = 256
"""A live parser takes some 70 KB, a parked one less than 1 KB."""


class StreamParsers:
    """One parser per stream, made on first use or from saved state.

    Parameters
    ----------
    live : how many are kept ready; parking the others changes no result, as saving does not
    on_lost : called with the stream's id and the reason where saved state cannot be used
    """

    def __init__(
        self,
        formats: Sequence[Format[Any]],
        live: int = LIVE_PARSERS,
        on_lost: Callable[[int, str], None] = lambda _stream_id, _reason: None,
    ) -> None:
        self._formats = formats
        self._on_lost = on_lost
        self._most_live = live
        self._live: dict[int, StreamParser] = {}  # the longest unused first
        self._parked: dict[int, bytes] = {}

    def of(self, stream: StreamInfo) -> StreamParser:
        """The parser of a stream."""
        known = self._live.pop(stream.stream_id, None)
        if known is None:
            known = self._unparked(stream) or StreamParser(stream, self._formats)
            while len(self._live) >= self._most_live:
                self.park(next(iter(self._live)))
        self._live[stream.stream_id] = known
        return known

    def _unparked(self, stream: StreamInfo) -> StreamParser | None:
        blob = self._parked.pop(stream.stream_id, None)
        if blob is None:
            return None
        try:
            return StreamParser.from_bytes(blob, stream, self._formats)
        except (StateVersionError, ValueError) as error:
            _log.warning("%s: its formats' saved state cannot be used and starts anew: %s", shown(stream.path), error)
            self._on_lost(stream.stream_id, str(error))
            return None

    def park(self, stream_id: int) -> None:
        """Keep the parser of a stream that will hardly grow soon as the few bytes that it comes back from."""
        known = self._live.pop(stream_id, None)
        if known is not None:
            self._parked[stream_id] = known.to_bytes()

    def close(self, stream_id: int) -> None:
        """Forget the parser of a stream that will not grow again."""
        self._live.pop(stream_id, None)
        self._parked.pop(stream_id, None)

    def to_bytes(self, stream_id: int) -> bytes | None:
        """The state of a stream's parser; None where it has none."""
        live = self._live.get(stream_id)
        return self._parked.get(stream_id) if live is None else live.to_bytes()

    def load(self, stream_id: int, blob: bytes) -> None:
        """Take over saved state; it is read on first use."""
        self._live.pop(stream_id, None)
        self._parked[stream_id] = blob
