"""The tailer on real files: what is read, from which address, through rename, truncation and restart."""

import os
from pathlib import Path

import pytest

from livesec.core.anomaly import Gap, StreamPosition
from livesec.core.batch import MAX_LINE_BYTES
from livesec.core.clock import US_PER_DAY
from livesec.sources import tail_file
from livesec.sources.file_source import FileSource, expand
from livesec.sources.rotated_files import QUIET_US


class Reader:
    """A FileSource with what the daemon does around it, and what a store would remember."""

    def __init__(self, patterns: list[str], history: str = "start", known: list[StreamPosition] | None = None) -> None:
        self.now_us = 0
        self.source = FileSource(
            patterns, known or [], history=history, zone_of=lambda _: "UTC", clock=lambda: self.now_us
        )
        self.gaps: list[Gap] = []
        self.sequence = 0

    def read(self) -> list[tuple[int, int, bytes]]:
        """(stream, offset, line) of everything new."""
        self.source.scan()
        found = []
        for batch in self.source.read(self.sequence):
            assert batch.first_sequence == self.sequence
            self.sequence += len(batch)
            found += [(batch.stream.stream_id, int(batch.offsets[i]), batch.line_bytes(i)) for i in range(len(batch))]
            self.source.committed(batch)
        self.gaps += self.source.take_changes()[1]
        return found

    def lines(self) -> list[bytes]:
        return [line for _, _, line in self.read()]

    def restarted(self) -> "Reader":
        self.source.close()
        return Reader(list(self.source.patterns), known=self.source.positions)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "app.log"


def append(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


def test_lines_come_once_with_their_addresses_and_partial_ones_wait(log: Path) -> None:
    log.write_bytes(b"one\ntw")
    reader = Reader([str(log)])
    assert reader.read() == [(1, 0, b"one")]
    assert reader.read() == []
    append(log, b"o\nthree\n")
    assert reader.read() == [(1, 4, b"two"), (1, 8, b"three")]


def test_a_file_that_comes_later_is_found(log: Path) -> None:
    reader = Reader([str(log)])
    assert reader.lines() == []
    log.write_bytes(b"here\n")
    assert reader.lines() == [b"here"]


def test_renamed_and_recreated_the_old_file_is_drained_first(log: Path) -> None:
    log.write_bytes(b"a\n")
    reader = Reader([str(log)])
    assert reader.lines() == [b"a"]
    append(log, b"b\nlast without break")
    log.rename(log.with_suffix(".1"))
    log.write_bytes(b"c\n")
    assert reader.lines() == [b"b", b"c"]
    reader.now_us += QUIET_US - 1
    assert reader.lines() == []  # its writer may yet finish the line
    reader.now_us += 1
    assert reader.lines() == [b"last without break"]
    assert reader.gaps == []


def test_renamed_within_the_glob_nothing_is_read_twice(tmp_path: Path) -> None:
    (tmp_path / "x.log").write_bytes(b"a\n")
    reader = Reader([str(tmp_path / "*.log")])
    assert reader.lines() == [b"a"]
    (tmp_path / "x.log").rename(tmp_path / "y.log")
    assert reader.lines() == []
    append(tmp_path / "y.log", b"b\n")
    assert reader.lines() == [b"b"]


def test_truncated_it_starts_again_and_unread_bytes_are_a_gap(log: Path) -> None:
    log.write_bytes(b"a long first line\n")
    reader = Reader([str(log)])
    assert reader.lines() == [b"a long first line"]
    append(log, b"half a li")
    assert reader.lines() == []
    log.write_bytes(b"new\n")
    assert reader.lines() == [b"new"]
    assert [(gap.start_offset, gap.end_offset, gap.reason) for gap in reader.gaps] == [
        (18, 27, "truncated before it was read")
    ]


def test_a_restart_resumes_where_it_was(log: Path) -> None:
    log.write_bytes(b"a\nb\n")
    reader = Reader([str(log)])
    assert reader.lines() == [b"a", b"b"]
    append(log, b"c\n")
    assert reader.restarted().lines() == [b"c"]


def test_renamed_while_nobody_was_reading_the_rest_is_still_read(log: Path) -> None:
    log.write_bytes(b"a\n")
    reader = Reader([str(log)])
    assert reader.lines() == [b"a"]
    append(log, b"b\n")
    log.rename(log.with_suffix(".1"))
    log.write_bytes(b"c\n")
    again = reader.restarted()
    assert again.lines() == [b"b", b"c"]
    assert again.gaps == []


def test_gone_while_nobody_was_reading_is_a_gap(log: Path) -> None:
    log.write_bytes(b"a\n")
    reader = Reader([str(log)])
    assert reader.lines() == [b"a"]
    keep = os.open(log, os.O_RDONLY)  # so that the inode is not given to the next file
    log.unlink()
    log.write_bytes(b"c\n")
    again = reader.restarted()
    assert again.lines() == [b"c"]
    assert [gap.reason for gap in again.gaps] == ["rotated away while nobody was reading"]
    os.close(keep)


def test_rewritten_while_nobody_was_reading_is_a_gap_and_read_from_its_start(log: Path) -> None:
    log.write_bytes(b"first\nsecond\n")
    reader = Reader([str(log)])
    assert len(reader.lines()) == 2
    with log.open("r+b") as file:
        file.write(b"other\nwords here now\n")
    again = reader.restarted()
    assert again.lines() == [b"other", b"words here now"]
    assert [gap.reason for gap in again.gaps] == ["rewritten while nobody was reading"]


def test_an_unreadable_file_is_an_error_and_read_once_it_may_be(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log.write_bytes(b"a\n")
    real_open = os.open
    allowed = False

    def guarded(path: str, flags: int) -> int:  # root may read everything, so the refusal is made here
        if str(path) == str(log) and not allowed:
            raise PermissionError(13, "Permission denied")
        return real_open(path, flags)

    monkeypatch.setattr(os, "open", guarded)
    reader = Reader([str(log)])
    assert reader.lines() == []
    assert [(item.state, item.error) for item in reader.source.positions] == [("error", "Permission denied")]
    allowed = True
    assert reader.lines() == [b"a"]
    assert reader.source.positions[0].state == "active"


@pytest.mark.parametrize("extra", [-1, 0, 1, 700_000])
def test_a_line_at_the_limit_keeps_its_prefix_and_the_next_survives(log: Path, extra: int) -> None:
    size = MAX_LINE_BYTES + extra
    log.write_bytes(b"a\n" + b"x" * size + b"\nnext\n")
    lines = Reader([str(log)]).read()
    assert [line for _, _, line in lines] == [b"a", b"x" * min(size, MAX_LINE_BYTES), b"next"]
    assert [offset for _, offset, _ in lines] == [0, 2, size + 3]


def test_a_line_longer_than_a_chunk_waits_for_its_end(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tail_file, "CHUNK_BYTES", 1 << 21)
    log.write_bytes(b"x" * (5 << 20))
    reader = Reader([str(log)])
    assert reader.lines() == []
    append(log, b"end\nnext\n")
    found = reader.read()
    assert [(offset, len(line)) for _, offset, line in found] == [(0, MAX_LINE_BYTES), ((5 << 20) + 4, 4)]


def test_history_says_how_far_back_a_first_look_goes(log: Path) -> None:
    log.write_bytes(b"old\npart")
    from_end = Reader([str(log)], history="end")
    assert from_end.lines() == []
    append(log, b"ial\nnew\n")
    assert from_end.lines() == [b"partial", b"new"]
    week = Reader([str(log)], history="7d")
    week.now_us = 100 * US_PER_DAY
    week.read()
    assert week.source.positions[0].not_before_us == 93 * US_PER_DAY


def test_evidence_is_read_back_by_its_address(log: Path) -> None:
    log.write_bytes(b"one\ntwo\n")
    reader = Reader([str(log)])
    reader.read()
    assert reader.source.line_at(1, 4) == (b"two", 3)
    assert reader.source.line_at(9, 0) is None


def test_regrown_past_its_old_size_it_starts_again(log: Path) -> None:
    log.write_bytes(b"one\ntwo\n")
    reader = Reader([str(log)])
    assert len(reader.lines()) == 2
    log.write_bytes(b"new\nwords\nmore than before\n")  # truncated and rewritten between two looks
    assert reader.lines() == [b"new", b"words", b"more than before"]
    assert reader.source.line_at(1, 4) is None  # what stands there now is not the line that was read


def test_folders_leave_out_what_is_not_a_log(tmp_path: Path) -> None:
    for name in ("auth.log", "auth.log.1.gz", ".hidden", "livesec.db", "livesec.db-wal", "anomalies.csv"):
        (tmp_path / name).touch()
    (tmp_path / "sub").mkdir()
    assert expand([str(tmp_path)]) == [str(tmp_path / "auth.log")]
    assert expand([str(tmp_path / "auth.log.1.gz")]) == [str(tmp_path / "auth.log.1.gz")]
