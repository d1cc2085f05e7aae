"""Restart and crash, as far as reading goes: it goes on where the last commit left off, whatever happened meanwhile."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from tests.tailing.conftest import MakeTailer
from tests.tailing.log_changes import append

from livesec.core.clock import US_PER_S
from livesec.sources import stream_book, tail_file
from livesec.sources.file_source import FileSource


@pytest.fixture
def log(logs: Path) -> Path:
    return logs / "a.log"


def test_restart_resumes(log: Path, make_tailer: MakeTailer) -> None:
    log.write_bytes(b"one\n")
    tailer = make_tailer([log])
    tailer.look()
    tailer.kill()
    append(log, b"two\n")
    tailer.start()
    tailer.look()
    assert tailer.texts() == [b"one", b"two"]


@pytest.mark.parametrize("pattern", ["a.log", "a.log*"])
def test_rename_while_down(logs: Path, log: Path, make_tailer: MakeTailer, pattern: str) -> None:
    log.write_bytes(b"one\n")
    tailer = make_tailer([logs / pattern])
    tailer.look()
    tailer.kill()
    append(log, b"two\n")
    log.rename(logs / "a.log.1")
    log.write_bytes(b"three\n")
    tailer.start()
    tailer.look()
    assert sorted(tailer.texts()) == [b"one", b"three", b"two"]
    assert tailer.gaps() == []


def test_several_rotations_while_down_are_all_read(logs: Path, log: Path, make_tailer: MakeTailer) -> None:
    log.write_bytes(b"one\n")
    tailer = make_tailer([log])
    tailer.look()
    tailer.kill()
    append(log, b"two\n")
    written_us = log.stat().st_mtime_ns // 1000
    for number, name in enumerate(("a.log.3", "a.log.2", "a.log.1")):
        log.rename(logs / name)
        log.write_bytes(b"generation %d\n" % number)
        os.utime(log, ns=(0, (written_us + (number + 1) * US_PER_S) * 1000))
    tailer.start()
    tailer.look()
    assert tailer.texts() == [b"one", b"two", b"generation 0", b"generation 1", b"generation 2"]
    assert [item.generation for item in tailer.streams()] == [0, 1, 2, 3]
    assert tailer.gaps() == []


def test_killed_while_a_rotated_file_is_drained(logs: Path, log: Path, make_tailer: MakeTailer) -> None:
    log.write_bytes(b"one\n")
    tailer = make_tailer([log])
    tailer.look()
    log.rename(logs / "a.log.1")
    tailer.look()
    tailer.kill()
    append(logs / "a.log.1", b"late, unbroken")
    tailer.start()
    tailer.look()
    tailer.look(seconds=60)
    tailer.look()
    assert tailer.texts() == [b"one", b"late, unbroken"]
    assert tailer.gaps() == []


def test_gone_while_down_is_a_gap(log: Path, make_tailer: MakeTailer) -> None:
    log.write_bytes(b"one\n")
    tailer = make_tailer([log])
    tailer.look()
    tailer.kill()
    log.unlink()
    tailer.start()
    tailer.look()
    assert [(gap.start_offset, gap.end_offset, gap.reason) for gap in tailer.gaps()] == [
        (4, None, "rotated away while nobody was reading")
    ]


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"new\n", "truncated while nobody was reading"), (b"longer than before\n", "rewritten while nobody was reading")],
)
def test_truncate_while_down(log: Path, make_tailer: MakeTailer, content: bytes, reason: str) -> None:
    log.write_bytes(b"one\ntwo\n")
    tailer = make_tailer([log])
    tailer.look()
    tailer.kill()
    log.write_bytes(content)
    tailer.start()
    tailer.look()
    assert tailer.texts() == [b"one", b"two", content.strip()]
    assert [(gap.start_offset, gap.end_offset, gap.reason) for gap in tailer.gaps()] == [(8, None, reason)]


def test_copytruncate_while_down_loses_nothing(logs: Path, log: Path, make_tailer: MakeTailer) -> None:
    log.write_bytes(b"one\n")
    tailer = make_tailer([log])
    tailer.look()
    tailer.kill()
    append(log, b"two\n")
    shutil.copyfile(log, logs / "a.log-20260302")
    log.write_bytes(b"three\n")
    tailer.start()
    tailer.look()
    assert tailer.texts() == [b"one", b"two", b"three"]
    assert tailer.gaps() == []


def test_mid_file_stop_exact_sum(log: Path, make_tailer: MakeTailer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tail_file, "CHUNK_BYTES", 1 << 16)
    log.write_bytes(b"".join(b"%d\n" % number for number in range(50_000)))
    tailer = make_tailer([log])
    for batches in (0, 1, 2, 0):
        tailer.kill_before_commit(batches)
        tailer.start()
    tailer.look()
    numbers = [int(text) for text in tailer.texts()]
    assert numbers == list(range(50_000))
    assert sum(numbers) == 1_249_975_000


def test_stale_rows_retired(logs: Path, log: Path, make_tailer: MakeTailer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_book, "KEPT_ENDED", 3)
    tailer = make_tailer([log])
    for number in range(8):
        log.write_bytes(b"generation %d\n" % number)
        tailer.look()
        log.unlink()
        tailer.look()
        tailer.look(seconds=60)
        tailer.look()
        if number % 3 == 2:
            tailer.restart()
    assert len(tailer.source.positions) == 3
    states = [item.state for item in tailer.streams()]
    assert states == ["retired"] * 5 + ["drained"] * 3
    log.write_bytes(b"generation 8\n")
    tailer.restart()
    tailer.look()
    assert [item.generation for item in tailer.streams()] == list(range(9))
    assert len({item.uid for item in tailer.streams()}) == 9
    assert tailer.texts() == [b"generation %d" % number for number in range(9)]


def test_a_path_that_was_renamed_never_gives_its_id_away(logs: Path, log: Path, make_tailer: MakeTailer) -> None:
    log.write_bytes(b"one\n")
    tailer = make_tailer([logs / "a.log*"])
    tailer.look()
    log.rename(logs / "a.log.1")  # the row goes along
    tailer.look()
    tailer.restart()
    log.write_bytes(b"two\n")
    tailer.look()
    assert [(item.path, item.generation) for item in tailer.streams()] == [(str(logs / "a.log.1"), 0), (str(log), 1)]


@pytest.mark.parametrize("jump_s", [-86_400.0, 86_400.0])
def test_clock_jump(logs: Path, log: Path, make_tailer: MakeTailer, jump_s: float) -> None:
    log.write_bytes(b"one\n")
    tailer = make_tailer([log])
    tailer.look()
    append(log, b"two\nunbro")
    tailer.look(seconds=jump_s)
    append(log, b"ken\n")
    log.rename(logs / "a.log.1")
    log.write_bytes(b"three\n")
    tailer.look(seconds=-jump_s)
    append(logs / "a.log.1", b"late\n")
    tailer.look(seconds=jump_s)
    tailer.restart()
    append(log, b"four\n")
    tailer.look()
    assert tailer.texts() == [b"one", b"two", b"unbroken", b"three", b"late", b"four"]
    assert tailer.gaps() == []


def test_another_device_number_after_a_reboot_is_the_same_file(log: Path) -> None:
    log.write_bytes(b"one\n")
    before = FileSource([str(log)], [], history="start", zone_of=lambda _: "UTC", clock=lambda: 0)
    before.scan()
    for batch in before.read(0):
        before.committed(batch)
    (known,) = before.take_changes()[0]
    before.close()
    append(log, b"two\n")
    known.device = (known.device or 0) + 1
    after = FileSource([str(log)], [known], history="start", zone_of=lambda _: "UTC", clock=lambda: 0)
    after.scan()
    assert [batch.line_bytes(0) for batch in after.read(1)] == [b"two"]
    assert after.take_changes()[1] == []
    after.close()
