"""Many watched files: handles, threads and work stay bounded. What they cost in time is the benchmarks' affair."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest
from tests.e2e.command import Daemon, Record
from tests.e2e.service import wait_until
from tests.e2e.store_watch import total, wait_for_total

from livesec.core.batch import StreamInfo, batch_of_bytes
from livesec.core.settings import Settings
from livesec.pipeline.assembly import all_formats
from livesec.pipeline.stream_parsers import StreamParsers
from livesec.runners.lookout import Lookout
from livesec.sources.bell import Wake
from livesec.sources.file_source import MAX_OPEN_FILES, FileSource
from livesec.sources.watch import MAX_DIRECTORIES, Watcher
from livesec.sources.watched_directories import WatchedDirectories
from livesec.store.status import store_status

SOON_S = 15.0
READ_S = 60.0
LINE = "2026-03-02T06:25:00+00:00 gate01 sshd[7]: Failed password for root from 192.0.2.66 port 4 ssh2\n"
OTHER_HANDLES = 60
"""Of a daemon that watches one file: libraries, the store, inotify."""


def status_of(db: Path) -> Record:
    """What `livesec status --json` prints, without starting Python for it."""
    return store_status(str(db), alerts_budget_per_day=5.0)


def make_files(folder: Path, directories: int, each: int, text: str = "") -> list[Path]:
    """`directories` folders with `each` files that hold `text`."""
    paths = [folder / f"d{number}" / f"{name}.log" for number in range(directories) for name in range(each)]
    for path in paths:
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return paths


class Counted(FileSource):
    """A FileSource that counts the looks at it."""

    def __init__(self, pattern: str) -> None:
        super().__init__([pattern], [], history="start", zone_of=lambda _: "UTC", clock=lambda: 0)
        self.whole = 0
        self.single: list[str] = []

    def scan(self, touched: object = None) -> None:
        if touched is None:
            self.whole += 1
            super().scan()
        else:
            assert isinstance(touched, set)
            self.single += sorted(touched)
            super().scan(touched)


class Clock:
    """Monotonic seconds that a test moves."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_ten_thousand_idle_files(logs: Path, tmp_path: Path) -> None:
    written = make_files(logs, 100, 100)
    with Daemon([logs / "*" / "*.log"], tmp_path / "livesec.db", history="start") as daemon:
        daemon.wait_until_watching()
        wait_until(lambda: status_of(daemon.db)["streams_read"] == len(written), READ_S, "every file is a stream")
        process = psutil.Process(daemon.pid)
        assert process.num_fds() <= MAX_OPEN_FILES + OTHER_HANDLES
        record = status_of(daemon.db)
        assert record["watcher"] == "inotify"
        assert record["daemon"]["sources"] == len(written)
        written[1234].write_text(LINE)
        written[9876].write_text(LINE)
        wait_for_total(daemon.db, "lines", 2, SOON_S, alive=lambda: daemon.is_running)
        assert daemon.stop() == 0


def test_more_files_with_lines_than_handles(logs: Path, tmp_path: Path) -> None:
    files = MAX_OPEN_FILES + 30
    make_files(logs, 1, files, LINE)
    with Daemon([logs / "d0"], tmp_path / "livesec.db", history="start") as daemon:
        wait_for_total(daemon.db, "lines", files, READ_S, alive=lambda: daemon.is_running)
        assert psutil.Process(daemon.pid).num_fds() <= MAX_OPEN_FILES + OTHER_HANDLES
        assert daemon.stop() == 0
    assert total(daemon.db, "lines") == files


def test_thousands_of_directories_are_not_all_scheduled(logs: Path) -> None:
    for number in range(MAX_DIRECTORIES + 100):
        (logs / f"d{number}").mkdir()
    holding = logs / f"d{MAX_DIRECTORIES + 99}"
    log = holding / "app.log"
    log.touch()
    directories = WatchedDirectories().of([str(logs / "**" / "*.log")], [str(log)])
    assert directories[0] == str(holding), "those with logs come first"
    watcher = Watcher(lambda path: False)
    watcher.watch(directories)
    assert watcher.state.startswith(f"inotify in {MAX_DIRECTORIES} of {MAX_DIRECTORIES + 101} directories")
    assert not watcher.sees_everything
    log.write_text(LINE)
    assert watcher.wait(2).touched == {str(log)}
    watcher.close()


@pytest.mark.parametrize("name", ["neighbour.txt", "unpacked.log.gz"])
def test_a_busy_neighbour_of_a_log_has_everything_looked_at_once(logs: Path, name: str) -> None:
    clock = Clock()
    (logs / "app.log").touch()
    neighbour = logs / name
    neighbour.touch()
    source, watcher = Counted(str(logs / "*.log")), Watcher(lambda path: False)
    lookout = Lookout(source, watcher, Settings(), clock)
    lookout.look()
    clock.now += 0.5
    lookout.look()  # once more, because a file was found
    before = source.whole
    for _ in range(50):
        lookout.heard(Wake({str(neighbour)}, False))
        clock.now += 0.01
        lookout.look()
    assert source.whole <= before + 1
    assert lookout.heard(Wake({str(neighbour)}, False)) is False
    assert lookout.heard(Wake({str(logs / "app.log")}, False)) is True
    lookout.look()
    assert source.single == [str(logs / "app.log")]
    watcher.close()


def test_a_storm_of_new_names_is_looked_at_four_times_a_second(logs: Path) -> None:
    clock = Clock()
    source, watcher = Counted(str(logs / "*.log")), Watcher(lambda path: False)
    lookout = Lookout(source, watcher, Settings(rescan_interval_s=3600), clock)
    lookout.look()
    for number in range(1000):  # made and deleted within 10 ms each
        lookout.heard(Wake({str(logs / f"{number}.log")}, number % 7 == 0))
        clock.now += 0.01
        lookout.look()
    assert 30 <= source.whole <= 42
    assert not lookout._strangers, "what has gone is not remembered"
    watcher.close()


def test_a_new_file_is_found_at_once_though_looks_are_rare(logs: Path) -> None:
    clock = Clock()
    source, watcher = Counted(str(logs / "*.log")), Watcher(lambda path: False)
    lookout = Lookout(source, watcher, Settings(rescan_interval_s=3600), clock)
    lookout.look()
    clock.now += 10
    new = logs / "new.log"
    new.touch()
    assert lookout.heard(Wake({str(new)}, False)) is True
    lookout.look()
    assert [position.path for position in source.positions] == [str(new)]
    watcher.close()


def test_parsers_of_idle_streams_are_parked_and_change_nothing() -> None:
    lines = [f"Mar  2 00:00:0{second} web sshd[1]: Accepted publickey for ann from 192.0.2.7 port 42 ssh2\n".encode()
             for second in range(4)]  # fmt: skip
    few, many = (StreamParsers(all_formats(), live=live) for live in (1, 100))
    streams = [StreamInfo(number, f"{number:016x}", f"/logs/{number}", 1_772_409_600_000_000) for number in range(3)]
    offset = 0
    for sequence, line in enumerate(lines):
        for stream in streams:
            parsed = [
                parsers.of(stream).parse(batch_of_bytes(stream, line, offset, sequence)) for parsers in (few, many)
            ]
            assert parsed[0].rows.keys() == parsed[1].rows.keys()
            for log_type, rows in parsed[0].rows.items():
                assert rows.equals(parsed[1].rows[log_type])
        offset += len(line)
    assert len(few._live) == 1
    assert [few.to_bytes(stream.stream_id) for stream in streams] == [many.to_bytes(item.stream_id) for item in streams]
    few.close(1)
    assert few.to_bytes(1) is None
