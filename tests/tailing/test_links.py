"""Links: one stream per file, whatever its names, and each target of a link to its end."""

from __future__ import annotations

import os
from pathlib import Path

from tests.tailing.conftest import MakeTailer
from tests.tailing.log_changes import append


def test_symlink_retargeted_30_times(logs: Path, make_tailer: MakeTailer) -> None:
    link = logs / "current.log"
    tailer = make_tailer([link])
    written = []
    for number in range(30):
        target = logs / f"target-{number}"
        target.write_bytes(b"%d first\n" % number)
        (logs / "next").symlink_to(target)
        os.replace(logs / "next", link)
        tailer.look()
        append(target, b"%d second\n" % number)
        written += [b"%d first" % number, b"%d second" % number]
    tailer.look()
    assert tailer.texts() == written
    assert tailer.gaps() == []


def test_symlink_retargeted_before_its_target_was_read_to_the_end(logs: Path, make_tailer: MakeTailer) -> None:
    (logs / "a").write_bytes(b"a1\n")
    (logs / "b").write_bytes(b"b1\n")
    link = logs / "current.log"
    link.symlink_to(logs / "a")
    tailer = make_tailer([link])
    tailer.look()
    append(logs / "a", b"a2\n")
    link.unlink()
    link.symlink_to(logs / "b")
    tailer.look()
    append(logs / "a", b"a3\n")
    tailer.look()
    assert tailer.texts() == [b"a1", b"a2", b"b1", b"a3"]


def test_symlink_removed_while_the_target_grows(logs: Path, make_tailer: MakeTailer) -> None:
    target = logs / "target"
    target.write_bytes(b"one\n")
    link = logs / "a.log"
    link.symlink_to(target)
    tailer = make_tailer([logs / "*.log"])
    tailer.look()
    link.unlink()
    for number in range(5):
        append(target, b"late %d\n" % number)
        assert tailer.look(seconds=20) == 1
    tailer.look(seconds=3600)
    assert [item.state for item in tailer.streams()] == ["drained"]
    link.symlink_to(target)
    append(target, b"back\n")
    tailer.look()
    assert tailer.texts() == [b"one", *(b"late %d" % number for number in range(5)), b"back"]


def test_link_and_target_both_match_one_stream(logs: Path, make_tailer: MakeTailer) -> None:
    (logs / "target.log").write_bytes(b"one\n")
    (logs / "link.log").symlink_to(logs / "target.log")
    tailer = make_tailer([logs / "*.log"])
    assert tailer.look() == 1
    append(logs / "target.log", b"two\n")
    assert tailer.look() == 1
    (logs / "link.log").unlink()
    append(logs / "target.log", b"three\n")
    assert tailer.look() == 1
    assert len(tailer.streams()) == 1
    assert tailer.gaps() == []


def test_hard_links_one_stream(logs: Path, make_tailer: MakeTailer) -> None:
    (logs / "a.log").write_bytes(b"one\n")
    os.link(logs / "a.log", logs / "b.log")
    tailer = make_tailer([logs / "*.log"])
    assert tailer.look() == 1
    (logs / "a.log").unlink()
    append(logs / "b.log", b"two\n")
    assert tailer.look() == 1
    tailer.restart()
    append(logs / "b.log", b"three\n")
    assert tailer.look() == 1
    assert tailer.texts() == [b"one", b"two", b"three"]
    assert len(tailer.streams()) == 1
