"""What every detector promises, checked on its labelled fixture and on made-up traffic."""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tests.detectors import traffic
from tests.detectors.fixture import (
    HERE,
    AnyDetector,
    Case,
    Fixture,
    cut,
    filled,
    judge,
    judge_batches,
    load_fixture,
)

import livesec.detectors
from livesec.core.attack import technique_name
from livesec.core.protocols import Detector, param_infos
from livesec.core.rows import SHARDS, Rows
from livesec.core.schema import COLUMNS, LogType
from livesec.core.settings import Settings
from livesec.core.state import KeyedState

FILES = sorted(path for path in Path(livesec.detectors.__path__[0]).glob("*/*.py") if path.stem != "__init__")
NAMES = [f"{path.parent.name}/{path.stem}" for path in FILES]
WEEK_US = 7 * 86_400_000_000
HOSTILE = "{user}%s\x1b[2J';rm -rf ~\u202e<script>{0.__class__}"

detectors = pytest.mark.parametrize("name", NAMES)


@cache
def kind(name: str) -> type[AnyDetector]:
    module = importlib.import_module("livesec.detectors." + name.replace("/", "."))
    found = module.DETECTOR
    assert isinstance(found, type) and issubclass(found, Detector)
    return found


@cache
def fixture(name: str) -> Fixture:
    path = HERE / f"{name}.csv"
    if not path.is_file():
        pytest.fail(f"{name} has no labelled fixture tests/detectors/{name}.csv")
    return load_fixture(path, kind(name).log_type)


def _cases(name: str) -> Iterator[tuple[Case, Callable[[], AnyDetector]]]:
    for case in fixture(name).cases:
        yield case, partial(fixture(name).detector, kind(name), seed_mode=case.seed_mode)


def _random_starts(random: np.random.Generator, n: int) -> list[int]:
    pieces = int(random.integers(1, min(n, 12) + 1))
    return [0, *sorted(random.choice(np.arange(1, n), size=pieces - 1, replace=False).tolist())] if n > 1 else [0]


def _reloaded(detector: AnyDetector, state: KeyedState) -> KeyedState:
    restored = detector.initial()
    restored.load(state.to_bytes())
    assert len(restored) == len(state)
    return restored


def _same_whatever_the_cut(make: Callable[[], AnyDetector], rows: Rows, *, seed: int, expires: bool) -> None:
    detector = make()
    whole = judge_batches(detector, [rows])
    random = np.random.default_rng(seed)

    def saved_and_expired(state: KeyedState, batch: Rows) -> KeyedState:
        if expires:
            detector.expire(state, int(batch.time_us[-1]))
        return _reloaded(detector, state)

    cuts = [list(range(len(rows)))] if len(rows) <= 60 else []
    cuts += [_random_starts(random, len(rows)) for _ in range(3)]
    for starts in cuts:
        assert judge_batches(detector, cut(rows, starts)) == whole
        assert judge_batches(make(), cut(rows, starts), between=saved_and_expired) == whole


def _same_over_shards(make: Callable[[], AnyDetector], rows: Rows, seed: int) -> None:
    random = np.random.default_rng(seed)
    owner = random.integers(0, 3, size=SHARDS)
    parts = [judge_batches(make(), [rows], frozenset(np.flatnonzero(owner == worker).tolist())) for worker in range(3)]
    merged = sorted((item for part in parts for item in part), key=lambda item: (item.sequence, item.key, item.reason))
    whole = judge_batches(make(), [rows])
    assert merged == sorted(whole, key=lambda item: (item.sequence, item.key, item.reason))


@detectors
def test_declaration(name: str) -> None:
    found = kind(name)
    folder, stem = name.split("/")
    columns = COLUMNS[found.log_type]
    assert (found.log_type, found.name) == (LogType(folder), stem)
    assert found.key and set(found.key) <= set(columns)
    assert set(found.needs) <= set(columns)
    assert 0 <= found.base_severity <= 99
    assert found.technique
    assert all(technique_name(technique) for technique in found.technique)
    assert found.summary and found.guidance.benign and found.guidance.next_steps
    assert found.__doc__ and importlib.import_module(found.__module__).__doc__
    defaults = found.params()
    for info in param_infos(found.params):
        assert info.source, f"{info.name} does not say where its default comes from"
        if isinstance(info.default, int | float) and not isinstance(info.default, bool):
            assert info.minimum is None or info.minimum <= info.default, info.name
            assert info.maximum is None or info.default <= info.maximum, info.name
        if info.setting is not None:
            assert getattr(defaults, info.name) == getattr(Settings(), info.setting), info.name


@detectors
def test_has_a_fixture(name: str) -> None:
    assert fixture(name).cases


def test_no_fixture_without_its_detector() -> None:
    fixtures = {f"{path.parent.name}/{path.stem}" for path in HERE.glob("*/*.csv")}
    assert fixtures <= set(NAMES)


@detectors
def test_finds_what_the_fixture_labels(name: str) -> None:
    for case, make in _cases(name):
        detector = make()
        found = judge(detector, detector.initial(), case.rows)
        places = [position for _, _, position in found]
        start = case.rows.time_us[0] if len(case.rows) else 0
        seconds = [(int(case.rows.time_us[place]) - int(start)) / 1e6 for place in places]
        assert places == sorted(case.expected), f"case {case.name}: fired {seconds} s after its first row"
        for judged, details, position in found:
            expected = case.expected[position]
            if expected.reason is not None:
                assert judged.reason == expected.reason, case.name
            for key, text in expected.details.items():
                value = float(judged.confidence) if key == "confidence" else details[key]
                if isinstance(value, int | float) and not isinstance(value, bool):
                    assert math.isclose(value, float(text), rel_tol=1e-3, abs_tol=1e-9), f"{case.name}: {key}={value}"
                else:
                    assert str(value) == text, f"{case.name}: {key}={value}"


@pytest.mark.no_cover
@detectors
def test_fixture_is_judged_alike_in_any_batches_saved_and_expired(name: str) -> None:
    for number, (case, make) in enumerate(_cases(name)):
        _same_whatever_the_cut(make, case.rows, seed=number, expires=True)


@pytest.mark.no_cover
@detectors
@pytest.mark.parametrize("seed_mode", [False, True], ids=["", "seed_mode"])
def test_traffic_is_judged_alike_in_any_batches_saved_and_expired(name: str, seed_mode: bool) -> None:
    found = kind(name)
    for seed in range(2):
        rows = traffic.of(found.log_type, seed)
        _same_whatever_the_cut(lambda: found(found.params(), seed_mode=seed_mode), rows, seed=seed, expires=True)


@pytest.mark.no_cover
@detectors
def test_late_streams_are_judged_alike_in_any_batches(name: str) -> None:
    found = kind(name)
    rows = traffic.of(found.log_type, seed=3, late_stream=True)
    _same_whatever_the_cut(lambda: found(found.params()), rows, seed=3, expires=False)


@pytest.mark.no_cover
@detectors
def test_traffic_is_judged_alike_over_shards(name: str) -> None:
    found = kind(name)
    for seed in range(2):
        _same_over_shards(lambda: found(found.params()), traffic.of(found.log_type, seed), seed)


@detectors
def test_state_stays_within_its_bound(name: str) -> None:
    found = kind(name)
    small = type(found.__name__, (found,), {"max_keys": SHARDS})  # one key per shard
    rows = traffic.of(found.log_type, seed=4, entities=400)
    detector = small(found.params())
    state = detector.initial()
    for batch in cut(rows, list(range(0, len(rows), 50))):
        judge(detector, state, batch)
        assert len(state) <= SHARDS
    assert state.nbytes == detector.initial().nbytes
    _same_whatever_the_cut(lambda: small(found.params()), rows, seed=5, expires=True)


@detectors
def test_a_key_idle_for_so_long_is_as_good_as_never_seen(name: str) -> None:
    for case, make in _cases(name):
        detector = make()
        idle_s = detector.idle_s()
        if idle_s is None:
            continue
        idle_us = int(idle_s * 1e6) + 1
        span_us = int(case.rows.time_us[-1]) - int(case.rows.time_us[0])
        later_us = -(-(idle_us + span_us) // WEEK_US) * WEEK_US  # whole weeks: the same hours of the same days
        again = Rows(
            case.rows.log_type,
            case.rows.frame.with_columns(pl.col("stream_time_us", "event_time_us") + later_us),
        )
        state = detector.initial()
        first = [position for _, _, position in judge(detector, state, case.rows)]
        assert [position for _, _, position in judge(detector, state, again)] == first, case.name
        detector.expire(state, int(again.time_us[-1]) + idle_us)
        assert len(state) == 0, "expire leaves keys that step treats as never seen"


@detectors
def test_templates_render_for_every_finding_whatever_the_names(name: str) -> None:
    found = kind(name)
    hostile = {
        column: pl.lit(HOSTILE)
        for column in ("user", "host", "path", "destination", "client", "app", "query")
        if column in COLUMNS[found.log_type] and column not in _meaningful(found)
    }
    rendered = 0
    for case, make in _cases(name):
        detector = make()
        rows = Rows(case.rows.log_type, case.rows.frame.with_columns(**hostile)) if hostile else case.rows
        for batch in (case.rows, rows):
            for _, details, position in judge(detector, detector.initial(), batch):
                row = batch.frame.row(position, named=True)
                for template in (detector.summary, detector.guidance.usual, *detector.guidance.next_steps):
                    for filling in (details, dict.fromkeys(details), dict.fromkeys(details, math.nan)):
                        text = filled(template, filling, row)
                        assert text and "\x1b" not in text and "\u202e" not in text
                rendered += 1
    assert rendered, "no case of the fixture fires"


def _meaningful(found: type[AnyDetector]) -> frozenset[str]:
    """Columns that decide what is found: they keep their values."""
    return frozenset(found.key) | frozenset(found.needs)
