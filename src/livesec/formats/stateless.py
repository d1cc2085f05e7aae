"""Formats whose every line stands for itself."""

from __future__ import annotations

from abc import abstractmethod

import polars as pl

from livesec.core.batch import Parsed, StreamInfo
from livesec.core.errors import StateVersionError
from livesec.core.protocols import Format


class StatelessFormat(Format[None]):
    """A format that carries nothing from one line to the next."""

    def initial(self, stream: StreamInfo) -> None:
        """Nothing."""

    def parse(self, state: None, stream: StreamInfo, lines: pl.DataFrame) -> tuple[None, Parsed]:
        """Take from `lines` what is this format's."""
        return None, self.read(stream, lines)

    @abstractmethod
    def read(self, stream: StreamInfo, lines: pl.DataFrame) -> Parsed:
        """As `parse`."""

    def to_bytes(self, state: None) -> bytes:
        """No bytes."""
        return b""

    def from_bytes(self, blob: bytes) -> None:
        """What `to_bytes` wrote. Raises StateVersionError for anything else."""
        if blob:
            raise StateVersionError(f"{self.name} keeps no state, but {len(blob)} bytes of one were saved")
