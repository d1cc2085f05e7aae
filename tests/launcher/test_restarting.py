"""What dies is started again, later each time, and the person at the terminal is told in one line."""

from __future__ import annotations

import itertools
import os
from pathlib import Path

import psutil
from tests.launcher.launched import Launched, child, processes_of

from livesec.runners.children import LOG_LIMIT_BYTES, Backoff, keep_small, last_line


def test_a_failing_child_is_restarted_with_growing_pauses_and_said_so(tmp_path: Path) -> None:
    with Launched(tmp_path, [child("failing", tmp_path)]) as launched:
        starts = launched.wait_for_starts("failing", 5)
        launched.wait_for("in 0.4 s")
        text = launched.text()
    pauses = [later - earlier for earlier, later in itertools.pairwise(starts)]
    assert all(pause >= least for pause, least in zip(pauses, [0.1, 0.2, 0.4, 0.4], strict=False))
    log = tmp_path / "data" / "logs" / "failing.log"
    first = next(line for line in text.splitlines() if line.startswith("failing "))
    assert first == (f"failing ended with exit code 3 (the disk ?[31mis on fire); it starts again in 0.1 s; log: {log}")


def test_a_killed_child_is_restarted_and_what_it_had_started_is_ended_first(tmp_path: Path) -> None:
    with Launched(tmp_path, [child("stubborn", tmp_path)]) as launched:
        launched.wait_for_starts("grandchild", 1)
        for process in psutil.Process(launched.process.pid).children():
            if "stubborn" in process.cmdline():
                process.kill()
        launched.wait_for("stubborn was ended by SIGKILL; it starts again in 0.1 s")
        launched.wait_for_starts("grandchild", 2)
        assert len([line for line in processes_of(tmp_path) if "grandchild" in line]) == 1


def test_children_wait_for_the_history_they_need(tmp_path: Path) -> None:
    children = [child("history", tmp_path, once=True), child("worker", tmp_path, after="history")]
    with Launched(tmp_path, children) as launched:
        (worker,) = launched.wait_for_starts("worker", 1)
        (history,) = launched.starts("history")
        assert worker - history >= 0.5  # the stand-in history takes that long


def test_a_history_that_fails_ends_all_with_one_line(tmp_path: Path) -> None:
    with Launched(tmp_path, [child("failing", tmp_path, once=True)]) as launched:
        assert launched.process.wait(10.0) == 1
        assert launched.text().splitlines()[-1].startswith("run_livesec.py: failing ended with exit code 3 (")
        assert processes_of(tmp_path) == []


def test_a_run_long_enough_to_be_healthy_starts_the_pauses_over() -> None:
    assert [Backoff(1.0, 8.0, 60.0).delay_s(deaths) for deaths in range(1, 6)] == [1.0, 2.0, 4.0, 8.0, 8.0]


def test_a_log_grown_too_long_is_moved_aside_while_it_is_written(tmp_path: Path) -> None:
    log = tmp_path / "daemon.log"
    with log.open("ab", buffering=0) as child_output:
        child_output.write(b"x" * (LOG_LIMIT_BYTES + 1))
        keep_small(log)
        child_output.write(b"after\n")
    assert log.read_bytes() == b"after\n"
    assert os.path.getsize(tmp_path / "daemon.log.1") == LOG_LIMIT_BYTES + 1


def test_a_reason_is_harmless_and_short_whatever_the_log_holds(tmp_path: Path) -> None:
    log = tmp_path / "daemon.log"
    log.write_bytes(b"a\n\x1b]0;evil\x07 \xff\xe2\x80\xae" + b"y" * 500 + b"\n\n  \n")
    assert last_line(log).startswith("?]0;evil? \N{REPLACEMENT CHARACTER}?yyy")
    assert len(last_line(log)) == 160
    assert last_line(tmp_path / "none.log") == ""
