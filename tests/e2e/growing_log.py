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

    It stops at the share that `permit` has allowed so far. `with` starts it, and at its end all that is left follows.

    Parameters
    ----------
    seconds : about how long the whole takes when it is not held up
    """

    def __init__(self, path: Path, content: bytes, *, seconds: float, seed: int) -> None:
        self._path = path
        self._content = content
        self._mean_bytes = max(1, int(len(content) * _PAUSE_S / seconds))
        self._random = random.Random(seed)
        self._permitted = 0
        self._hurry = threading.Event()
        self._thread = threading.Thread(target=self._append, name="log writer")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._hurry.set()
        self._thread.join()

    def permit(self, share: float) -> None:
        """Let it grow up to `share` (0 to 1) of the content."""
        self._permitted = int(len(self._content) * share)

    def _append(self) -> None:
        with self._path.open("ab", buffering=0) as file:
            written = 0
            while written < len(self._content):
                end = min(self._permitted, written + self._random.randint(1, 2 * self._mean_bytes))
                if self._hurry.is_set():
                    end = len(self._content)
                written += file.write(self._content[written:end])
                self._hurry.wait(_PAUSE_S)
