"""The worker as a process of its own: it words what is found, and survives and ends as it should."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from tests.explain.fake_endpoint import FakeEndpoint, hanging
from tests.explaining.made_store import following_the_prompt, good_endpoint, made_anomaly, rows, settings_for, write

from livesec.core.settings import Settings
from livesec.runners.explainer_process import ExplainerProcess
from livesec.store.explanation_queue import request_view

PATIENCE_S = 60.0


def wait_until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"{what}: not within {PATIENCE_S:g} s"
        time.sleep(0.02)


def worded(db: Path) -> int:
    return len(rows(db, "SELECT 1 FROM explanations WHERE record IS NOT NULL"))


def _children() -> list[psutil.Process]:
    return [item for item in psutil.Process().children() if "livesec.runners.explainer" in item.cmdline()]


@pytest.fixture
def kept() -> Iterator[list[ExplainerProcess]]:
    """Workers that end with the test."""
    workers: list[ExplainerProcess] = []
    yield workers
    for worker in workers:
        worker.stop()
    assert _children() == []


def _start(kept: list[ExplainerProcess], db: Path, settings: Settings) -> ExplainerProcess:
    worker = ExplainerProcess(db, settings)
    kept.append(worker)
    worker.keep()
    return worker


def test_it_words_what_is_there_what_comes_and_what_a_person_asks_for(
    tmp_path: Path, kept: list[ExplainerProcess], capfd: pytest.CaptureFixture[str]
) -> None:
    db = write(tmp_path / "a.db", made_anomaly(1))
    with good_endpoint() as server:
        _start(kept, db, settings_for(server))
        wait_until(lambda: worded(db) == 1, "the first")
        write(db, made_anomaly(2))
        wait_until(lambda: worded(db) == 2, "the second")
        request_view(str(db), f"{1:016x}", "executive_briefing")
        wait_until(lambda: worded(db) == 3, "another view")
        kept[0].stop()
    assert f"co-pilot: text goes to {server.base_url}, model test-model, as it is" in capfd.readouterr().err


def test_without_an_endpoint_there_is_no_process(tmp_path: Path, kept: list[ExplainerProcess]) -> None:
    _start(kept, write(tmp_path / "a.db", made_anomaly(1)), Settings())
    assert _children() == []


def test_killed_in_the_middle_it_is_started_again_and_takes_up_what_it_left(
    tmp_path: Path, kept: list[ExplainerProcess], caplog: pytest.LogCaptureFixture
) -> None:
    db = write(tmp_path / "a.db", *(made_anomaly(number) for number in range(1, 4)))
    with FakeEndpoint(hanging()) as server, caplog.at_level(logging.WARNING):
        worker = _start(kept, db, settings_for(server))
        wait_until(lambda: len(server.requests) == 1, "a question")
        assert rows(db, "SELECT count(*) FROM explanation_queue WHERE state = 'working'") == [(1,)]
        (process,) = _children()
        process.kill()
        server.behaviour = following_the_prompt()

        def is_done() -> bool:
            worker.keep()
            return worded(db) == 3

        wait_until(is_done, "three explanations")
        assert rows(db, "SELECT calls FROM model_usage WHERE period = 'day'") == [(2,)]  # the lost one counts, too
    assert "was ended by SIGKILL; it starts again in 1 s" in caplog.text


def test_new_settings_start_it_anew_and_the_same_do_not(tmp_path: Path, kept: list[ExplainerProcess]) -> None:
    db = write(tmp_path / "a.db", made_anomaly(1))
    with good_endpoint() as server:
        settings = settings_for(server)
        worker = _start(kept, db, settings)
        (first,) = _children()
        worker.take_over(settings.model_copy(update={"console_alerts_from": "low"}))
        assert _children() == [first]
        worker.take_over(settings.model_copy(update={"explain_view": "risk_assessor"}))
        assert _children() != [first]
        wait_until(lambda: worded(db) == 1, "the view that is set now")
        assert rows(db, "SELECT view FROM explanations") == [("risk_assessor",)]
        worker.take_over(Settings())
        assert _children() == []


_PARENT = """
import sys, time
from pathlib import Path
from livesec.core.settings import Settings
from livesec.runners.explainer_process import ExplainerProcess
worker = ExplainerProcess(Path(sys.argv[1]), Settings(openai_base_url=sys.argv[2]))
worker.keep()
print(worker._process.pid, flush=True)
time.sleep(600)
"""


def test_it_ends_with_whoever_started_it_also_in_the_middle_of_a_question(tmp_path: Path) -> None:
    db = write(tmp_path / "a.db", made_anomaly(1))
    sources = str(Path(__file__).parents[2] / "src")
    with FakeEndpoint(hanging()) as server:
        parent = subprocess.Popen(
            [sys.executable, "-c", _PARENT, str(db), server.base_url],
            env={**os.environ, "PYTHONPATH": sources},
            stdout=subprocess.PIPE,
        )
        assert parent.stdout is not None
        worker = psutil.Process(int(parent.stdout.readline()))
        try:
            wait_until(lambda: len(server.requests) == 1, "a question")
        finally:
            parent.kill()
            parent.wait()
            parent.stdout.close()
        wait_until(lambda: not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE, "the worker's end")


def test_no_key_is_on_a_command_line(tmp_path: Path, kept: list[ExplainerProcess]) -> None:
    db = write(tmp_path / "a.db", made_anomaly(1))
    with good_endpoint() as server:
        _start(kept, db, settings_for(server, openai_api_key="sk-not-to-be-seen"))
        (process,) = _children()
        assert not any("sk-not" in word for word in process.cmdline())
        assert "sk-not-to-be-seen" not in process.environ().values()
        wait_until(lambda: len(server.requests) == 1, "a question")
        assert server.headers[0]["authorization"] == "Bearer sk-not-to-be-seen"
