"""Rotation by renaming, removing and truncating: whole lines once, and a gap row for what is lost."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest
from tests.tailing.conftest import MakeTailer
from tests.tailing.log_changes import append, ranges
from tests.tailing.tailer import Tailer

from livesec.core.anomaly import Gap
from livesec.sources import handles
from livesec.sources.rotated_files import MAX_ROTATED
from livesec.sources.watched_paths import WatchedPaths


@pytest.fixture
def log(logs: Path) -> Path:
    return logs / "a.log"


class Writer(threading.Thread):
    """Appends numbered lines to logs, reopening each by its path as told, like a logger that gets a HUP."""

    def __init__(self, paths: list[Path]) -> None:
        super().__init__(daemon=True)
        self.lines = 0
        """Written to each so far."""
        self._paths = paths
        self._reopen = threading.Event()
        self._stopping = threading.Event()

    def reopen(self) -> None:
        self._reopen.set()

    def stop(self) -> None:
        self._stopping.set()
        self.join()

    def run(self) -> None:
        files = [path.open("ab", buffering=0) for path in self._paths]
        while not self._stopping.is_set():
            for path, file in zip(self._paths, files, strict=True):
                file.write(b"%s %d\n" % (path.name.encode(), self.lines))
            self.lines += 1
            if self.lines % 20 == 0:
                time.sleep(0.001)
            if self._reopen.is_set():
                self._reopen.clear()
                for file in files:
                    file.close()
                files = [path.open("ab", buffering=0) for path in self._paths]
        for file in files:
            file.close()


def assert_each_line_once(tailer: Tailer, paths: list[Path], lines: int) -> None:
    texts = tailer.texts()
    for path in paths:
        own = [line for line in texts if line.startswith(path.name.encode())]
        assert sorted(own) == sorted(b"%s %d" % (path.name.encode(), number) for number in range(lines))
    assert tailer.gaps() == []


@pytest.mark.parametrize("pattern", ["?.log", "*"])
def test_rename_create_three_files_three_rotations_with_a_live_writer(
    logs: Path, make_tailer: MakeTailer, pattern: str
) -> None:
    paths = [logs / name for name in ("a.log", "b.log", "c.log")]
    tailer = make_tailer([logs / pattern])
    writer = Writer(paths)
    writer.start()
    for rotation in range(1, 4):
        taken = 0
        while taken < 1_500 or not all(path.exists() for path in paths):
            taken += tailer.look(seconds=0.01)
        for path in paths:
            path.rename(path.with_name(f"{path.name}.{rotation}"))
        tailer.look(seconds=0.01)
        writer.reopen()
    tailer.look(seconds=0.01)
    writer.stop()
    tailer.look()
    assert_each_line_once(tailer, paths, writer.lines)


def test_rename_inside_the_glob_no_duplicates(logs: Path, make_tailer: MakeTailer) -> None:
    names = ["a.log", "a.log.1", "a.log.2", "a.log.3"]
    for name in names[:3]:
        (logs / name).write_bytes(name.encode() + b"\n")
    tailer = make_tailer([logs / "a.log*"])
    assert tailer.look() == 3
    for number in (2, 1, 0):
        (logs / names[number]).rename(logs / names[number + 1])
    append(logs / "a.log.1", b"still written\n")
    (logs / "a.log").write_bytes(b"fresh\n")
    tailer.look()
    assert sorted(tailer.texts()[3:]) == [b"fresh", b"still written"]
    assert tailer.gaps() == []
    assert len({item.uid for item in tailer.streams()}) == len(tailer.streams()) == 4


def test_moved_outside_the_glob_then_appended(logs: Path, make_tailer: MakeTailer, log: Path, tmp_path: Path) -> None:
    log.write_bytes(b"one\n")
    tailer = make_tailer([logs / "*.log"])
    tailer.look()
    log.rename(tmp_path / "elsewhere")
    for number in range(4):
        tailer.look(seconds=20)
        append(tmp_path / "elsewhere", b"late %d\n" % number)
    tailer.look(seconds=20)
    assert tailer.texts() == [b"one", *(b"late %d" % number for number in range(4))]
    assert tailer.gaps() == []


def test_old_handle_written_after_rename(log: Path, make_tailer: MakeTailer) -> None:
    with log.open("ab", buffering=0) as old:
        old.write(b"one\n")
        tailer = make_tailer([log])
        tailer.look()
        log.rename(log.with_suffix(".1"))
        old.write(b"two\n")
        log.write_bytes(b"new\n")
        tailer.look()
        old.write(b"three\n")
        tailer.look()
    assert tailer.texts() == [b"one", b"two", b"new", b"three"]


def test_cut_off_and_renamed_between_two_looks_is_a_gap(logs: Path, log: Path, make_tailer: MakeTailer) -> None:
    log.write_bytes(b"unbroken")
    tailer = make_tailer([logs / "*.log"])
    tailer.look()
    os.truncate(log, 0)
    log.rename(logs / "a.log.2")
    tailer.look()
    assert ranges(tailer) == [(0, 8, "cut off before it was read")]


def test_truncate_then_write(log: Path, make_tailer: MakeTailer) -> None:
    log.write_bytes(b"old one\nold two\n")
    tailer = make_tailer([log])
    tailer.look()
    log.write_bytes(b"new\n")
    tailer.look()
    assert tailer.texts() == [b"old one", b"old two", b"new"]
    assert tailer.gaps() == []  # all that was seen had been read
    assert [(item.generation, item.state) for item in tailer.streams()] == [(0, "truncated"), (1, "active")]


def test_truncated_before_it_was_read_is_a_gap(log: Path, make_tailer: MakeTailer) -> None:
    log.write_bytes(b"old\nhalf a line")
    tailer = make_tailer([log])
    tailer.look()
    os.truncate(log, 0)
    tailer.look()
    assert ranges(tailer) == [(4, 15, "truncated before it was read")]


def test_truncate_and_regrow_past_the_offset(log: Path, make_tailer: MakeTailer) -> None:
    log.write_bytes(b"one\ntwo\n")
    tailer = make_tailer([log])
    tailer.look()
    log.write_bytes(b"new\nwords\nmore than before\n")
    tailer.look()
    assert tailer.texts()[2:] == [b"new", b"words", b"more than before"]


def test_truncated_and_regrown_between_the_look_and_the_read(log: Path, make_tailer: MakeTailer) -> None:
    log.write_bytes(b"one\n")
    tailer = make_tailer([log])
    tailer.look()
    append(log, b"lost\n")
    tailer.source.scan()
    log.write_bytes(b"other words, longer than before\n")
    assert [batch.line_bytes(0) for batch in tailer.source.read(1)] == [b"other words, longer than before"]
    assert [(gap.start_offset, gap.end_offset) for gap in tailer.source.take_changes()[1]] == [(4, 9)]


def test_truncate_while_the_commit_is_blocked(log: Path, make_tailer: MakeTailer) -> None:
    log.write_bytes(b"one\n")
    tailer = make_tailer([log])
    tailer.source.scan()
    (batch,) = tailer.source.read(0)
    log.write_bytes(b"two, longer than the first\n")  # read, but not committed yet
    tailer.source.committed(batch)
    tailer.source.take_changes()
    tailer.source.scan()
    assert [batch.line_bytes(0) for batch in tailer.source.read(1)] == [b"two, longer than the first"]


def test_truncate_to_non_zero(log: Path, make_tailer: MakeTailer) -> None:
    log.write_bytes(b"one\ntwo\nthree\nfour, not whole")
    tailer = make_tailer([log])
    tailer.look()
    os.truncate(log, 19)  # inside what was seen and not read: the stream goes on
    tailer.look()
    append(log, b" words\n")
    tailer.look()
    assert tailer.texts() == [b"one", b"two", b"three", b"four, words"]
    assert ranges(tailer) == [(19, 29, "cut off before it was read")]
    os.truncate(log, 4)  # inside what was read: a new generation from its first byte
    tailer.look()
    assert tailer.texts()[4:] == [b"one"]
    assert len(tailer.gaps()) == 1


def test_delete_and_recreate_with_the_same_inode(log: Path, make_tailer: MakeTailer) -> None:
    log.write_bytes(b"one\nhalf")
    tailer = make_tailer([log])
    tailer.look()
    tailer.source.close()  # without its handle the inode is free
    inode = log.stat().st_ino
    log.unlink()
    for number in range(200):
        other = log.with_name(f"other-{number}")
        other.write_bytes(b"another file\nof more bytes\n")
        if other.stat().st_ino == inode:
            other.rename(log)
            break
    else:
        pytest.skip("this file system does not use an inode again soon")
    tailer.look()
    assert tailer.texts() == [b"one", b"another file", b"of more bytes"]
    assert ranges(tailer) == [(4, 8, "truncated before it was read")]


def test_delete_with_unread_bytes_on_the_open_handle(log: Path, make_tailer: MakeTailer) -> None:
    log.write_bytes(b"one\n")
    tailer = make_tailer([log])
    tailer.look()
    append(log, b"two\nthree, unbroken")
    log.unlink()
    tailer.look()
    tailer.look(seconds=60)
    tailer.look()
    assert tailer.texts() == [b"one", b"two", b"three, unbroken"]
    assert tailer.gaps() == []
    assert tailer.source.open_files == 0


def test_faster_than_the_poll_nothing_that_is_still_there_is_lost(log: Path, make_tailer: MakeTailer) -> None:
    tailer = make_tailer([log])
    written: list[bytes] = []
    for turn in range(4):
        for step in range(3):  # three rotations between two looks, four files kept
            for old in range(4, 0, -1):
                path = log.with_name(f"a.log.{old}")
                if path.exists():
                    path.rename(log.with_name(f"a.log.{old + 1}"))
            if log.exists():
                log.rename(log.with_name("a.log.1"))
            log.with_name("a.log.5").unlink(missing_ok=True)
            line = b"turn %d step %d" % (turn, step)
            log.write_bytes(line + b"\n")
            written.append(line)
            time.sleep(0.01)  # mtimes tell the order
        tailer.look()
    tailer.look()
    texts = tailer.texts()
    assert len(texts) == len(set(texts))
    assert set(written) - set(texts) == {b"turn 0 step 0", b"turn 0 step 1"}  # rotated before there was any reader


def test_faster_than_the_poll_and_removed_never_duplicates(log: Path, make_tailer: MakeTailer) -> None:
    tailer = make_tailer([log])
    tailer.look()
    for turn in range(20):
        for step in range(3):
            log.unlink(missing_ok=True)
            log.write_bytes(b"turn %d step %d\n" % (turn, step))
        tailer.look()
    texts = tailer.texts()
    assert texts == [b"turn %d step 2" % turn for turn in range(20)]


def test_rewrite_with_another_first_line(log: Path, make_tailer: MakeTailer) -> None:
    log.write_bytes(b"first\n" + b"same\n" * 400)
    tailer = make_tailer([log])
    tailer.look()
    with log.open("r+b") as file:
        file.write(b"FIRST\n")
    tailer.look()
    assert tailer.texts()[401:] == [b"FIRST", *[b"same"] * 400]


def test_rename_during_the_start_up_scan(
    logs: Path, log: Path, make_tailer: MakeTailer, monkeypatch: pytest.MonkeyPatch
) -> None:
    log.write_bytes(b"old\n")
    real = WatchedPaths.look

    def look(paths: WatchedPaths) -> dict[str, os.stat_result]:
        found = real(paths)
        if log.stat().st_size == 4:
            log.rename(logs / "a.log.1")
            log.write_bytes(b"new file\n")
        return found

    tailer = make_tailer([logs / "a.log"])
    monkeypatch.setattr(WatchedPaths, "look", look)
    tailer.look()
    tailer.look()
    assert sorted(tailer.texts()) == [b"new file", b"old"]
    assert tailer.gaps() == []


def test_rotated_files_are_kept_open_only_so_many(logs: Path, make_tailer: MakeTailer) -> None:
    count = MAX_ROTATED + 20
    for number in range(count):
        (logs / f"{number:03}.log").write_bytes(b"%d\n" % number)
    tailer = make_tailer([logs / "*.log"])
    tailer.look()
    for number in range(count):
        append(logs / f"{number:03}.log", b"rest of %d\n" % number)
        (logs / f"{number:03}.log").unlink()
    tailer.look()
    assert len(tailer.texts()) == 2 * count
    assert tailer.source.open_files <= MAX_ROTATED
    tailer.look(seconds=60)
    assert tailer.source.open_files == 0


def test_removed_unread_beyond_the_handle_limit_is_a_gap(
    logs: Path, make_tailer: MakeTailer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handles, "MAX_OPEN_FILES", 2)
    for number in range(4):
        (logs / f"{number}.log").write_bytes(b"one\nhalf")
    tailer = make_tailer([logs])
    tailer.look()
    (logs / "0.log").unlink()
    tailer.look()
    (stream,) = [item for item in tailer.streams() if item.path.endswith("0.log")]
    assert tailer.gaps() == [Gap(stream.stream_id, stream.path, 4, 8, "removed before it was read")]
