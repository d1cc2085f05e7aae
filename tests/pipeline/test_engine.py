"""The engine's contract over a demo world: results are a function of the order of lines and of nothing else."""

import random
from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import Any

import pytest

from livesec.core.anomaly import BatchResult
from livesec.core.batch import RawBatch, StreamInfo, batch_of_bytes
from livesec.core.settings import Settings, load_settings
from livesec.pipeline import engine as engine_module
from livesec.pipeline.engine import Engine
from livesec.runners.wiring import make_engine
from livesec.simulate.folder import write_logs
from livesec.simulate.schedule import DEFAULT_ORDERS
from livesec.simulate.timeline import simulate
from livesec.simulate.world import World

from .saved_parts import KeptParts

NAMES = ("login_logs.csv", "network_logs.csv", "file_transfer_logs.csv")
START_US = 20_500 * 86_400_000_000


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[StreamInfo, bytes]]:
    """(stream, line) of a small demo world, the three logs interleaved in blocks, with a few lines of no format."""
    folder = tmp_path_factory.mktemp("world")
    write_logs(folder, simulate(World(seed=3, users=12), START_US, 4.0, 0.3, DEFAULT_ORDERS))
    blocks: list[tuple[StreamInfo, bytes]] = []
    for number, name in enumerate(NAMES, 1):
        stream = StreamInfo(number, f"{number:016x}", name, START_US)
        for place, line in enumerate((folder / name).read_bytes().splitlines(keepends=True)):
            blocks.append((stream, line))
            if place % 500 == 250:
                blocks.append((stream, b"not a line of any format \xff\n"))
    order = sorted(range(len(blocks)), key=lambda place: (place // 700 * 7919 % 101, place))
    arranged = [blocks[place] for place in order]
    # within a stream lines keep their order: sort each stream's lines back into its own places
    by_stream: dict[int, Iterator[bytes]] = {
        number: iter([line for stream, line in blocks if stream.stream_id == number]) for number in (1, 2, 3)
    }
    return [(stream, next(by_stream[stream.stream_id])) for stream, _ in arranged]


def batches(lines: list[tuple[StreamInfo, bytes]], cut: random.Random | None) -> Iterator[RawBatch]:
    """The lines as batches: one per run of a stream, or cut at random places."""
    offsets = {1: 0, 2: 0, 3: 0}
    at = 0
    while at < len(lines):
        stream = lines[at][0]
        limit = 1 << 30 if cut is None else cut.choice((1, 2, 7, 100, 3000))
        end = at
        while end < len(lines) and lines[end][0] is stream and end - at < limit:
            end += 1
        data = b"".join(line for _, line in lines[at:end])
        yield batch_of_bytes(stream, data, offsets[stream.stream_id], first_sequence=at)
        offsets[stream.stream_id] += len(data)
        at = end


def collected(results: list[BatchResult]) -> dict[str, Any]:
    """Everything of the results that must not depend on how the lines were cut."""
    total: dict[str, Any] = {"anomalies": [], "rejects": {}, "counts": {}, "lines": 0, "events": 0, "incidents": {}}
    for result in results:
        total["lines"] += result.lines
        total["events"] += result.events
        # evidence from an earlier batch needs the file, which this test does not have: the triggering line is enough
        total["anomalies"] += [
            asdict(replace(item, evidence=item.evidence[-1:], incident_id=None)) for item in result.anomalies
        ]
        total["incidents"] |= {item.id: (item.title, item.score, item.anomalies) for item in result.incidents}
        for key, count in result.reject_counts.items():
            total["rejects"][key] = total["rejects"].get(key, 0) + count
        for minute, count in result.minute_counts.items():
            total["counts"][minute] = total["counts"].get(minute, 0) + count
    return total


def new_engine(settings: Settings | None = None) -> Engine:
    return make_engine(settings or load_settings(environ={"": ""}), lambda _stream, _offset: None)


@pytest.fixture(scope="module")
def reference(lines: list[tuple[StreamInfo, bytes]]) -> dict[str, Any]:
    engine = new_engine()
    return collected([engine.process(batch) for batch in batches(lines, None)])


def test_the_world_shows_something(reference: dict[str, Any], lines: list[tuple[StreamInfo, bytes]]) -> None:
    assert len(reference["anomalies"]) > 10
    assert reference["incidents"]
    assert reference["lines"] == len(lines)
    assert sum(reference["rejects"].values()) == sum(1 for _, line in lines if line.startswith(b"not a line"))
    assert sum(reference["counts"].values()) == reference["events"]


@pytest.mark.no_cover
@pytest.mark.parametrize("seed", [1, 2])
def test_any_cut_into_batches_gives_the_same(
    lines: list[tuple[StreamInfo, bytes]], reference: dict[str, Any], seed: int
) -> None:
    engine = new_engine()
    assert collected([engine.process(batch) for batch in batches(lines, random.Random(seed))]) == reference


@pytest.mark.no_cover
def test_saving_and_restoring_at_any_batch_gives_the_same(
    lines: list[tuple[StreamInfo, bytes]], reference: dict[str, Any]
) -> None:
    random_cut = random.Random(5)
    engine = new_engine()
    saved = KeptParts()
    results = []
    for number, batch in enumerate(batches(lines, random.Random(6))):
        results.append(engine.process(batch))
        if number % 40 == 0 or random_cut.random() < 0.01:
            saved.add(engine.snapshot())
            engine = new_engine()
            assert engine.restore(saved.parts) == {}
    assert collected(results) == reference


@pytest.mark.no_cover
def test_expiry_points_belong_to_the_order_of_lines(
    lines: list[tuple[StreamInfo, bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_module, "EXPIRY_EVERY", 1000)
    whole, cut = new_engine(), new_engine()
    one = collected([whole.process(batch) for batch in batches(lines, None)])
    other = collected([cut.process(batch) for batch in batches(lines, random.Random(8))])
    assert one == other


def test_seed_mode_runs_the_twelve_types_alone(lines: list[tuple[StreamInfo, bytes]]) -> None:
    engine = new_engine(load_settings(assignments=["seed_mode=true"], environ={"": ""}))
    results = [engine.process(batch) for batch in batches(lines, None)]
    types = {anomaly.type for result in results for anomaly in result.anomalies}
    assert {"failed_login", "unusual_login_time"} <= types
    assert "bf_fast" not in types
    failures = sum(1 for _, line in lines if b",False," in line)
    assert sum(1 for r in results for a in r.anomalies if a.type == "failed_login") == failures


def test_an_anomaly_names_its_line(lines: list[tuple[StreamInfo, bytes]]) -> None:
    engine = new_engine()
    for batch in batches(lines, None):
        for anomaly in engine.process(batch).anomalies:
            last = anomaly.evidence[-1]
            place = batch.offsets.tolist().index(last.offset)
            assert last.line == batch.line_bytes(place)


@pytest.mark.no_cover
@pytest.mark.parametrize("seed", [3, 4])
def test_learning_from_groups_of_batches_leaves_the_engine_as_processing_each_does(
    lines: list[tuple[StreamInfo, bytes]], seed: int
) -> None:
    cut = list(batches(lines, random.Random(seed)))
    middle = len(cut) // 2
    one, other = new_engine(), new_engine()
    for batch in cut[:middle]:
        one.process(batch)
    for start in range(0, middle, 7):
        other.learn(cut[start : min(start + 7, middle)])
    assert collected([one.process(batch) for batch in cut[middle:]]) == collected(
        [other.process(batch) for batch in cut[middle:]]
    )
