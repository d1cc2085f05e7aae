"""What a model costs on days of demo traffic, what its queue holds in memory, and that it delays nothing.

A day has about 100,000 events and all campaigns. The first one finds no kept answers, the second those of the first:
a week of them is what an installation has. What a day has found is worded after it, six kinds in a call as at any
endpoint elsewhere; kinds that come hours apart cost a call each, which is the other figure of the first day. The model
is a good one, on loopback, and nobody waits for its budget.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path

import psutil
from tests.explain.fake_endpoint import FakeEndpoint, flooding, hanging
from tests.explaining.made_store import good_endpoint, made_anomaly, rows, settings_for, write

from benchmarks.figure import Figure, quantile
from benchmarks.live_latency import look
from benchmarks.measurement import Bench
from livesec.core.clock import US_PER_DAY, now_us
from livesec.core.settings import Settings
from livesec.core.severity import SEVERITIES, Severity
from livesec.explain.endpoint import KINDS_PER_CALL, endpoint_of
from livesec.runners.explainer_process import ExplainerProcess
from livesec.runners.explaining import Explaining
from livesec.runners.replay import Replay
from livesec.simulate.folder import write_logs
from livesec.simulate.schedule import every_order
from livesec.simulate.timeline import simulate
from livesec.simulate.world import World
from livesec.store.explanation_queue import next_due
from livesec.store.queue_filling import fill_queue
from livesec.store.second_writer import SecondWriter
from livesec.store.writer import StoreWriter

DAY_END_US = 20_514 * US_PER_DAY
RATE = 3.5  # times the demo's 24,000 to 30,000 events a day
MOST_CALLS, LEAST_WORDED, MOST_QUEUE_MB = 5.0, 95.0, 100.0
WAITING = 10_000
LATENCY_S = 30
_START_S = 60.0
_ROOM = {"explain_calls_per_minute": 100_000, "explain_calls_per_day": 100_000, "explain_tokens_per_day": 10**9}


def measure(bench: Bench) -> list[Figure]:
    """Calls and words of two days, memory of the queue, latency beside an endpoint that hangs or floods."""
    return [*_calls(bench), *_queue(bench), *_latency(bench)]


def _calls(bench: Bench) -> list[Figure]:
    """Of a day that finds no kept answers, asked as an endpoint elsewhere is and kind by kind; and of the next day."""
    figures: list[Figure] = []
    first, second = _a_day(bench, 1), _a_day(bench, 2)
    by_kind = first.with_name("by_kind.db")
    shutil.copy(first, by_kind)
    with good_endpoint() as server:
        for db, name, kinds in (
            (first, "first day, nothing kept", KINDS_PER_CALL),
            (by_kind, "where each kind comes alone", 1),
            (second, "next day", KINDS_PER_CALL),
        ):
            if db is second:
                _take_answers(first, second)
            settings = settings_for(server, explain_kinds_per_call=kinds, **_ROOM)
            calls, explained, worded, severe = _word_all(db, settings, server)
            ((found,),) = rows(db, "SELECT count(*) FROM anomalies")
            bench.say(f"model: {name}: {calls} calls for {explained} of {found} anomalies")
            share = 100 * calls / max(1, explained)
            note = f"{calls} calls for {explained} explanations, medium or higher, of {found} anomalies"
            most = MOST_CALLS if kinds > 1 else None
            words = 100 * worded / max(1, severe)
            figures += [
                Figure(f"model calls per explanation, {name}", share, "%", at_most=most, note=note),
                Figure(f"  high and critical with its words, {name}", words, "%", LEAST_WORDED),
            ]
    return figures


def _a_day(bench: Bench, seed: int) -> Path:
    """A store with what a day of demo traffic has: about 100,000 events, every kind of campaign."""
    folder = bench.folder / f"day{seed}"
    folder.mkdir()
    rate = RATE * max(0.2, bench.share)
    write_logs(folder, simulate(World(seed=seed, users=60), DAY_END_US - US_PER_DAY, 1.0, rate, every_order()))
    db = folder / "livesec.db"
    writer = StoreWriter(str(db))
    try:
        Replay(Settings(), [str(path) for path in sorted(folder.glob("*_logs.csv"))], writer, lambda *_: None).run()
    finally:
        writer.close()
    return db


def _take_answers(earlier: Path, db: Path) -> None:
    """The answers that the model gave the day before."""
    store = SecondWriter(str(db))
    answers = rows(earlier, "SELECT cache_key, body, rung, sent, created_us FROM model_answers")
    with store.writing() as connection:
        for answer in answers:
            connection.exec_driver_sql("INSERT INTO model_answers VALUES (?, ?, ?, ?, ?)", answer)
    store.close()


def _word_all(db: Path, settings: Settings, server: FakeEndpoint) -> tuple[int, int, int, int]:
    """(calls, anomalies worded, of them high or critical, high and critical in all); incidents are left out."""
    endpoint = endpoint_of(settings)
    if endpoint is None:
        raise AssertionError("no endpoint")
    before = len(server.requests)
    store = SecondWriter(str(db))
    while fill_queue(store, settings.explain_view, SEVERITIES.index(Severity.MEDIUM), WAITING):
        pass
    with store.writing() as connection:
        connection.exec_driver_sql("DELETE FROM explanation_queue WHERE kind = 'incident'")  # asked about one by one
    explaining = Explaining(store, endpoint, settings)
    while True:
        with store.reading() as connection:
            item = next_due(connection, now_us() + US_PER_DAY)
        if item is None:
            break
        explaining.work(item)
    store.close()
    joined = "SELECT count(*) FROM anomalies a JOIN explanations e ON e.subject_id = a.id WHERE e.record IS NOT NULL"
    ((all_worded,),) = rows(db, joined)
    ((severe_worded,),) = rows(db, joined + " AND a.severity IN ('high', 'critical')")
    ((severe_found,),) = rows(db, "SELECT count(*) FROM anomalies WHERE severity IN ('high', 'critical')")
    return len(server.requests) - before, all_worded, severe_worded, severe_found


def _queue(bench: Bench) -> list[Figure]:
    waiting = bench.size(WAITING, 500)
    empty_mb, _ = _worker_memory_mb(bench, 1)
    full_mb, queued = _worker_memory_mb(bench, waiting)
    bench.say(f"model: worker {empty_mb:.0f} MB, with {queued:,} waiting {full_mb:.0f} MB")
    note = f"resident memory of the worker with {queued:,} waiting ({full_mb:.0f} MB) and with one ({empty_mb:.0f} MB)"
    return [Figure("memory of a full queue", max(0.0, full_mb - empty_mb), "MB", at_most=MOST_QUEUE_MB, note=note)]


def _worker_memory_mb(bench: Bench, anomalies: int) -> tuple[float, int]:
    """Of a real worker that waits for an endpoint that hangs, and how many explanations wait with it."""
    db = write(bench.folder / f"queue{anomalies}.db", *(made_anomaly(number) for number in range(1, anomalies + 1)))
    with FakeEndpoint(hanging()) as server:
        worker = ExplainerProcess(db, settings_for(server))
        worker.keep()
        try:
            _wait(lambda: bool(server.requests))
            processes = psutil.Process().children()
            (process,) = [item for item in processes if "livesec.runners.explainer" in item.cmdline()]
            memory_mb = process.memory_info().rss / 1024**2
        finally:
            worker.stop()
    ((queued,),) = rows(db, "SELECT count(*) FROM explanation_queue")
    return memory_mb, queued


def _wait(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _START_S
    while not condition():
        if time.monotonic() > deadline:
            raise RuntimeError("the worker asks nothing")
        time.sleep(0.05)


def _latency(bench: Bench) -> list[Figure]:
    """p99 from a written line to its anomaly, without a model and beside endpoints that hang and flood."""
    seconds = bench.size(LATENCY_S, 5)
    figures = []
    alone = look(bench, "alone", seconds)
    figures.append(Figure("first anomaly without a model, p99", quantile(alone.latencies_ms, 0.99), "ms"))
    for name, behaviour in (("hangs", hanging()), ("floods", flooding())):
        with FakeEndpoint(behaviour) as server:
            given = (f"openai_base_url={server.base_url}", "explain_from=low", "explain_timeout_s=5")
            seen = look(bench, name, seconds, given)
            note = f"{len(server.requests)} questions; p50 {quantile(seen.latencies_ms, 0.5):.0f} ms"
        figures.append(
            Figure(f"  beside an endpoint that {name}", quantile(seen.latencies_ms, 0.99), "ms", at_most=200, note=note)
        )
        figures.append(Figure(f"    attacks not seen ({name})", seen.missed, "attacks", at_most=0))
    return figures
