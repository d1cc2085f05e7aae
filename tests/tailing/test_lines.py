"""Lines: where they begin and end, however they were written, and how they read as text."""

from __future__ import annotations

import os
import tracemalloc
from pathlib import Path

import pytest
from tests.tailing.conftest import MakeTailer
from tests.tailing.log_changes import append

from livesec.core.batch import MAX_LINE_BYTES
from livesec.sources import tail_file
from livesec.sources.content import PlainContent


@pytest.fixture
def log(logs: Path) -> Path:
    return logs / "a.log"


def test_one_line_in_two_writes(log: Path, make_tailer: MakeTailer) -> None:
    log.write_bytes(b"on")
    tailer = make_tailer([log])
    assert tailer.look() == 0
    append(log, b"e\n")
    assert tailer.look() == 1
    assert tailer.texts() == [b"one"]


def test_last_line_without_newline_across_restart(log: Path, make_tailer: MakeTailer) -> None:
    log.write_bytes(b"one\ntw")
    tailer = make_tailer([log])
    tailer.look()
    tailer.restart()
    assert tailer.look() == 0
    append(log, b"o")
    tailer.look()
    tailer.restart()
    append(log, b"\n")
    tailer.look()
    assert tailer.texts() == [b"one", b"two"]


def test_no_split_on_a_slow_writer(log: Path, make_tailer: MakeTailer) -> None:
    tailer = make_tailer([log])
    for byte in b"slowly\n":
        append(log, bytes([byte]))
        tailer.look(seconds=600)
    assert tailer.texts() == [b"slowly"]


def test_no_split_on_a_slow_writer_whose_file_was_rotated(log: Path, make_tailer: MakeTailer) -> None:
    log.write_bytes(b"slo")
    tailer = make_tailer([log])
    tailer.look()
    with log.open("ab", buffering=0) as writer:
        log.rename(log.with_suffix(".1"))
        log.write_bytes(b"new\n")
        tailer.look(seconds=20)
        writer.write(b"wly")
        tailer.look(seconds=20)
        writer.write(b"\nlast")
        tailer.look(seconds=20)
    assert tailer.texts() == [b"new", b"slowly"]
    tailer.look(seconds=20)
    tailer.look(seconds=20)
    assert tailer.texts() == [b"new", b"slowly", b"last"]  # drained: it is as whole as it gets


def test_empty_lines(log: Path, make_tailer: MakeTailer) -> None:
    log.write_bytes(b"\n\na\n\n")
    tailer = make_tailer([log])
    assert tailer.look() == 4
    assert [(line.offset, line.line) for line in tailer.lines()] == [(0, b""), (1, b""), (2, b"a"), (4, b"")]


def test_crlf(log: Path, make_tailer: MakeTailer) -> None:
    log.write_bytes(b"one\r\ntwo\r")
    tailer = make_tailer([log])
    tailer.look()
    append(log, b"\n")
    tailer.source.scan()
    (batch,) = tailer.source.read(1)
    assert batch.lines["line"].to_list() == ["two"]
    assert tailer.texts() == [b"one\r"]


@pytest.mark.parametrize("size", [MAX_LINE_BYTES, MAX_LINE_BYTES + 1, 1_700_000])
def test_a_line_at_the_limit_keeps_its_prefix_and_the_next_line_survives(
    log: Path, make_tailer: MakeTailer, size: int
) -> None:
    log.write_bytes(b"x" * size + b"\nnext\n")
    tailer = make_tailer([log])
    tailer.look()
    long, after = tailer.lines()
    assert (long.offset, long.length, long.line) == (0, size, b"x" * min(size, MAX_LINE_BYTES))
    assert (after.offset, after.line) == (size + 1, b"next")


@pytest.mark.parametrize("before", [0, 1, 2, 3])
@pytest.mark.parametrize("chunk", [1 << 20, 8 << 20])
def test_no_cut_inside_a_utf_8_character(
    log: Path, make_tailer: MakeTailer, before: int, chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tail_file, "CHUNK_BYTES", chunk)
    text = "x" * before + "\U0001f512" * (MAX_LINE_BYTES // 4 + 1)
    log.write_bytes(text.encode() + b"\n")
    tailer = make_tailer([log])
    tailer.look()
    (line,) = tailer.lines()
    assert text.startswith(line.line.decode())
    assert MAX_LINE_BYTES - 4 < len(line.line) <= MAX_LINE_BYTES


def test_invalid_utf_8_counted(log: Path, make_tailer: MakeTailer) -> None:
    log.write_bytes(b"good\n\xff\xfe\x00bad\xc3\nlast\n")
    tailer = make_tailer([log])
    tailer.source.scan()
    (batch,) = tailer.source.read(0)
    assert batch.lines["line"].to_list() == ["good", "\ufffd\ufffd\x00bad\ufffd", "last"]
    assert batch.line_bytes(1) == b"\xff\xfe\x00bad\xc3"
    assert batch.offsets.tolist() == [0, 5, 13]


def test_bom_utf_8(log: Path, make_tailer: MakeTailer) -> None:
    log.write_bytes(b"\xef\xbb")
    tailer = make_tailer([log])
    assert tailer.look() == 0
    append(log, b"\xbfone\ntwo\n")
    tailer.look()
    assert [(line.offset, line.line) for line in tailer.lines()] == [(3, b"one"), (7, b"two")]
    assert tailer.source.line_at(1, 3) == (b"one", 3)


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
def test_bom_utf_16_and_0x0a_inside_a_multibyte_character(log: Path, make_tailer: MakeTailer, codec: str) -> None:
    lines = ["grüße", "", "\u0a0a\u010a\u0a01 Gurmukhi and C with dot", "\U0001f512", "end"]
    data = "\ufeff".encode(codec) + "".join(line + "\n" for line in lines).encode(codec)
    log.write_bytes(data[:23])  # inside the third line, and inside a character
    tailer = make_tailer([log])
    tailer.look()
    append(log, data[23:40])
    tailer.restart()
    tailer.look()
    append(log, data[40:])
    tailer.look()
    assert [line.line.decode() for line in tailer.lines()] == lines
    for stored in tailer.lines():
        assert data[stored.offset : stored.offset + stored.length].decode(codec) == stored.line.decode()
        assert tailer.source.line_at(1, stored.offset) == (stored.line, stored.length)
    assert tailer.streams()[0].offset == len(data)


def test_a_utf_16_line_over_the_limit(log: Path, make_tailer: MakeTailer) -> None:
    text = "é" * (2 * MAX_LINE_BYTES)
    log.write_bytes("\ufeffa\n".encode("utf-16-le") + f"{text}\nnext\n".encode("utf-16-le"))
    tailer = make_tailer([log])
    tailer.look()
    first, long, after = tailer.lines()
    assert (first.line, after.line) == (b"a", b"next")
    assert (long.offset, long.length) == (6, 4 * MAX_LINE_BYTES)
    assert long.line.decode() == "é" * (MAX_LINE_BYTES // 2)


def test_a_first_line_that_starts_like_a_utf_16_mark_changes_nothing_for_the_others(
    log: Path, make_tailer: MakeTailer
) -> None:
    log.write_bytes(b"\xff\xfehello\nsecond\n")
    tailer = make_tailer([log])
    tailer.look()
    append(log, b"a\0b\0c\0\nthird\n")
    tailer.restart()
    tailer.look()
    assert tailer.texts() == [b"\xff\xfehello", b"second", b"a\0b\0c\0", b"third"]


def test_nul_hole_after_copytruncate_without_o_append(log: Path, make_tailer: MakeTailer) -> None:
    with log.open("wb", buffering=0) as writer:
        writer.write(b"first line\n" * 1000)
        tailer = make_tailer([log])
        assert tailer.look() == 1000
        os.truncate(log, 0)
        writer.write(b"after\n")  # at byte 11,000: zeros before it
        tailer.look()
        writer.write(b"more\n")
        tailer.look()
    assert tailer.texts()[1000:] == [b"after", b"more"]
    assert [line.offset for line in tailer.lines()[1000:]] == [11_000, 11_006]
    assert [(gap.start_offset, gap.end_offset, gap.reason) for gap in tailer.gaps()] == [
        (0, 11_000, "zero bytes where a line should start")
    ]


def test_blocks_of_zeros_in_the_middle_of_a_file_are_no_line(log: Path, make_tailer: MakeTailer) -> None:
    log.write_bytes(b"before\n" + bytes(1 << 20) + b"after\n\0few zeros\n")
    tailer = make_tailer([log])
    tailer.look()
    assert tailer.texts() == [b"before", b"after", b"\0few zeros"]
    assert [(gap.start_offset, gap.end_offset) for gap in tailer.gaps()] == [(7, 7 + (1 << 20))]


GIGABYTE = 1 << 30


def test_1_gb_line_bounded_memory_and_the_skipping_survives_a_restart(
    log: Path, make_tailer: MakeTailer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tail_file, "SEARCH_BYTES", 256 << 20)
    log.write_bytes(b"one\n" + b"x" * (2 << 20))
    os.truncate(log, GIGABYTE)  # the rest of the line is a hole, so that the disk is spared
    tailer = make_tailer([log])
    tracemalloc.start()
    try:
        tailer.look()
        assert tailer.texts() == [b"one"]
        tailer.restart()
        asked: list[tuple[int, int]] = []
        real = PlainContent.pread

        def pread(content: PlainContent, size: int, offset: int) -> bytes:
            asked.append((size, offset))
            return real(content, size, offset)

        monkeypatch.setattr(PlainContent, "pread", pread)
        append(log, b"end\nnext\n")
        tailer.look()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert sum(size for size, _ in asked) < 32 << 20  # not the gigabyte again
    _, long, after = tailer.lines()
    assert (long.offset, long.length, len(long.line)) == (4, GIGABYTE - 4 + 3, MAX_LINE_BYTES)
    assert after.line == b"next"
    assert peak < 64 << 20
