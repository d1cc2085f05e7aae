"""However the launcher ends, what it started ends with it."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import psutil
import pytest
from tests.launcher.launched import Launched, child, processes_of, wait_until_gone


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_everything_at_once_when_the_children_obey(tmp_path: Path, number: int) -> None:
    with Launched(tmp_path, [child("worker", tmp_path)]) as launched:
        launched.wait_for("Dashboard: ")
        launched.wait_for_starts("worker", 1)
        launched.process.send_signal(number)
        assert launched.process.wait(5.0) == 0
        assert processes_of(tmp_path) == []
        assert launched.text().endswith("Stopped; nothing is left running\n")


def test_a_child_that_will_not_end_is_killed_with_its_own_children_within_5_s(tmp_path: Path) -> None:
    with Launched(tmp_path, [child("stubborn", tmp_path)]) as launched:
        launched.wait_for("Dashboard: ")
        launched.wait_for_starts("grandchild", 1)
        asked = time.monotonic()
        launched.process.send_signal(signal.SIGINT)
        assert launched.process.wait(5.0) == 0
        assert wait_until_gone(tmp_path, 1.0) + time.monotonic() - asked < 5.0
        assert "stubborn did not end when asked and was killed" in launched.text()


def test_killing_the_launcher_outright_leaves_nothing_and_the_next_start_works(tmp_path: Path) -> None:
    children = [child("worker", tmp_path), child("stubborn", tmp_path)]
    with Launched(tmp_path, children) as launched:
        launched.wait_for("Dashboard: ")
        launched.wait_for_starts("grandchild", 1)
        launched.process.kill()
        launched.process.wait()
        with Launched(tmp_path, [child("worker", tmp_path)]) as again:  # while the first is cleared up
            again.wait_for("Dashboard: ")
            assert not [line for line in processes_of(tmp_path) if "stubborn" in line.split()]


def test_a_killed_guardian_is_replaced_before_it_is_needed(tmp_path: Path) -> None:
    with Launched(tmp_path, [child("worker", tmp_path)]) as launched:
        launched.wait_for("Dashboard: ")
        launched.wait_for_starts("worker", 1)
        children = psutil.Process(launched.process.pid).children()
        (guardian,) = [process for process in children if process.cmdline()[-1].endswith("/guardian.py")]
        (worker,) = [process for process in children if "worker" in process.cmdline()]
        guardian.kill()
        worker.kill()
        launched.wait_for_starts("worker", 2)  # the restart is told to a new guardian, and with it all the others
        launched.process.kill()
        launched.process.wait()
        assert wait_until_gone(tmp_path, 5.0) < 5.0


def test_minutes_end_it_with_exit_code_0(tmp_path: Path) -> None:
    with Launched(tmp_path, [child("worker", tmp_path)], minutes="0.03") as launched:
        assert launched.process.wait(10.0) == 0
        assert processes_of(tmp_path) == []
