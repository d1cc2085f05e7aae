"""Start and discovery: which files are read, from where, and how many may be open."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.e2e.command import CHECKOUT, environment
from tests.e2e.unprivileged import UNPRIVILEGED
from tests.tailing.conftest import MakeTailer
from tests.tailing.log_changes import append

from livesec.sources import handles


def test_existing_content_is_read(logs: Path, make_tailer: MakeTailer) -> None:
    (logs / "a.log").write_bytes(b"one\ntwo\n")
    tailer = make_tailer([logs / "a.log"])
    assert tailer.look() == 2
    assert tailer.texts() == [b"one", b"two"]


def test_start_at_end_reads_what_comes_and_whole_new_files(logs: Path, make_tailer: MakeTailer) -> None:
    (logs / "old.log").write_bytes(b"old\nbegun")
    (logs / "unbroken.log").write_bytes(b"no break yet")
    tailer = make_tailer([logs / "*.log"], history="end")
    tailer.look()
    append(logs / "old.log", b" before\nnew\n")
    append(logs / "unbroken.log", b", but now\n")
    (logs / "late.log").write_bytes(b"from its start\n")
    tailer.look()
    assert sorted(tailer.texts()) == [b"begun before", b"from its start", b"new", b"no break yet, but now"]


def test_start_at_end_does_not_skip_what_came_to_a_watched_glob_while_down(logs: Path, make_tailer: MakeTailer) -> None:
    (logs / "monday.log").write_bytes(b"old\n")
    tailer = make_tailer([logs / "*.log"], history="end")
    tailer.look()
    tailer.kill()
    (logs / "tuesday.log").write_bytes(b"while down\n")
    tailer.start()
    tailer.look()
    assert tailer.texts() == [b"while down"]


def test_path_missing_at_start_is_read_once_it_is_created(logs: Path, make_tailer: MakeTailer) -> None:
    tailer = make_tailer([logs / "sub" / "a.log", logs / "sub" / "*.txt"])
    assert tailer.look() == 0
    (logs / "sub").mkdir()
    (logs / "sub" / "a.log").write_bytes(b"named\n")
    (logs / "sub" / "b.txt").write_bytes(b"matched\n")
    tailer.look()
    assert sorted(tailer.texts()) == [b"matched", b"named"]


def test_include_and_exclude_globs(logs: Path, make_tailer: MakeTailer) -> None:
    for name in ("a.log", "a-debug.log", "b.txt", "c.old", "d.log", ".hidden.log", "e.log.gz"):
        (logs / name).write_bytes(name.encode() + b"\n")
    tailer = make_tailer([logs / "*.log", logs / "*.old", f"!{logs}/*debug*", "!*.old", f"!{logs}/d.log"])
    tailer.look()
    assert tailer.texts() == [b"a.log"]


def test_a_name_that_is_not_utf_8_is_passed_over(logs: Path, make_tailer: MakeTailer) -> None:
    (logs / "a.log").write_bytes(b"a\n")
    (logs / os.fsdecode(b"\xff\xfe.log")).write_bytes(b"b\n")
    tailer = make_tailer([logs])
    tailer.look()
    assert tailer.texts() == [b"a"]


def test_empty_files_that_grow_later(logs: Path, make_tailer: MakeTailer) -> None:
    (logs / "a.log").touch()
    tailer = make_tailer([logs])
    assert tailer.look() == 0
    append(logs / "a.log", b"now\n")
    assert tailer.look() == 1


def test_identical_short_heads_are_not_merged(logs: Path, make_tailer: MakeTailer) -> None:
    for name in ("a.log", "b.log", "a.log.1"):  # the last as a copytruncate would name it
        (logs / name).write_bytes(b"starting\n")
    tailer = make_tailer([logs / "a.log*", logs / "b.log"])
    tailer.look()
    tailer.look(seconds=30)
    tailer.look(seconds=30)
    assert tailer.texts() == [b"starting"] * 3
    append(logs / "a.log.1", b"own\n")
    tailer.look()
    assert tailer.texts()[3:] == [b"own"]


def test_more_files_than_the_handle_limit(logs: Path, make_tailer: MakeTailer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handles, "MAX_OPEN_FILES", 5)
    names = [f"{number:02}.log" for number in range(40)]
    for name in names:
        (logs / name).write_bytes(b"first " + name.encode() + b"\n")
    tailer = make_tailer([logs])
    assert tailer.look() == 40
    for turn in range(3):
        for name in names:
            append(logs / name, b"more\n" * (turn + 1))
        assert tailer.look() == 40 * (turn + 1)
        assert tailer.source.open_files <= 5
        assert _open_under(logs) <= 5
    (logs / "03.log").rename(logs / "gone.txt")  # found by its inode, though its handle was closed
    append(logs / "gone.txt", b"rest\n")
    tailer.look()
    assert b"rest" in tailer.texts()
    assert tailer.gaps() == []


def _open_under(folder: Path) -> int:
    links = []
    for fd in os.listdir("/proc/self/fd"):
        try:
            links.append(os.readlink(f"/proc/self/fd/{fd}"))
        except OSError:
            continue
    return sum(link.startswith(str(folder)) for link in links)


def test_directory_at_a_matching_path(logs: Path, make_tailer: MakeTailer) -> None:
    (logs / "dir.log").mkdir()
    os.mkfifo(logs / "pipe.log")
    (logs / "a.log").write_bytes(b"a\n")
    tailer = make_tailer([logs / "*.log"])
    assert tailer.look() == 1
    (logs / "a.log").unlink()
    (logs / "a.log").mkdir()
    tailer.look()
    (logs / "dir.log").rmdir()
    (logs / "dir.log").write_bytes(b"a file now\n")
    tailer.look()
    assert tailer.texts() == [b"a", b"a file now"]
    assert tailer.gaps() == []


def test_parent_directory_renamed_and_recreated(logs: Path, make_tailer: MakeTailer) -> None:
    folder = logs / "app"
    folder.mkdir()
    (folder / "a.log").write_bytes(b"one\n")
    tailer = make_tailer([folder / "a.log", folder / "*.txt"])
    tailer.look()
    append(folder / "a.log", b"two\n")
    folder.rename(logs / "app.old")
    folder.mkdir()
    (folder / "a.log").write_bytes(b"three\n")
    (folder / "b.txt").write_bytes(b"four\n")
    tailer.look()
    append(logs / "app.old" / "a.log", b"late\n")
    tailer.look()
    assert sorted(tailer.texts()) == [b"four", b"late", b"one", b"three", b"two"]
    assert tailer.gaps() == []


_READS_WHEN_ASKED = """
import sys
from livesec.sources.file_source import FileSource
source = FileSource(sys.argv[1:], [], history="start", zone_of=lambda _: "UTC", clock=lambda: 0)
for _ in sys.stdin:
    source.scan()
    lines = 0
    for batch in source.read(0):
        lines += len(batch)
        source.committed(batch)
    print(lines, *((item.state, item.error) for item in source.positions), flush=True)
"""


def test_unreadable_then_chmod(logs: Path) -> None:
    log = logs / "a.log"
    log.write_bytes(b"secret\n")
    log.chmod(0)
    with subprocess.Popen(
        [*UNPRIVILEGED, sys.executable, "-c", _READS_WHEN_ASKED, str(log)],
        env=environment(),
        cwd=CHECKOUT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:

        def look() -> str:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write("look\n")
            process.stdin.flush()
            return process.stdout.readline().strip()

        assert look() == "0 ('error', 'Permission denied')"
        assert look() == "0 ('error', 'Permission denied')"
        log.chmod(0o600)
        assert look() == "1 ('active', None)"
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(timeout=30) == 0


def test_a_pattern_that_is_taken_out_and_put_back_goes_on_where_it_was(logs: Path, make_tailer: MakeTailer) -> None:
    (logs / "a.log").write_bytes(b"a1\n")
    (logs / "b.log").write_bytes(b"b1\n")
    tailer = make_tailer([logs / "a.log", logs / "b.log"])
    tailer.look()
    tailer.source.watch_patterns([str(logs / "a.log")])
    append(logs / "b.log", b"b2\n")
    tailer.look()
    assert tailer.texts() == [b"a1", b"b1"]
    assert {item.path: item.state for item in tailer.streams()} == {
        str(logs / "a.log"): "active",
        str(logs / "b.log"): "unwatched",
    }
    tailer.source.watch_patterns([str(logs / "*.log")])
    tailer.look()
    assert tailer.texts() == [b"a1", b"b1", b"b2"]
    assert tailer.gaps() == []


def test_idle_empty_files_are_never_opened(logs: Path, make_tailer: MakeTailer) -> None:
    for number in range(2_000):
        (logs / f"{number}.log").touch()
    tailer = make_tailer([logs])
    tailer.look()
    time.sleep(0.1)  # so that the files' ctimes are settled
    tailer.look()
    before = tailer.source.open_files
    tailer.source.scan()
    assert next(tailer.source.read(0), None) is None
    assert tailer.source.open_files == before == 0
