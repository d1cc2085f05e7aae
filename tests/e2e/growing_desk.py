"""A desk that is served, the store that it shows while it grows, and a foreign server that nobody may ask."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.dashboard.invented_anomalies import FILES, KINDS, LOGIN, MINUTE_US, NETWORK, make_anomaly, sshd_lines
from tests.dashboard.invented_store import beat, fill
from tests.e2e.command import CHECKOUT
from tests.e2e.requirements import program
from tests.e2e.service import Service, free_port

from livesec.cli.dashboard import server_command
from livesec.core.anomaly import Anomaly, BatchResult, Commit, RecentEvent
from livesec.core.clock import now_us
from livesec.core.schema import LOG_TYPES
from livesec.runners.dashboard_server import answers
from livesec.store.writer import StoreWriter


class GrowingStore:
    """A store as a daemon feeds it: a sign of life and some events each second, and what a test adds.

    Filled with the invented week and anomalies by the users `hostile`; with None it is left as it is but for the signs.
    """

    def __init__(self, path: Path, hostile: Sequence[str] | None) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._writer = StoreWriter(str(path), demo=True)
        self._lock = threading.Lock()
        self._end = threading.Event()
        self.sequence = 1_000
        self._grows = hostile is not None
        if hostile is not None:
            fill(self._writer, now_us(), hostile)
        self._tick()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while not self._end.wait(1.0):
            self._tick()

    def _tick(self) -> None:
        at = now_us()
        event = {"user": "mei.tanaka", "src_ip": "192.0.2.61", "outcome": "success", "country": "NO"}
        minute_us = at // MINUTE_US * MINUTE_US
        result = BatchResult(
            lines=24,
            consumed=24,
            events=24,
            minute_counts={(LOGIN, minute_us): 1, (NETWORK, minute_us): 20, (FILES, minute_us): 3},
            recent=[RecentEvent(log_type, at, 1, at, json.dumps(event)) for log_type in LOG_TYPES],
        )
        if self._grows:
            self._commit(result)
        with self._lock:
            beat(self._writer, at)

    def _commit(self, result: BatchResult) -> None:
        with self._lock:
            sequence = self._writer.next_sequence + result.lines
            self._writer.commit(Commit(result=result, next_sequence=sequence))

    def add(self, kind: str, user: str) -> Anomaly:
        """Commit one anomaly of now."""
        self.sequence += 1
        at = now_us()
        evidence = sshd_lines(self.sequence * 1_000, user, "198.51.100.23", at)
        anomaly = make_anomaly(KINDS[kind], self.sequence, at, user=user, evidence=evidence)
        self._commit(BatchResult(lines=5, events=5, anomalies=[anomaly]))
        return anomaly

    def close(self) -> None:
        self._end.set()
        self._thread.join()
        self._writer.close()


class Canary(ThreadingHTTPServer):
    """A foreign server that notes every request: nothing on the desk may make the browser come here."""

    daemon_threads = True

    def __init__(self) -> None:
        self.paths: list[str] = []
        super().__init__(("127.0.0.1", 0), CanaryHandler)

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class CanaryHandler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, Canary)
        self.server.paths.append(self.path)
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """The list is enough."""


@contextmanager
def served_desk(
    folder: Path, hostile: Sequence[str] | None, variables: Sequence[str] = ()
) -> Iterator[tuple[str, GrowingStore]]:
    """The address of a desk, served as `livesec dashboard` serves it, and the store that it shows.

    `variables` of its environment as NAME=value.
    """
    store = GrowingStore(folder / "data" / "demo.db", hostile)
    port = free_port()
    environment = ["LIVESEC_DB=data/demo.db", f"PYTHONPATH={CHECKOUT / 'src'}", *variables]
    server = server_command(CHECKOUT, port, "127.0.0.1", (), browser=False)
    in_folder = [program("env", "coreutils"), f"--chdir={folder}", *environment, *server]
    try:
        with Service(in_folder, folder, lambda: answers(port)):
            yield f"127.0.0.1:{port}", store
    finally:
        store.close()
