"""A growing log with everything in it, and a store whose daemon is killed, damaged or stopped over it."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.tailing.daemon_life import Life, output_of
from tests.tailing.daemon_server import DaemonServer, RunningDaemon
from tests.tailing.store_content import content_of

from livesec.simulate.sshd import sshd_lines

LINES = 1500
OFTEN = ("snapshot_interval_s=0.001",)  # after every batch
NEVER = ("snapshot_interval_s=3600",)


def _content() -> bytes:
    """sshd lines of several attackers; among them lines of no format and a hole of zero bytes."""
    lines = sshd_lines(LINES, seed=11, start_us=1_772_409_600_000_000).splitlines(keepends=True)
    for number, place in enumerate(range(100, LINES, 200)):
        lines[place] = b"\xff\xfe no format of ours " + str(number).encode() + b"\n"
    lines.insert(400, bytes(5000))
    return b"".join(lines)


CONTENT = _content()
CUT = CONTENT.index(b"\n", len(CONTENT) * 6 // 10) - 20
"""Up to here, inside a line, the log has grown when the first lives begin."""
FIRST_LINES = CONTENT.count(b"\n", 0, CUT)


class World:
    """One growing log, and a store that has met it while it was empty; both as they were at each `reset`."""

    def __init__(
        self, folder: Path, server: DaemonServer, pattern: str | None = None, *, is_reference_wanted: bool = True
    ) -> None:
        self.server = server
        self.log = folder / "auth.log"
        self.db = folder / "run" / "livesec.db"
        self.second = folder / "second.log"
        self._patterns = [str(folder / pattern)] if pattern else [str(self.log), str(self.second)]
        self._met = folder / "met"
        for path in folder.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        self.log.touch()
        assert self.live(0) == 0
        shutil.copytree(self.db.parent, self._met)
        if not is_reference_wanted:
            return
        self.grow()
        assert self.live(LINES, settings=NEVER) == 0
        self.reference = content_of(self.db)

    def live(self, lines: int, fault: str | None = None, settings: tuple[str, ...] = OFTEN) -> int:
        return self.server.live(Life(str(self.db), self._patterns, lines, fault, settings))

    def start(self, lines: int, settings: tuple[str, ...] = OFTEN, db: Path | None = None) -> RunningDaemon:
        return self.server.start(Life(str(db or self.db), self._patterns, lines, None, settings))

    def reset(self, upto: int = CUT, *, has_store: bool = True) -> None:
        shutil.rmtree(self.db.parent, ignore_errors=True)
        output_of(self._patterns[0]).unlink(missing_ok=True)
        if has_store:
            shutil.copytree(self._met, self.db.parent)
        self.second.unlink(missing_ok=True)
        self.log.write_bytes(CONTENT[:upto])  # the same file, and nobody watches it now

    def grow(self, upto: int = len(CONTENT)) -> None:
        with self.log.open("ab") as file:
            file.write(CONTENT[self.log.stat().st_size : upto])

    def said(self) -> str:
        output = output_of(self._patterns[0])
        return output.read_text() if output.exists() else ""
