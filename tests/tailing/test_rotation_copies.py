"""Rotation by copying and compressing: what was not read of a file is read in its copy, once."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard
from tests.tailing.conftest import MakeTailer
from tests.tailing.log_changes import append, copytruncate, joined, numbered, ranges

COMPRESSORS: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.compress,
    ".xz": lzma.compress,
    ".zst": zstandard.ZstdCompressor().compress,
    ".bz2": bz2.compress,
}


@pytest.fixture
def log(logs: Path) -> Path:
    return logs / "a.log"


@pytest.mark.parametrize("pattern", ["*.log", "*.log*"])
def test_copytruncate_slow_many_files(logs: Path, make_tailer: MakeTailer, pattern: str) -> None:
    names = [f"{number:02}.log" for number in range(30)]
    for name in names:
        (logs / name).write_bytes(name.encode() + b"\n" + numbered(0, 100))
    tailer = make_tailer([logs / pattern])
    tailer.look()
    for name in names:  # each copied in two steps, with looks in between, and written to meanwhile
        with (logs / f"{name}.1").open("wb") as copy:
            copy.write((logs / name).read_bytes()[:2000])
            copy.flush()
            if name < "10":
                tailer.look()
            append(logs / name, name.encode() + b" while copying\n")
            copy.write((logs / name).read_bytes()[2000:])
        if name < "10":
            tailer.look()
        os.truncate(logs / name, 0)
        append(logs / name, name.encode() + b" after\n")
    tailer.look()
    tailer.look(seconds=60)
    texts = tailer.texts()
    assert len(texts) == 30 * 103
    for name in names:
        assert [text for text in texts if text.startswith(name.encode())] == [
            name.encode() + end for end in (b"", b" while copying", b" after")
        ]
    assert tailer.gaps() == []


@pytest.mark.parametrize("pattern", ["*.log", "*.log*"])
@pytest.mark.parametrize("ending", ["", *COMPRESSORS])
def test_copytruncate_with_unread_tail(
    logs: Path, log: Path, make_tailer: MakeTailer, pattern: str, ending: str
) -> None:
    log.write_bytes(numbered(0, 100))
    tailer = make_tailer([logs / pattern])
    tailer.look()
    append(log, numbered(100, 100))
    copy = logs / "a.log.1"
    copytruncate(log, copy)
    if ending:
        copy.with_name(copy.name + ending).write_bytes(COMPRESSORS[ending](copy.read_bytes()))
        copy.unlink()
    append(log, numbered(200, 1))
    tailer.look()
    tailer.look()
    assert joined(tailer) == numbered(0, 201)
    assert tailer.gaps() == []


def test_copytruncate_without_a_copy_of_all_of_it_is_a_gap(log: Path, make_tailer: MakeTailer) -> None:
    log.write_bytes(numbered(0, 100) + b"begun")
    tailer = make_tailer([log])
    tailer.look()
    log.with_suffix(".log.1").write_bytes(numbered(0, 100))
    os.truncate(log, 0)
    tailer.look()
    assert ranges(tailer) == [(4000, 4005, "written between copy and truncation")]


@pytest.mark.parametrize("is_down", [False, True])
def test_copytruncated_and_renamed_between_two_looks(
    logs: Path, log: Path, make_tailer: MakeTailer, is_down: bool
) -> None:
    log.write_bytes(b"one\ntw")
    tailer = make_tailer([logs / "*.log"])
    tailer.look()
    if is_down:
        tailer.kill()
    append(log, b"o\n")
    copytruncate(log, logs / "a.log.1")
    log.rename(logs / "a.log.2")
    append(logs / "a.log.2", b"three\n")
    if is_down:
        tailer.start()
    tailer.look()
    tailer.look()
    assert tailer.texts() == [b"one", b"two", b"three"]
    assert tailer.gaps() == []


def test_an_unread_file_rotated_and_gzipped_while_down_is_read(logs: Path, log: Path, make_tailer: MakeTailer) -> None:
    log.touch()
    tailer = make_tailer([log])
    tailer.look()
    tailer.kill()
    with log.open():  # so that the inode is not given to the next file
        log.unlink()
        (logs / "a.log.1.gz").write_bytes(gzip.compress(b"one\ntwo\n"))
    tailer.start()
    tailer.look()
    assert tailer.texts() == [b"one", b"two"]
    # nothing was read of it, so that nobody can tell that this is all of it
    assert ranges(tailer) == [(0, None, "rotated away while nobody was reading")]


@pytest.mark.parametrize("ending", COMPRESSORS)
@pytest.mark.parametrize("is_down", [False, True])
def test_rotated_then_gzipped_content_once(
    logs: Path, log: Path, make_tailer: MakeTailer, ending: str, is_down: bool
) -> None:
    log.write_bytes(numbered(0, 50))
    tailer = make_tailer([logs / "*"])
    tailer.look()
    if is_down:
        tailer.kill()
    append(log, numbered(50, 50))
    packed = logs / f"a.log.1{ending}"
    packed.write_bytes(COMPRESSORS[ending](log.read_bytes()))
    log.unlink()
    log.write_bytes(numbered(100, 1))
    if is_down:
        tailer.start()
    tailer.look()
    tailer.look(seconds=60)
    tailer.restart()
    tailer.look()
    assert joined(tailer) == numbered(0, 101)
    assert tailer.gaps() == []


@pytest.mark.parametrize("ending", COMPRESSORS)
def test_gz_members_appended_resumed_three_times(logs: Path, make_tailer: MakeTailer, ending: str) -> None:
    log = logs / f"a.log{ending}"
    log.write_bytes(b"")
    tailer = make_tailer([log])
    tailer.look()
    whole = numbered(0, 400)
    for member in range(4):
        packed = COMPRESSORS[ending](whole[member * 4000 : (member + 1) * 4000])
        append(log, packed[:30])
        tailer.look()
        append(log, packed[30:])
        tailer.look()
        tailer.restart()
    tailer.look()
    assert joined(tailer) == whole
    assert [line.offset for line in tailer.lines()] == list(range(0, 16_000, 40))  # places in what it decompresses to
    assert tailer.gaps() == []


def test_a_damaged_gz_is_an_error_and_goes_on_when_it_is_mended(logs: Path, make_tailer: MakeTailer) -> None:
    log = logs / "a.log.gz"
    good = gzip.compress(numbered(0, 100))
    log.write_bytes(good + b"not compressed")
    tailer = make_tailer([log])
    tailer.look()
    (stream,) = tailer.streams()
    assert (len(tailer.texts()), stream.state) == (100, "error")
    assert stream.error is not None
    assert "no compressed data behind byte 4000" in stream.error
    log.write_bytes(good + gzip.compress(numbered(100, 1)))
    tailer.look()
    assert joined(tailer) == numbered(0, 101)


def test_replaced_by_a_longer_whole_copy_only_the_rest_is_read(logs: Path, log: Path, make_tailer: MakeTailer) -> None:
    log.write_bytes(numbered(0, 100))
    tailer = make_tailer([log])
    tailer.look()
    (logs / "new").write_bytes(numbered(0, 101))
    (logs / "new").replace(log)  # as editors save
    tailer.look()
    assert joined(tailer) == numbered(0, 101)
