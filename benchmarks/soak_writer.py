"""The writers of the soak, a process of its own: grows, renames, copytruncates and compresses logs until its time ends.

`python -m benchmarks.soak_writer FOLDER FILES LINES_PER_S SECONDS SEED` prints a JSON object a second, and writes
FOLDER/segments.json at the end. FOLDER/logs is watched, FOLDER/originals keeps every byte of each file.
"""

from __future__ import annotations

import gzip
import json
import os
import random
import shutil
import sys
import time
from collections import Counter, deque
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.soak_lines import HostLog

TICKS_PER_S = 20
ROTATE_EVERY_S = (20.0, 60.0)
"""Between two rotations of one file. A generation that comes and goes while the daemon is down cannot be known."""
FIRST_ROTATION_S = 5.0  # after at least one look
COMPRESS_AFTER_S = (0.0, 15.0)
KEPT_ROTATED = 4


@dataclass
class Segment:
    """A generation of a log: what it holds begins at byte `base` of its kept original."""

    file: int
    base: int
    inode: int
    size: int = 0


class SoakLog:
    """One log with its rotated files and its kept original."""

    def __init__(self, folder: Path, number: int, seed: int) -> None:
        self.path = folder / "logs" / f"soak{number:03d}.log"
        self.segments: list[Segment] = []
        self.lines = 0
        self.events: Counter[str] = Counter()
        self._number = number
        self._lines = HostLog(number, seed)
        self._chance = random.Random(f"{seed}/{number}/rotation")  # noqa: S311 - a soak, no secret
        self._original = (folder / "originals" / self.path.name).open("wb", buffering=0)
        self._rotations = 0
        self._rotated: deque[Path] = deque()
        self._to_compress: list[tuple[float, Path]] = []
        self._rotate_at = time.monotonic() + self._chance.uniform(FIRST_ROTATION_S, ROTATE_EVERY_S[1])
        self._open()

    def _open(self) -> None:
        self._log = self.path.open("ab", buffering=0)
        self._new_segment()

    def _new_segment(self) -> None:
        base = self.segments[-1].base + self.segments[-1].size if self.segments else 0
        self.segments.append(Segment(self._number, base, os.fstat(self._log.fileno()).st_ino))

    def write(self, lines: int) -> None:
        """Append a block, perhaps in two writes that part a line, to the log and to the original."""
        block = self._lines.block(lines)
        cut = self._chance.randrange(len(block)) if self._chance.random() < 0.1 else len(block)
        for part in (block[:cut], block[cut:]):
            if part:
                self._log.write(part)
        self._original.write(block)
        self.segments[-1].size += len(block)
        self.lines += block.count(b"\n")

    def rotate_if_due(self) -> None:
        """Whatever rotation is due; nothing is written to the log meanwhile, so the writer itself loses nothing."""
        now = time.monotonic()
        for item in [item for item in self._to_compress if item[0] <= now]:
            self._to_compress.remove(item)
            self._compress(item[1])
        if now < self._rotate_at:
            return
        self._rotate_at = now + self._chance.uniform(*ROTATE_EVERY_S)
        self._rotations += 1
        rotated = self.path.with_name(f"{self.path.name}.{self._rotations}")
        if self._chance.random() < 0.5:
            self.events["renamed"] += 1
            self._log.close()
            self.path.rename(rotated)
            self._open()
        else:
            self.events["copytruncated"] += 1
            shutil.copyfile(self.path, rotated)
            self._log.truncate(0)
            self._new_segment()
        self._rotated.append(rotated)
        self._to_compress.append((now + self._chance.uniform(*COMPRESS_AFTER_S), rotated))
        if len(self._rotated) > KEPT_ROTATED:
            oldest = self._rotated.popleft()
            self._to_compress = [item for item in self._to_compress if item[1] != oldest]
            oldest.unlink(missing_ok=True)
            oldest.with_name(f"{oldest.name}.gz").unlink(missing_ok=True)

    def _compress(self, path: Path) -> None:
        """As gzip(1) does: the half-made copy is to be seen, and the original goes when it is whole."""
        self.events["compressed"] += 1
        with path.open("rb") as plain, gzip.open(f"{path}.gz", "wb", compresslevel=1) as packed:
            shutil.copyfileobj(plain, packed, 1 << 18)
        path.unlink()


def main(words: list[str]) -> None:
    """Write for the whole time at an even rate."""
    folder, files, lines_per_s, seconds, seed = (
        Path(words[0]),
        int(words[1]),
        float(words[2]),
        float(words[3]),
        words[4],
    )
    logs = [SoakLog(folder, number, int(seed)) for number in range(files)]
    started, ticks = time.monotonic(), round(seconds * TICKS_PER_S)
    for tick in range(ticks):
        time.sleep(max(0.0, started + tick / TICKS_PER_S - time.monotonic()))
        due = lines_per_s / files * (tick + 1) / TICKS_PER_S
        for log in logs:
            log.rotate_if_due()
            if log.lines < due:
                log.write(round(due - log.lines) or 1)
        if tick % TICKS_PER_S == 0 or tick == ticks - 1:
            print(
                json.dumps(
                    {"lines": sum(log.lines for log in logs), "events": sum((log.events for log in logs), Counter())}
                ),
                flush=True,
            )
    segments = [asdict(segment) for log in logs for segment in log.segments]
    (folder / "segments.json").write_text(json.dumps(segments))


if __name__ == "__main__":
    main(sys.argv[1:])
