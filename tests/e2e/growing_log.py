"""A log that grows while it is read: torn into pieces that do not care where a line ends."""

from __future__ import annotations

import random
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

_PAUSE_S = 0.01


class GrowingLog:
    """Appends `content` to `path` in a thread of its own, in pieces of random size.

    `with` starts it and at its end waits for the rest, which `hurry` asks for at once.

    Parameters
    ----------
    seconds : about how long the whole takes
    """

    def __init__(self, path: Path, content: bytes, *, seconds: float, seed: int) -> None:
        self._path = path
        self._content = content
        self._mean_bytes = max(1, int(len(content) * _PAUSE_S / seconds))
        self._random = random.Random(seed)
        self._hurry = threading.Event()
        self._thread = threading.Thread(target=self._append, name="log writer")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.hurry()
        self._thread.join()

    def hurry(self) -> None:
        """Append what is left at once."""
        self._hurry.set()

    @property
    def is_growing(self) -> bool:
        """Whether there is still something to append."""
        return self._thread.is_alive()

    def _append(self) -> None:
        with self._path.open("ab", buffering=0) as file:
            written = 0
            while written < len(self._content):
                take = len(self._content) if self._hurry.is_set() else self._random.randint(1, 2 * self._mean_bytes)
                written += file.write(self._content[written : written + take])
                self._hurry.wait(_PAUSE_S)
