"""Scenarios that the model test found: rotations of short files between two looks, each line once, no false gap."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from tests.tailing.conftest import MakeTailer
from tests.tailing.log_changes import append, copytruncate, ranges
from tests.tailing.tailer import Tailer


@pytest.fixture
def log(logs: Path) -> Path:
    return logs / "a.log"


def compress(path: Path) -> None:
    """As gzip does."""
    path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))
    path.unlink()


def settle(tailer: Tailer) -> list[bytes]:
    """Looks until nothing is waited for any more; every line of the store, sorted."""
    for _ in range(3):
        tailer.look(seconds=3600)
    return sorted(tailer.texts())


def test_rotated_and_gzipped_with_a_late_partial_line(logs: Path, make_tailer: MakeTailer, log: Path) -> None:
    log.write_bytes(b"one\n")
    tailer = make_tailer([logs / "*.log"])
    tailer.look()
    rotated = log.rename(logs / "a.log.1")
    append(rotated, b"late")
    compress(rotated)
    assert settle(tailer) == [b"late", b"one"]
    assert ranges(tailer) == []


def test_partial_line_rotated_and_gzipped_is_read_once(logs: Path, make_tailer: MakeTailer, log: Path) -> None:
    log.write_bytes(b"partial")
    tailer = make_tailer([logs / "*.log"])
    tailer.look()
    compress(log.rename(logs / "a.log.1"))
    assert settle(tailer) == [b"partial"]


def test_rewritten_then_replaced_between_two_looks(logs: Path, make_tailer: MakeTailer, log: Path) -> None:
    log.write_bytes(b"one\n")
    tailer = make_tailer([logs / "*.log"])
    tailer.look()
    log.write_bytes(b"behind the open handle\n")
    other = logs / "other"
    other.write_bytes(b"new\n")
    other.replace(log)
    assert settle(tailer) == [b"behind the open handle", b"new", b"one"]


def test_number_of_an_unread_file_used_by_the_next(logs: Path, make_tailer: MakeTailer, log: Path) -> None:
    log.write_bytes(b"part")
    tailer = make_tailer([logs / "*.log"])
    tailer.look()
    log.unlink()
    assert settle(tailer) == [b"part"]
    for number in range(5):  # one of them has the number of the first; each begins as that did
        (logs / f"{number}.log").write_bytes(b"part of a line\n")
    assert settle(tailer) == [b"part"] + 5 * [b"part of a line"]
    assert ranges(tailer) == []


def test_copytruncated_between_look_and_read(logs: Path, make_tailer: MakeTailer, log: Path) -> None:
    gone = logs / "b.log"
    gone.write_bytes(b"")
    log.write_bytes(b"one\npart")
    tailer = make_tailer([logs / "*.log"])
    tailer.look()
    gone.unlink()  # so that the folder is listed before the copy is made
    append(log, b" of a line\n")
    tailer.look(between=lambda: copytruncate(log, logs / "a.log.1"))
    assert settle(tailer) == [b"one", b"part of a line"]
    assert ranges(tailer) == []


@pytest.mark.parametrize("is_away", [False, True])
def test_watched_rotated_file_renumbered_and_gzipped(
    logs: Path, make_tailer: MakeTailer, log: Path, is_away: bool
) -> None:
    log.write_bytes(b"new\n")
    rotated = logs / "a.log.1"
    rotated.write_bytes(b"one\n")
    tailer = make_tailer([logs / "*.log*"])
    tailer.look()
    if is_away:
        tailer.kill()
    compress(rotated.rename(logs / "a.log.2"))
    log.rename(rotated)
    if is_away:
        tailer.start()
    assert settle(tailer) == [b"new", b"one"]
    assert ranges(tailer) == []


def test_copytruncated_while_down_with_another_rotated_file_waited_for(
    logs: Path, make_tailer: MakeTailer, log: Path
) -> None:
    log.write_bytes(b"part")
    tailer = make_tailer([logs / "*.log"])
    tailer.look()
    other = logs / "other"
    other.write_bytes(b"one\n")
    writing = log.open("ab")
    other.replace(log)
    tailer.look()
    append(log, b"two\n")
    with writing:  # else its number is free with the kill, and the copy may have it: see docs/guarantees.md
        tailer.kill()
        copytruncate(log, logs / "a.log.2")
        tailer.start()
        assert settle(tailer) == [b"one", b"two"]


def test_gzipped_while_down_into_the_number_of_another_log(logs: Path, make_tailer: MakeTailer, log: Path) -> None:
    other = logs / "b.log"
    log.write_bytes(b"one\n")
    other.write_bytes(b"other\n")
    tailer = make_tailer([logs / "*.log"])
    tailer.look()
    tailer.kill()
    rotated = log.rename(logs / "a.log.1")
    other.unlink()
    compress(rotated)  # ext4 gives it the number of b.log at once
    other.write_bytes(b"another\n")
    tailer.start()
    assert settle(tailer) == [b"another", b"one", b"other"]
    assert [gap.path for gap in tailer.gaps()] == [str(other)]


@pytest.mark.parametrize("comes_back", [False, True])
def test_rotated_away_twice_with_the_path_empty_at_the_look_between(
    logs: Path, make_tailer: MakeTailer, log: Path, comes_back: bool
) -> None:
    log.write_bytes(b"one\n")
    tailer = make_tailer([logs / "*.log"])
    tailer.look()
    log.rename(logs / "a.log.1")
    tailer.look()
    log.write_bytes(b"two\n")
    log.rename(logs / "a.log.2")
    if comes_back:
        log.write_bytes(b"three\n")
    tailer.look()
    assert tailer.texts() == [b"one", b"two", *([b"three"] if comes_back else [])]
    assert ranges(tailer) == []
