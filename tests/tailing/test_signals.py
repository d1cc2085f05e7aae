"""SIGTERM, SIGINT and SIGHUP to a real daemon, in the middle of its work."""

from __future__ import annotations

import fcntl
import os
import pty
import signal
import subprocess
import termios
import time
from functools import partial
from pathlib import Path

import pytest
from tests.e2e.command import COMMAND, Daemon, Record, environment, exported, livesec
from tests.e2e.service import wait_until
from tests.e2e.store_watch import daemon_pid, total, wait_for_total
from tests.tailing.held_store import held
from tests.tailing.log_changes import append_text

from livesec.simulate.sshd import sshd_lines
from livesec.store.status import store_status

SOON_S = 15.0
STOP_S = 2.0
READ_S = 60.0


def guesses(first: int, count: int, src_ip: str = "192.0.2.66") -> str:
    """Failed logins, one a second."""
    return "".join(
        f"2026-03-02T06:{25 + second // 60}:{second % 60:02d}+00:00 gate01 sshd[{700 + second}]: "
        f"Failed password for root from {src_ip} port {40_000 + second} ssh2\n"
        for second in range(first, first + count)
    )


def seconds_to_stop(daemon: Daemon, number: signal.Signals = signal.SIGTERM) -> float:
    """Ask the daemon to stop; the seconds until it has ended with 0."""
    started = time.monotonic()
    os.kill(daemon.pid, number)
    wait_until(lambda: not daemon.is_running, SOON_S, "the end of the daemon", pause_s=0.01)
    assert daemon.stop() == 0, daemon.said()
    return time.monotonic() - started


def status_of(db: Path) -> Record:
    """What `livesec status --json` prints, without starting Python for it."""
    return store_status(str(db), alerts_budget_per_day=5.0)


def streams_of(db: Path) -> dict[str, Record]:
    return {Path(stream["path"]).name: stream for stream in status_of(db)["streams"]}


@pytest.fixture
def db(tmp_path: Path) -> Path:
    return tmp_path / "livesec.db"


# Stopping -------------------------------------------------------------------------------------------------------------


def test_sigterm_inside_a_large_backlog(logs: Path, db: Path) -> None:
    log = logs / "auth.log"
    content = sshd_lines(50_000, seed=3, start_us=1_772_409_600_000_000) * 8
    log.write_bytes(content)
    lines = content.count(b"\n")
    with Daemon([log], db, history="start") as daemon:
        wait_for_total(db, "lines", 1, READ_S, alive=lambda: daemon.is_running)
        assert seconds_to_stop(daemon) < STOP_S
        done = total(db, "lines")
        assert 0 < done < lines, "it stopped inside the backlog"
        stream = streams_of(db)["auth.log"]
        assert content.count(b"\n", 0, stream["offset"]) == done, "its place is that of its last batch"
        assert status_of(db)["daemon"]["stopped"]

        daemon.start()
        wait_for_total(db, "lines", lines, READ_S, alive=lambda: daemon.is_running)
        assert seconds_to_stop(daemon) < STOP_S
    assert total(db, "lines") == lines
    assert sum(total(db, name) for name in ("consumed", "skipped", "rejects")) == lines
    assert exported(db, "gaps") == []


def test_sigterm_while_another_process_holds_the_store(logs: Path, db: Path) -> None:
    log = logs / "auth.log"
    log.write_text(guesses(0, 3))
    with Daemon([log], db, history="start") as daemon:
        wait_for_total(db, "lines", 3, READ_S, alive=lambda: daemon.is_running)
        with held(db):
            append_text(log, guesses(3, 3))
            wait_until(lambda: "cannot be written" in daemon.said(), SOON_S, "the complaint")
            assert seconds_to_stop(daemon) < STOP_S
        assert total(db, "lines") == 3
        daemon.start()
        wait_for_total(db, "lines", 6, READ_S, alive=lambda: daemon.is_running)
        assert daemon.stop() == 0
    assert total(db, "lines") == 6
    assert len([item for item in exported(db) if item["type"] == "bf_fast"]) == 1


def test_a_failed_commit_keeps_the_batch_and_is_tried_again(logs: Path, db: Path) -> None:
    log = logs / "auth.log"
    log.write_text(guesses(0, 3))
    with Daemon([log], db, history="start") as daemon:
        wait_for_total(db, "lines", 3, READ_S, alive=lambda: daemon.is_running)
        with held(db):
            append_text(log, guesses(3, 2))
            wait_until(lambda: "cannot be written" in daemon.said(), SOON_S, "the complaint")
            append_text(log, guesses(5, 2))
            log.rename(log.with_suffix(".1"))  # rotated away meanwhile
            log.write_text(guesses(7, 2))
            time.sleep(1.5)
        wait_for_total(db, "lines", 9, READ_S, alive=lambda: daemon.is_running)
        assert "written again" in daemon.said()
        assert daemon.stop() == 0
    assert total(db, "lines") == 9
    assert exported(db, "gaps") == []


def test_a_second_daemon_on_the_store_says_who_holds_it(logs: Path, db: Path) -> None:
    with Daemon([logs], db) as daemon:
        daemon.wait_until_watching()
        second = livesec("run", "--logs", logs, "--db", db)
        assert second.returncode == 4
        assert f"pid {daemon.pid}" in second.stderr
        assert daemon.stop() == 0


def _take_terminal() -> None:
    """As a shell starts a program: with the terminal, and not as `nohup` does, under which the daemon would stay."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def test_a_closed_terminal_stops_the_daemon(logs: Path, db: Path) -> None:
    master, slave = pty.openpty()
    words = [*COMMAND, "run", "--logs", str(logs), "--db", str(db)]
    process = subprocess.Popen(
        words,
        env=environment(),
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
        preexec_fn=_take_terminal,  # noqa: PLW1509 - no other thread does anything here
    )
    os.close(slave)
    try:
        wait_until(lambda: process.poll() is not None or daemon_pid(db) == process.pid, READ_S, "the daemon")
        assert process.poll() is None
        os.close(master)
        assert process.wait(SOON_S) == 0
        assert status_of(db)["daemon"]["stopped"]
    finally:
        process.kill()
        process.wait()


# Reading the settings again -------------------------------------------------------------------------------------------


def hang_up(daemon: Daemon, said: str) -> None:
    """SIGHUP, and wait until the daemon has said something about it."""
    before = len(daemon.said())
    os.kill(daemon.pid, signal.SIGHUP)
    wait_until(lambda: said in daemon.said()[before:], SOON_S, f"{said!r} after SIGHUP")


def complains(db: Path, named: str) -> bool:
    """Whether the status names `named` as what keeps changed settings from being used."""
    return named in (status_of(db)["daemon"]["settings_problem"] or "")


def config_of(folder: Path, **settings: object) -> Path:
    """A settings file."""
    path = folder / "config.py"
    path.write_text("".join(f"{name.upper()} = {value!r}\n" for name, value in settings.items()))
    return path


def test_sighup_takes_a_changed_threshold_over_and_keeps_state(logs: Path, db: Path, tmp_path: Path) -> None:
    log = logs / "auth.log"
    log.write_text(guesses(0, 6))
    config = config_of(tmp_path, failed_login_threshold=50)
    with Daemon([log], db, history="start", config=config) as daemon:
        wait_for_total(db, "lines", 6, READ_S, alive=lambda: daemon.is_running)
        config_of(tmp_path, failed_login_threshold=8)
        hang_up(daemon, "failed_login_threshold is 8")
        append_text(log, guesses(6, 4))  # four alone are fewer than eight: six are remembered
        wait_for_total(db, "lines", 10, READ_S, alive=lambda: daemon.is_running)
        assert daemon.stop() == 0
    assert status_of(db)["daemon"]["settings_problem"] is None
    assert [item["src_ip"] for item in exported(db) if item["type"] == "bf_fast"] == ["192.0.2.66"]


BAD = {
    "failed_login_threshold": "FAILED_LOGIN_THRESHOLD = 'many'\n",
    "config.py:1": "LOGS = [\n",
    "no_such_detector": "DETECTORS = {'no_such_detector': {'a': 1}}\n",
}
"""Settings files that cannot be taken over, by what is named in the complaint."""


def test_sighup_with_bad_settings_keeps_the_old_ones_and_says_so(logs: Path, db: Path, tmp_path: Path) -> None:
    log = logs / "auth.log"
    log.write_text(guesses(0, 2))
    config = config_of(tmp_path, failed_login_threshold=5)
    with Daemon([log], db, history="start", config=config) as daemon:
        wait_for_total(db, "lines", 2, READ_S, alive=lambda: daemon.is_running)
        for named, bad in BAD.items():
            config.write_text(bad)
            hang_up(daemon, "not taken over")
            wait_until(partial(complains, db, named), SOON_S, "the problem")
            assert named in daemon.said()
        append_text(log, guesses(2, 6))
        wait_for_total(db, "lines", 8, READ_S, alive=lambda: daemon.is_running)
        config_of(tmp_path, failed_login_threshold=5)
        hang_up(daemon, "settings read again")
        wait_until(lambda: status_of(db)["daemon"]["settings_problem"] is None, SOON_S, "the end of the problem")
        assert daemon.stop() == 0
    assert "Traceback" not in daemon.said()
    assert len([item for item in exported(db) if item["type"] == "bf_fast"]) == 1


def test_sighup_takes_paths_over_without_losing_place(logs: Path, db: Path, tmp_path: Path) -> None:
    first, second = logs / "first.log", logs / "second.log"
    first.write_text(guesses(0, 5))
    second.write_text(guesses(0, 4, "198.51.100.7"))
    config = config_of(tmp_path, logs=[str(first)])
    with Daemon([], db, history="start", config=config) as daemon:
        wait_for_total(db, "lines", 5, READ_S, alive=lambda: daemon.is_running)
        config_of(tmp_path, logs=[str(first), str(second)])
        hang_up(daemon, f"watching {second}")
        append_text(first, guesses(5, 1))
        wait_for_total(db, "lines", 10, READ_S, alive=lambda: daemon.is_running)
        config_of(tmp_path, logs=[str(second)])
        hang_up(daemon, f"no longer watching {first}")
        append_text(first, guesses(6, 3))
        append_text(second, guesses(4, 1, "198.51.100.7"))
        wait_for_total(db, "lines", 11, READ_S, alive=lambda: daemon.is_running)
        config_of(tmp_path, logs=[str(first), str(second)])
        hang_up(daemon, f"watching {first}")
        wait_for_total(db, "lines", 14, READ_S, alive=lambda: daemon.is_running)
        assert daemon.stop() == 0
    assert total(db, "lines") == 14
    streams = streams_of(db)
    assert {name: stream["offset"] for name, stream in streams.items()} == {
        "first.log": first.stat().st_size,
        "second.log": second.stat().st_size,
    }
    assert exported(db, "gaps") == []


def test_sighup_inside_a_large_backlog_loses_nothing(logs: Path, db: Path) -> None:
    log = logs / "auth.log"
    content = sshd_lines(50_000, seed=3, start_us=1_772_409_600_000_000) * 8
    log.write_bytes(content)
    lines = content.count(b"\n")
    with Daemon([log], db, history="start") as daemon:
        wait_for_total(db, "lines", 1, READ_S, alive=lambda: daemon.is_running)
        hang_up(daemon, "settings read again")
        wait_for_total(db, "lines", lines, READ_S, alive=lambda: daemon.is_running)
        assert seconds_to_stop(daemon, signal.SIGINT) < STOP_S
    assert total(db, "lines") == lines


def test_sighup_says_what_waits_for_the_next_start(logs: Path, db: Path, tmp_path: Path) -> None:
    config = config_of(tmp_path, time_zone="UTC")
    with Daemon([logs], db, config=config) as daemon:
        daemon.wait_until_watching()
        config_of(tmp_path, time_zone="Europe/Paris", reject_samples=7)
        hang_up(daemon, "only the next start takes over: time_zone, reject_samples")
        hang_up(daemon, "only the next start takes over: time_zone, reject_samples")
        wait_until(lambda: "time_zone" in (status_of(db)["daemon"]["settings_problem"] or ""), SOON_S, "what waits")
        assert daemon.stop() == 0
