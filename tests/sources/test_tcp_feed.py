"""A feed keeps whole lines, connects again, and notes when it was away; against a real server on loopback."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.sources.feed_server import PATIENCE_S, served

from livesec.core.anomaly import StreamPosition
from livesec.core.batch import MAX_LINE_BYTES
from livesec.core.errors import InputUnreadableError
from livesec.runners.feed_thread import FeedThread
from livesec.sources.outages import Outages
from livesec.sources.spool import Spool
from livesec.sources.tcp_feed import TcpFeed


def position(path: Path, stream_id: int) -> StreamPosition:
    return StreamPosition(stream_id, f"{stream_id:016x}", "file", str(path), 0, 0, "UTC")


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "did not come in time"
        time.sleep(0.01)


@contextmanager
def receiving(path: Path, port: int) -> Iterator[tuple[TcpFeed, Outages]]:
    """A feed of the server at `port` into `path`, until the block ends."""
    outages = Outages(path)
    feed = TcpFeed("127.0.0.1", port, Spool(path), outages)
    thread = FeedThread(feed, lambda: None)
    try:
        yield feed, outages
    finally:
        thread.stop()


def test_whole_lines_are_kept_and_the_torn_end_of_a_connection_is_dropped(tmp_path: Path) -> None:
    path = tmp_path / "feeds" / "feed.log"
    with served(b"one\ntwo\r\n\nto", b"three\n") as server, receiving(path, server.port) as (feed, outages):
        wait_for(lambda: feed.received == 4)
        (gap,) = outages.take([position(path, 1), position(path, 7), position(tmp_path / "other", 9)])
        assert outages.take([position(path, 7)]) == []
    assert path.read_bytes() == b"one\ntwo\r\n\nthree\n"
    assert (gap.stream_id, gap.path, gap.start_offset, gap.end_offset) == (7, str(path), 10, None)
    assert gap.reason.startswith("the server closed the connection; 2 bytes of a line without its end were dropped")
    assert f"127.0.0.1:{server.port}" in gap.reason


def test_an_outage_waits_until_its_stream_is_known(tmp_path: Path) -> None:
    outages = Outages(tmp_path / "feed.log")
    outages.note(5, "away")
    assert outages.take([]) == []
    assert [gap.reason for gap in outages.take([position(tmp_path / "feed.log", 1)])] == ["away"]


def test_a_feed_that_was_there_before_notes_that_it_was_away(tmp_path: Path) -> None:
    path = tmp_path / "feed.log"
    for words in ([], ["not connected before this start"]):
        with served(b"line\n") as server, receiving(path, server.port) as (feed, outages):
            wait_for(lambda feed=feed: feed.received == 1)  # type: ignore[misc]  # one feed a turn
            reasons = [gap.reason.partition(":")[0] for gap in outages.take([position(path, 1)])]
        assert reasons == words
    assert path.read_bytes() == b"line\nline\n"


def test_an_endless_line_is_cut_and_the_next_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "feed.log"
    sent = b"x" * (3 * MAX_LINE_BYTES) + b"\nnext\n"
    with served(sent) as server, receiving(path, server.port) as (feed, _):
        wait_for(lambda: feed.received == 2)
    assert path.read_bytes() == b"x" * MAX_LINE_BYTES + b"\nnext\n"


def test_a_server_that_comes_later_is_found(tmp_path: Path) -> None:
    with served() as server:
        port = server.port
    with receiving(tmp_path / "feed.log", port) as (feed, outages):
        time.sleep(0.3)
        assert outages.take([position(tmp_path / "feed.log", 1)]) == []  # nothing had come before: nothing was missed
        with served(b"line\n", port=port):
            wait_for(lambda: feed.received == 1)
    assert (tmp_path / "feed.log").read_bytes() == b"line\n"


def test_a_spool_that_cannot_be_written_ends_the_feed(tmp_path: Path) -> None:
    path = tmp_path / "feeds" / "feed.log"
    spool = Spool(path)
    shutil.rmtree(path.parent)
    ended = threading.Event()
    with served(b"line\n") as server:
        thread = FeedThread(TcpFeed("127.0.0.1", server.port, spool, Outages(path)), ended.set)
        assert ended.wait(PATIENCE_S)
    with pytest.raises(InputUnreadableError, match="cannot be kept"):
        thread.stop()
