"""The systemd journal, followed live by `journalctl -f -o json` and resumed after its cursor.

The journal is a stream of its own: offsets count the bytes of its JSON lines as read. What decides where reading
goes on is the cursor of the last committed entry, never the offset.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
from collections.abc import Callable, Sequence

from livesec.core.anomaly import StreamPosition
from livesec.core.batch import MAX_LINE_BYTES, RawBatch, batch_of_bytes
from livesec.core.clock import US_PER_DAY, US_PER_S
from livesec.sources.line_cut import cut_long_lines
from livesec.sources.tail_file import stream_info

JOURNAL_PATH = "journald"
_CURSOR = re.compile(rb'"__CURSOR"\s*:\s*"([^"\\]+)"')
_READ_BYTES = 1 << 20
_RESTART_AFTER_US = 5 * US_PER_S


class JournalSource:
    """Follows the journal's entries of some programs.

    Parameters
    ----------
    programs : identifiers whose entries are wanted
    position : from the store, or None for a first look, which goes back as `history` says
    command : the journalctl to run
    """

    def __init__(
        self,
        position: StreamPosition | None,
        *,
        stream_id: int,
        history: str,
        programs: Sequence[str],
        clock: Callable[[], int],
        command: Sequence[str] = ("journalctl",),
    ) -> None:
        self._programs = tuple(programs)
        self._clock = clock
        self._command = tuple(command)
        self._history = history
        now_us = clock()
        self.position = position or StreamPosition(
            stream_id=stream_id,
            uid=hashlib.blake2b(b"journald", digest_size=8, person=b"stream").hexdigest(),
            kind="journal",
            path=JOURNAL_PATH,
            generation=0,
            reference_time_us=now_us,
            time_zone="UTC",
            not_before_us=now_us - int(history[:-1]) * US_PER_DAY if history[:-1].isdigit() else 0,
        )
        self._first_look_us = now_us if position is None else 0
        self._process: subprocess.Popen[bytes] | None = None
        self._started_us = 0
        self._pending = b""
        self.info = stream_info(self.position)

    def _start(self) -> None:
        words = [*self._command, "-f", "-o", "json", "--no-pager", "-q"]
        if self.position.cursor:
            words += [f"--after-cursor={self.position.cursor}", "--no-tail"]
        elif self._history == "end":
            words += ["-n", "0"]
        else:
            words += ["--no-tail"]
            if self.position.not_before_us:
                words += [f"--since=@{self.position.not_before_us // US_PER_S}"]
        for program in self._programs:
            words += [f"SYSLOG_IDENTIFIER={program}", "+"]
        words = words[:-1] if self._programs else words
        self._started_us = self._clock()
        try:
            self._process = subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        except OSError as error:
            self.position.state, self.position.error = "error", f"{words[0]}: {error.strerror}"
            return
        if self._process.stdout is not None:
            os.set_blocking(self._process.stdout.fileno(), False)
        self.position.state, self.position.error = "active", None
        self._pending = b""

    def read(self, first_sequence: int) -> RawBatch | None:
        """Whole entries that have arrived, or None. Starts journalctl, and again where it ended."""
        if self._process is None or self._process.poll() is not None:
            if self._clock() - self._started_us < _RESTART_AFTER_US:
                return None
            if self._process is not None:
                self.position.state = "error"
                self.position.error = f"journalctl ended with {self._process.returncode}"
            self._start()
        if self._process is None or self._process.stdout is None:
            return None
        while len(self._pending) < 8 * MAX_LINE_BYTES:
            chunk = self._process.stdout.read(_READ_BYTES)
            if not chunk:
                break
            self._pending += chunk
        batch = batch_of_bytes(self.info, self._pending, self.position.offset, first_sequence)
        if len(batch) == 0:
            return None
        self._pending = self._pending[len(batch.data) :]
        return cut_long_lines(batch)

    def committed(self, batch: RawBatch) -> None:
        """Move the position behind `batch`."""
        self.position.offset = batch.end_offset
        found = _CURSOR.findall(batch.data)
        if found:
            self.position.cursor = found[-1].decode()

    @property
    def is_first_look(self) -> bool:
        """Whether entries now read may be older than the first start."""
        return self._clock() - self._first_look_us < 2 * US_PER_S

    @property
    def fd(self) -> int | None:
        """What becomes readable when entries arrive."""
        return None if self._process is None or self._process.stdout is None else self._process.stdout.fileno()

    def close(self) -> None:
        """End journalctl."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(timeout=1)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
