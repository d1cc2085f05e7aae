"""Collectors against a real HTTP server on loopback and a real SQLite database: each record once, whatever happens."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from sqlalchemy import create_engine

from livesec.cli.main import main
from livesec.core.errors import InputUnreadableError, UsageError
from livesec.sources.cursor import after
from livesec.sources.http_poll import HttpPoll, TooManyRequestsError
from livesec.sources.spool import Spool
from livesec.sources.sql_poll import SqlPoll

EVENTS = [{"id": number, "who": {"name": f"ann\n{number}"}} for number in range(1, 8)]


class Api(BaseHTTPRequestHandler):
    """Gives EVENTS behind `after`, three a page, newest first; or what its path says."""

    seen: list[str]

    def do_GET(self) -> None:
        self.seen.append(self.path)
        query = parse_qs(urlsplit(self.path).query, keep_blank_values=True)
        path = urlsplit(self.path).path
        status, body, headers = 200, b"", {}
        if path == "/events":
            behind = [event for event in EVENTS if event["id"] > int(query["after"][0] or 0)]  # type: ignore[operator]
            page = int(query.get("page", ["0"])[0])
            body = json.dumps({"data": {"items": behind[3 * page : 3 * page + 3][::-1]}}).encode()
            if len(behind) > 3 * page + 3:
                headers["Link"] = f'<{path}?after={query["after"][0]}&page={page + 1}>; rel="next"'
        elif path == "/busy":
            status, headers = 429, {"Retry-After": "7"}
        elif path == "/denied":
            status = 401
        elif path == "/elsewhere":
            body, headers = b"[]", {"Link": '<http://192.0.2.1/x>; rel="next"'}
        elif path == "/html":
            body = b"<html>"
        elif path == "/redirect":
            status, headers = 302, {"Location": "/events?after="}
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def served() -> Iterator[tuple[str, list[str]]]:
    """The API's address, and the paths it was asked for."""
    seen: list[str] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Seen", (Api,), {"seen": seen}))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", seen
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def ids(path: Path) -> list[int]:
    return [json.loads(line)["id"] for line in path.read_text().splitlines()]


def test_an_api_is_asked_from_its_last_record_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIVESEC_DATA_DIR", str(tmp_path))
    spool = tmp_path / "feeds" / "api.jsonl"
    with served() as (url, seen):
        words = ["feed", "http", f"{url}/events?after={{cursor}}", "--name", "api", "--items", "data.items"]
        words += ["--cursor", "id", "--once"]
        assert main(words) == 0
        assert ids(spool) == [1, 2, 3, 4, 5, 6, 7]
        assert main(words) == 0
        assert ids(spool) == [1, 2, 3, 4, 5, 6, 7]
        assert seen[-1] == "/events?after=7"
        # Killed while it wrote: what is left of the line goes, and the record comes again.
        spool.write_bytes(spool.read_bytes()[:-9])
        assert main(words) == 0
        assert ids(spool) == [1, 2, 3, 4, 5, 6, 7]
    assert json.loads(spool.read_text().splitlines()[0])["who"]["name"] == "ann\n1"


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/denied", "401"),
        ("/html", "no JSON"),
        ("/elsewhere", "another host"),
        ("/redirect", "302"),
        ("/events?after=0", "no list"),
    ],
)
def test_an_api_that_fails_is_named_and_nothing_is_kept(tmp_path: Path, path: str, words: str) -> None:
    with served() as (url, _), httpx2.Client() as client, pytest.raises(InputUnreadableError, match=words):
        HttpPoll(url + path, "", "id", {}).poll(client, None)


def test_a_busy_api_says_how_long_to_wait() -> None:
    with served() as (url, _), httpx2.Client() as client, pytest.raises(TooManyRequestsError) as caught:
        HttpPoll(url + "/busy", "", "id", {}).poll(client, None)
    assert caught.value.retry_after_s == 7


def test_an_api_out_of_reach_is_named() -> None:
    with served() as (url, _):
        pass
    with httpx2.Client() as client, pytest.raises(InputUnreadableError, match=r"127\.0\.0\.1"):
        HttpPoll(url, "", "id", {}).poll(client, None)


def test_wrong_words_are_usage_errors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIVESEC_DATA_DIR", str(tmp_path))
    assert main(["feed", "http", "ftp://x", "--name", "a", "--cursor", "id", "--once"]) == 2
    assert main(["feed", "http", "http://127.0.0.1:1", "--name", "../a", "--cursor", "id", "--once"]) == 2
    assert main(["feed", "sql", "sqlite://", "select 1", "--name", "a", "--cursor", "id", "--once"]) == 2
    assert main(["feed", "sql", "nonsense", "select :cursor", "--name", "a", "--cursor", "id", "--once"]) == 2
    with pytest.raises(UsageError, match=":cursor"):
        SqlPoll("select * from logins", "id")


def test_a_database_is_asked_from_its_last_row_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIVESEC_DATA_DIR", str(tmp_path))
    database = sqlite3.connect(tmp_path / "app.db")
    database.execute("create table logins (id integer primary key, who text, at timestamp, raw blob)")
    database.executemany("insert into logins values (?, ?, ?, ?)", [(1, "ann", "x", b"\x00"), (2, None, "y", None)])
    database.commit()
    words = ["feed", "sql", f"sqlite:///{tmp_path}/app.db", "select * from logins where id > :cursor order by id"]
    words += ["--name", "logins", "--cursor", "id", "--once"]
    spool = tmp_path / "feeds" / "logins.jsonl"
    for _ in range(2):
        assert main(words) == 0
        assert ids(spool) == [1, 2]
    database.execute("insert into logins (id, who) values (3, 'bob')")
    database.commit()
    assert main(words) == 0
    assert ids(spool) == [1, 2, 3]
    assert json.loads(spool.read_text().splitlines()[0]) == {"id": 1, "who": "ann", "at": "x", "raw": "00"}
    database.close()


def test_a_query_that_does_not_ascend_is_refused() -> None:
    engine = create_engine("sqlite://")
    with engine.connect() as connection:
        query = "select 2 as id union all select 1 where :cursor is not null"
        with pytest.raises(InputUnreadableError, match="does not ascend"):
            SqlPoll(query, "id").poll(connection, None)
        with pytest.raises(InputUnreadableError, match="the query failed"):
            SqlPoll("select nothing from nowhere where :cursor", "id").poll(connection, None)
    engine.dispose()


def test_cursors_of_one_kind_only() -> None:
    assert after([{"at": "b"}, {"at": "a"}, {"at": "c"}], "at", "a") == [{"at": "b"}, {"at": "c"}]
    unusable: list[list[dict[str, object]]] = [[{"at": 1}, {"at": "a"}], [{}], [{"at": True}]]
    for records in unusable:
        with pytest.raises(InputUnreadableError):
            after(records, "at", None)
    with pytest.raises(InputUnreadableError):
        after(["x"], "at", None)


def test_a_spool_is_rotated_and_goes_on_from_its_last_line(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "feed.jsonl"
    spool = Spool(path, max_bytes=10, kept=2)
    assert spool.last_line() is None
    for number in range(6):
        spool.append([b"line %d" % number, b"more %d" % number])
    assert sorted(item.name for item in path.parent.iterdir()) == ["feed.jsonl", "feed.jsonl.1", "feed.jsonl.2"]
    assert Spool(path).last_line() == b"more 5"
    path.write_bytes(b"torn")
    assert Spool(path).last_line() == b"more 4"
    assert path.read_bytes() == b""
    path.write_bytes(b"x" * 3_000_000 + b"\n" + b"y" * 2_500_000)
    assert Spool(path).last_line() == b"x" * 3_000_000
