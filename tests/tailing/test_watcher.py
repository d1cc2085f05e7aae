"""What wakes the reader, what must not, and what is said when events fail."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.e2e.command import Daemon, Record
from tests.e2e.requirements import missing
from tests.e2e.service import wait_until
from tests.e2e.store_watch import total
from watchdog.observers.inotify import InotifyEmitter
from watchdog.observers.inotify_c import InotifyFD

from livesec.sources import bell, network_mounts, watch
from livesec.sources.network_mounts import remote_devices
from livesec.sources.watch import Watcher
from livesec.sources.watched_directories import WatchedDirectories
from livesec.store.status import store_status

SOON_S = 10.0
LINE = "2026-03-02T06:25:00+00:00 gate01 sshd[7]: Failed password for root from 192.0.2.66 port 4 ssh2\n"


def status_of(db: Path) -> Record:
    """What `livesec status --json` prints, without starting Python for it."""
    return store_status(str(db), alerts_budget_per_day=5.0)


class Clock:
    """Monotonic seconds that a test moves."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def watcher(clock: Clock) -> Iterator[Watcher]:
    made = Watcher(lambda path: path.endswith(".db"), clock)
    yield made
    made.close()


def touched(watcher: Watcher, seconds: float = 2.0) -> set[str]:
    """What the next events say; empty where none come in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        wake = watcher.wait(max(0.0, deadline - time.monotonic()))
        if wake.touched or wake.everywhere:
            return wake.touched
    return set()


def own_threads(kind: type[threading.Thread]) -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if isinstance(thread, kind)]


# Waking ---------------------------------------------------------------------------------------------------------------


def test_a_write_wakes_the_reader_with_its_path(watcher: Watcher, logs: Path) -> None:
    log = logs / "app.log"
    watcher.watch([str(logs)])
    assert watcher.state == "inotify"
    log.write_text("one\n")
    assert touched(watcher) == {str(log)}


def test_reading_a_watched_file_wakes_nobody(watcher: Watcher, logs: Path) -> None:
    log = logs / "app.log"
    log.write_text("one\n")
    watcher.watch([str(logs)])
    with log.open("rb") as file:
        file.read()
    os.listdir(logs)
    assert touched(watcher, 0.7) == set()
    log.chmod(0o600)  # and yet events arrive: becoming readable is one
    assert touched(watcher) == {str(log)}


def test_the_stores_own_files_wake_nobody(watcher: Watcher, logs: Path) -> None:
    watcher.watch([str(logs)])
    (logs / "livesec.db").write_text("page")
    assert touched(watcher, 0.5) == set()


def test_a_linked_directory_is_watched_through_the_link(watcher: Watcher, logs: Path, tmp_path: Path) -> None:
    current = tmp_path / "current"
    current.symlink_to(logs)
    watcher.watch([str(current)])
    (logs / "conn.log").write_text("one\n")
    assert touched(watcher) == {str(current / "conn.log")}


def test_parent_directory_renamed_and_recreated(watcher: Watcher, logs: Path) -> None:
    watcher.watch([str(logs)])
    logs.rename(logs.with_name("old"))
    logs.mkdir()
    watcher.watch([str(logs)])
    assert watcher.state == "inotify"
    touched(watcher, 0.7)  # of the renaming
    (logs / "app.log").write_text("one\n")
    assert str(logs / "app.log") in touched(watcher)


def test_fast_subdirectory_create_delete(watcher: Watcher, logs: Path) -> None:
    watcher.watch([str(logs)])
    for number in range(300):
        below = logs / f"d{number % 3}"
        below.mkdir()
        watcher.watch([str(logs), str(below)])
        below.rmdir()
    watcher.watch([str(logs)])
    assert watcher.state == "inotify"
    assert watcher.wait(2).everywhere
    touched(watcher, 0.7)
    (logs / "app.log").write_text("one\n")
    assert str(logs / "app.log") in touched(watcher)


def test_more_touched_paths_than_are_remembered_have_everything_looked_at(
    watcher: Watcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bell, "MAX_TOUCHED", 3)
    for number in range(5):
        watcher.note(f"/logs/{number}")
    wake = watcher.wait(1)
    assert wake.everywhere
    assert len(wake.touched) == 3


# Threads that die -----------------------------------------------------------------------------------------------------


def test_dead_emitter_noticed_and_rebuilt(watcher: Watcher, logs: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    watcher.watch([str(logs), str(other)])
    emitter = next(
        thread for thread in own_threads(InotifyEmitter) if isinstance(thread, InotifyEmitter)
        and thread.watch.path == str(logs)
    )  # fmt: skip
    emitter.stop()
    emitter.join()
    assert watcher.state == "inotify in 1 of 2 directories, polling in the others (event threads ended)"
    assert not watcher.sees_everything
    watcher.watch([str(logs), str(other)])
    assert (watcher.state, watcher.rebuilt) == ("inotify", 1)
    (logs / "app.log").write_text("one\n")
    assert touched(watcher) == {str(logs / "app.log")}


def test_dead_reader_of_the_kernels_queue_noticed_and_rebuilt_with_back_off(
    watcher: Watcher, logs: Path, clock: Clock
) -> None:
    watcher.watch([str(logs)])
    for deaths, wait_s in enumerate((0.0, 1.0, 2.0), start=1):
        (reader,) = [thread for thread in own_threads(InotifyFD) if thread.is_alive()]
        assert isinstance(reader, InotifyFD)
        reader.stop()
        reader.join()
        assert watcher.state == "polling (event threads ended)"
        watcher.watch([str(logs)])
        if wait_s:
            assert watcher.state == "polling (event threads ended)", "not again at once"
            clock.now += wait_s
            watcher.watch([str(logs)])
        assert (watcher.state, watcher.rebuilt) == ("inotify", deaths)
    (logs / "app.log").write_text("one\n")
    assert touched(watcher) == {str(logs / "app.log")}


def test_nothing_is_left_of_a_closed_watcher(watcher: Watcher, logs: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    watcher.watch([str(logs)])
    watcher.close()
    assert own_threads(InotifyEmitter) == []
    assert own_threads(InotifyFD) == []
    assert len(os.listdir("/proc/self/fd")) == before
    assert watcher.state == "polling (nothing to watch yet)"


# Where there are no events --------------------------------------------------------------------------------------------


def test_network_file_systems_are_polled_and_named(
    watcher: Watcher, logs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "remote_devices", lambda: {os.stat(logs).st_dev: "nfs4"})
    watcher.watch([str(logs)])
    assert watcher.state == "polling (nfs4 raises no events)"
    assert own_threads(InotifyEmitter) == []
    watcher.watch([str(logs), "/dev/shm"])
    assert watcher.state == "inotify in 1 of 2 directories, polling in the others (nfs4 raises no events)"


def test_mounts_are_told_apart_by_their_type(tmp_path: Path) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(
        "22 1 259:1 / / rw,relatime shared:1 - ext4 /dev/vda rw\n"
        "40 22 0:45 / /mnt/logs\\040here rw,relatime shared:9 master:1 - nfs4 192.0.2.5:/logs rw,vers=4.2\n"
        "41 22 0:46 / /mnt/home rw - fuse.sshfs ann@192.0.2.6:/home rw\n"
        "42 22 0:47 / /mnt/usb rw - fuseblk /dev/sdb1 rw\n"
        "broken line\n"
    )
    assert remote_devices(mounts) == {os.makedev(0, 45): "nfs4", os.makedev(0, 46): "fuse.sshfs"}
    assert remote_devices(tmp_path / "none") == {}
    assert network_mounts.remote_devices() is not None


def test_too_many_directories_are_polled_beyond_the_first(
    watcher: Watcher, logs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "MAX_DIRECTORIES", 3)
    names = [str(logs / f"d{number}") for number in range(5)]
    for name in names:
        os.mkdir(name)
    watcher.watch(names)
    assert watcher.state == "inotify in 3 of 5 directories, polling in the others (more than 3 directories)"
    assert len(own_threads(InotifyEmitter)) == 3


LIMITED = """
import os, sys, time
from livesec.sources.watch import Watcher
watcher = Watcher(lambda path: False)
def state():
    watcher.watch(sys.argv[1:])
    print(watcher.state, flush=True)
def limit(name, value):
    with open(f"/proc/sys/user/{name}", "w") as file:
        file.write(value)
limit("max_inotify_watches", "1")
state()
limit("max_inotify_watches", "100")
time.sleep(1.1)
state()
watcher.close()
limit("max_inotify_instances", "0")
state()
limit("max_inotify_instances", "10")
time.sleep(1.1)
state()
"""


def test_inotify_limits_fall_to_polling_and_are_tried_again(logs: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    words = ["unshare", "--user", "--map-root-user", sys.executable, "-c", LIMITED, str(logs), str(other)]
    done = subprocess.run(
        words, capture_output=True, text=True, check=False, timeout=60, env={**os.environ, "PYTHONPATH": "src"}
    )
    if "unshare" in done.stderr or "Permission denied" in done.stderr:
        missing(f"limits of one's own need a user namespace: {done.stderr.strip()}")
    assert done.stdout.splitlines() == [
        "inotify in 1 of 2 directories, polling in the others "
        "(no more inotify watches, see fs.inotify.max_user_watches)",
        "inotify",
        "polling (no more inotify queues or handles, see fs.inotify.max_user_instances)",
        "inotify",
    ], done.stderr


def test_without_handles_it_polls_and_leaks_none(watcher: Watcher, logs: Path, clock: Clock) -> None:
    import resource  # noqa: PLC0415 - not on every system

    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    before = len(os.listdir("/proc/self/fd"))
    taken = [os.open(os.devnull, os.O_RDONLY)]
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(map(int, os.listdir("/proc/self/fd"))) + 3, limits[1]))
    try:
        while len(taken) < 1000:
            taken.append(os.open(os.devnull, os.O_RDONLY))
    except OSError:
        os.close(taken.pop())
    try:
        for _ in range(20):
            clock.now += 400
            watcher.watch([str(logs)])
            assert watcher.state.startswith("polling (no more inotify queues or handles")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        for handle in taken:
            os.close(handle)
    assert len(os.listdir("/proc/self/fd")) == before
    clock.now += 400
    watcher.watch([str(logs)])
    assert watcher.state == "inotify"


# Which directories ----------------------------------------------------------------------------------------------------


def test_parents_are_watched_never_single_files(logs: Path) -> None:
    log = logs / "app.log"
    log.touch()
    patterns = [str(log), str(logs / "*.csv"), f"!{logs}/below/*.old"]
    assert WatchedDirectories().of(patterns, [str(log)]) == [str(logs)]


def test_recursive_globs_watch_the_directories_that_exist(logs: Path) -> None:
    for below in ("a/b", "c", ".hidden/d"):
        (logs / below).mkdir(parents=True)
    directories = WatchedDirectories()
    pattern = str(logs / "**" / "*.log")
    seen = [str(logs), *(str(logs / name) for name in ("a", "c", "a/b"))]
    assert directories.of([pattern], []) == seen
    (logs / "c" / "new").mkdir()
    assert directories.of([pattern], []) == [*seen, str(logs / "c/new")]
    (logs / "c" / "new").rmdir()
    assert directories.of([pattern], []) == seen


def test_globs_over_directories_watch_where_a_match_may_come(logs: Path) -> None:
    for name in ("web1/log", "web2/log", "db1"):
        (logs / name).mkdir(parents=True)
    found = WatchedDirectories().of([str(logs / "web*" / "log" / "*.log")], [])
    assert found == [str(logs), str(logs / "web1/log"), str(logs / "web2/log")]


def test_the_target_of_a_linked_file_is_watched(logs: Path, tmp_path: Path) -> None:
    target = tmp_path / "elsewhere" / "today.log"
    target.parent.mkdir()
    target.touch()
    link = logs / "current.log"
    link.symlink_to(target)
    directories = WatchedDirectories()
    assert directories.of([str(link)], [str(link)]) == [str(logs), str(target.parent)]
    assert directories.targets == {str(target): str(link)}


# In the daemon --------------------------------------------------------------------------------------------------------


def test_inotify_overflow_heals_by_rescan(logs: Path, tmp_path: Path) -> None:
    log = logs / "auth.log"
    log.touch()
    noise = [logs / "noise.0", logs / "noise.1"]
    # one look an hour: only the overflow itself can have everything looked at
    slow = ("rescan_interval_s=3600", "idle_rescan_interval_s=3600")
    with Daemon([log], tmp_path / "livesec.db", history="start", settings=slow) as daemon:
        daemon.wait_until_watching()
        os.kill(daemon.pid, signal.SIGSTOP)
        handles = [os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND) for path in noise]
        limit = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
        for number in range(limit + 2000):  # in turns: equal events in a row are one
            os.write(handles[number % 2], b"x")
        log.write_text(LINE * 3)  # this event is one of those that are lost
        for handle in handles:
            os.close(handle)
        os.kill(daemon.pid, signal.SIGCONT)
        wait_until(lambda: total(daemon.db, "lines") == 3, SOON_S, "the lines behind the overflow")
        wait_until(lambda: status_of(daemon.db)["daemon"]["watcher_overflows"] >= 1, SOON_S, "the overflow is told")
        assert status_of(daemon.db)["watcher"] == "inotify"
        assert daemon.stop() == 0


def test_a_line_through_a_link_is_read_at_once(logs: Path, tmp_path: Path) -> None:
    target = tmp_path / "elsewhere.log"
    target.touch()
    (logs / "current.log").symlink_to(target)
    slow = ("rescan_interval_s=3600", "idle_rescan_interval_s=3600")
    with Daemon([logs], tmp_path / "livesec.db", history="start", settings=slow) as daemon:
        daemon.wait_until_watching()
        wait_until(lambda: status_of(daemon.db)["streams_read"] == 1, SOON_S, "the first look")
        time.sleep(0.5)
        with target.open("a") as file:
            file.write(LINE)
        wait_until(lambda: total(daemon.db, "lines") == 1, SOON_S, "the line behind the link")
        assert daemon.stop() == 0
