"""Any sequence of writes, rotations, truncations and kills: what could be read is stored once, the rest is declared."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from hypothesis import HealthCheck, event, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from tests.examples import IS_LONG
from tests.tailing.model_files import Files
from tests.tailing.model_reader import Reader
from tests.tailing.tailer import Tailer

LOGS = ("a.log", "b.log")
PATTERNS = ("*.log", "*.log*")
FINAL_WAIT_S = 3600.0  # longer than any wait for late writes to a rotated file

logs = st.sampled_from(LOGS)
line_counts = st.integers(1, 3)
paddings = st.sampled_from(
    (0, 0, 0, 1, 40, 1500)
)  # mostly of one size, so that rewrites collide; some beyond the hashed head


def one_of(names: Callable[[Files], list[str]]) -> st.SearchStrategy[str]:
    """One of the files that `names` finds now; the rule's precondition says that there are some."""
    return st.runner().flatmap(lambda machine: st.sampled_from(names(machine.files)))


def rewrite(files: Files, name: str) -> None:
    """Truncated to nothing and written again."""
    files.truncate(name, 0)
    files.append(name, files.new_line() + b"\n")


CHANGES = (Files.rename, Files.copytruncate, Files.delete, rewrite)


class Tailing(RuleBasedStateMachine):
    """Two logs, their rotated files, and a reader that may die."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="livesec-model-"))

    @initialize(pattern=st.sampled_from(PATTERNS))
    def begin(self, pattern: str) -> None:
        (self.folder / "logs").mkdir()
        self.files = Files(self.folder / "logs", pattern)
        self.tailer = Tailer(self.folder / "livesec.db", [self.files.folder / pattern])
        self.reader = Reader(self.files, self.tailer)
        self.tailer.start()

    # Writers ----------------------------------------------------------------------------------------------------------

    @rule(log=logs, count=line_counts, padding=paddings)
    def write(self, log: str, count: int, padding: int) -> None:
        self.files.append(log, b"".join(self.files.new_line(padding) + b"\n" for _ in range(count)))

    @rule(log=logs, padding=paddings)
    def write_part_of_a_line(self, log: str, padding: int) -> None:
        self.files.append(log, self.files.new_line(padding))

    @precondition(lambda self: self.files.unfinished())
    @rule(name=one_of(Files.unfinished))
    def finish_the_line(self, name: str) -> None:
        self.files.append(name, b"!\n")

    @precondition(lambda self: len(self.files.live()) < len(LOGS))
    @rule()
    def create_empty(self) -> None:
        self.files.append(next(log for log in LOGS if log not in self.files.names), b"")

    @precondition(lambda self: self.files.renamed())
    @rule(name=one_of(Files.renamed), padding=paddings, is_whole=st.booleans())
    def write_late(self, name: str, padding: int, is_whole: bool) -> None:
        self.files.append(name, self.files.new_line(padding) + (b"\n" if is_whole else b""))

    # Rotation ---------------------------------------------------------------------------------------------------------

    @precondition(lambda self: self.files.live())
    @rule(log=one_of(Files.live), creates=st.booleans())
    def rename(self, log: str, creates: bool) -> None:
        self.files.rename(log)
        if creates:
            self.files.append(log, b"")

    @precondition(lambda self: self.files.live())
    @rule(log=one_of(Files.live))
    def copytruncate(self, log: str) -> None:
        self.files.copytruncate(log)

    @precondition(lambda self: self.files.rotated())
    @rule(name=one_of(Files.rotated))
    def compress(self, name: str) -> None:
        self.files.compress(name)

    @precondition(lambda self: self.files.rotated())
    @rule(name=one_of(Files.rotated))
    def rename_again(self, name: str) -> None:
        self.files.rename(name)

    @precondition(lambda self: self.files.rotated())
    @rule(name=one_of(Files.rotated))
    def delete_rotated(self, name: str) -> None:
        self.files.delete(name)

    # Rewriting --------------------------------------------------------------------------------------------------------

    @precondition(lambda self: self.files.live())
    @rule(log=one_of(Files.live), share=st.sampled_from((0.0, 0.0, 0.5, 0.9)), to_line=st.booleans())
    def truncate(self, log: str, share: float, to_line: bool) -> None:
        data = self.files.names[log].content.data
        size = int(len(data) * share)
        self.files.truncate(log, data.rfind(b"\n", 0, size) + 1 if to_line else size)

    @precondition(lambda self: self.files.live())
    @rule(log=one_of(Files.live))
    def delete(self, log: str) -> None:
        self.files.delete(log)

    @precondition(lambda self: self.files.live())
    @rule(log=one_of(Files.live), is_empty=st.booleans())
    def replace(self, log: str, is_empty: bool) -> None:
        self.files.replace(log, b"" if is_empty else self.files.new_line() + b"\n")

    # The reader -------------------------------------------------------------------------------------------------------

    @precondition(lambda self: self.tailer.is_alive)
    @rule(seconds=st.sampled_from((0.05, 1.0, 1.0, 30.0)))
    def look(self, seconds: float) -> None:
        self.reader.before_turn()
        self.tailer.look(seconds=seconds)
        self.reader.after_turn(is_whole=True)

    @precondition(lambda self: self.tailer.is_alive and not self.reader.is_first_look)
    @rule(log=logs)
    def look_at_one(self, log: str) -> None:
        self.reader.before_turn()
        self.tailer.look([str(self.files.folder / log)])
        self.reader.after_turn(is_whole=False)

    @precondition(lambda self: self.tailer.is_alive and not self.reader.is_first_look and self.files.read_from())
    @rule(log=one_of(Files.read_from), change=st.sampled_from(CHANGES))
    def look_while_a_file_changes(self, log: str, change: Callable[[Files, str], object]) -> None:
        def between() -> None:
            change(self.files, log)
            self.reader.before_turn()

        self.reader.before_turn()
        self.tailer.look(between=between)
        self.reader.after_turn(is_whole=False)

    @precondition(lambda self: self.tailer.is_alive)
    @rule()
    def kill(self) -> None:
        self.tailer.kill()
        self.reader.died()

    @precondition(lambda self: self.tailer.is_alive)
    @rule(batches=st.sampled_from((0, 0, 1, 2)))
    def kill_between_read_and_commit(self, batches: int) -> None:
        self.reader.before_turn()
        self.tailer.kill_before_commit(batches)
        self.reader.after_turn(is_whole=False)
        self.reader.died()

    @precondition(lambda self: not self.tailer.is_alive)
    @rule()
    def start(self) -> None:
        self.tailer.start()

    def teardown(self) -> None:
        try:
            if hasattr(self, "tailer") and not self.reader.has_failed:
                self._check_the_end()
        finally:
            if hasattr(self, "tailer") and self.tailer.is_alive:
                self.tailer.kill()
            if hasattr(self, "files"):
                self.files.free_inodes(all_of_them=True)
            shutil.rmtree(self.folder)

    def _check_the_end(self) -> None:
        if not self.tailer.is_alive:
            self.tailer.start()
        for _ in range(3):
            self.look(FINAL_WAIT_S)
        event(f"lines excused: {min(self.reader.check_every_line(), 10)}")


TestTailing = Tailing.TestCase
TestTailing.settings = settings(
    max_examples=2_000 if IS_LONG else 200,
    stateful_step_count=60 if IS_LONG else 50,
    deadline=None,
    derandomize=not IS_LONG,
    database=None,
    suppress_health_check=list(HealthCheck),
)
