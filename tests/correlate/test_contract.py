"""What every correlator promises, checked on its labelled fixture and on made-up stories."""

from __future__ import annotations

import importlib
import math
from collections.abc import Sequence
from dataclasses import replace
from functools import cache, partial
from typing import Any

import numpy as np
import pytest
from tests.correlate import traffic
from tests.correlate.fixture import HERE, AnyCorrelator, Fixture, Line, judge, load_fixture
from tests.detectors.fixture import filled

from livesec.core.attack import technique_name
from livesec.core.errors import StateVersionError
from livesec.core.finding import Finding
from livesec.core.protocols import Correlator, param_infos
from livesec.core.settings import Settings
from livesec.pipeline.assembly import correlator_classes, detector_classes

NAMES = sorted(correlator_classes())
HOSTILE = "{user}%s\x1b[2J';rm -rf ~\u202e<script>{0.__class__}"

correlators = pytest.mark.parametrize("name", NAMES)


@cache
def fixture(name: str) -> Fixture:
    path = HERE / f"{name}.csv"
    if not path.is_file():
        pytest.fail(f"{name} has no labelled fixture tests/correlate/{name}.csv")
    return load_fixture(path)


def made(name: str) -> AnyCorrelator:
    kind = correlator_classes()[name]
    return kind(kind.params(**fixture(name).parameters))


def _restored(part: AnyCorrelator, state: Any) -> Any:
    return part.from_bytes(part.to_bytes(state))


def _same_whatever_the_cut(name: str, lines: Sequence[Line], seed: int) -> None:
    whole = judge(made(name), lines)
    random = np.random.default_rng(seed)
    n = len(lines)
    cuts = [list(range(n))] if n <= 60 else []
    for _ in range(3):
        pieces = int(random.integers(1, min(n, 40) + 1))
        cuts.append([0, *sorted(random.choice(np.arange(1, n), size=pieces - 1, replace=False).tolist())])
    for starts in cuts:
        assert judge(made(name), lines, starts) == whole
        assert judge(made(name), lines, starts, partial(_restored, made(name))) == whole


@correlators
def test_declaration(name: str) -> None:
    found = correlator_classes()[name]
    assert issubclass(found, Correlator)
    assert found.name == name
    assert name not in detector_classes()
    assert 0 <= found.base_severity <= 99
    assert found.technique
    assert all(technique_name(technique) for technique in found.technique)
    assert found.summary and found.guidance.benign and found.guidance.next_steps
    assert found.__doc__ and importlib.import_module(found.__module__).__doc__
    defaults = found.params()
    for info in param_infos(found.params):
        assert info.source, f"{info.name} does not say where its default comes from"
        if isinstance(info.default, int | float):
            assert info.minimum is None or info.minimum <= info.default, info.name
            assert info.maximum is None or info.default <= info.maximum, info.name
        if info.setting is not None:
            assert getattr(defaults, info.name) == getattr(Settings(), info.setting), info.name


def test_no_fixture_without_its_correlator() -> None:
    assert {path.stem for path in HERE.glob("*.csv")} <= set(NAMES)


@correlators
def test_finds_what_the_fixture_labels(name: str) -> None:
    for story in fixture(name).stories:
        raised = judge(made(name), story.lines)
        assert [item.sequence for item in raised] == sorted(story.expected), f"case {story.name}: {raised}"
        for item in raised:
            expected = story.expected[item.sequence]
            assert expected.reason in (None, item.reason), story.name
            for key, text in expected.details.items():
                value = item.confidence if key == "confidence" else item.details[key]
                if isinstance(value, int | float):
                    assert math.isclose(value, float(text), rel_tol=1e-3, abs_tol=1e-9), f"{story.name}: {key}={value}"
                else:
                    assert str(value) == text, f"{story.name}: {key}={value}"


@correlators
def test_a_finding_says_where_it_belongs(name: str) -> None:
    for lines in (*(story.lines for story in fixture(name).stories), traffic.story(1)):
        raised = judge(made(name), lines)
        for item in raised:
            fields = (item.user, item.src_ip, item.dst_ip, item.host)
            assert (item.detector, item.base_severity) == (name, made(name).base_severity)
            assert 0 < item.confidence <= 1
            assert item.evidence[-1] == (item.stream_id << 40) | item.line_offset
            assert len(set(item.evidence)) == len(item.evidence) <= 16
            named = dict(zip(("user", "src_ip", "dst_ip", "host"), fields, strict=True))
            assert all(named[key] is not None for key in item.entity_type.split("|"))
        assert [item.sequence for item in raised] == sorted(item.sequence for item in raised)


@pytest.mark.no_cover
@correlators
def test_fixture_is_judged_alike_in_any_batches_and_restored(name: str) -> None:
    for number, story in enumerate(fixture(name).stories):
        _same_whatever_the_cut(name, story.lines, number)


@pytest.mark.no_cover
@correlators
def test_stories_are_judged_alike_in_any_batches_and_restored(name: str) -> None:
    for seed in range(2):
        _same_whatever_the_cut(name, traffic.story(seed), seed)


@correlators
def test_nothing_comes_of_nothing(name: str) -> None:
    part = made(name)
    assert part.step(part.initial(), [], {}) == []


@correlators
def test_a_state_of_another_layout_is_refused(name: str) -> None:
    with pytest.raises((StateVersionError, ValueError, KeyError, TypeError)):
        made(name).from_bytes(b'{"version": -1}')


@correlators
def test_templates_render_for_every_finding_whatever_the_names(name: str) -> None:
    part = made(name)
    raised = [item for story in fixture(name).stories for item in judge(part, story.lines)]
    assert raised, "no case of the fixture fires"
    for item in raised:
        for finding in (item, replace(item, user=HOSTILE, src_ip=HOSTILE, host=HOSTILE)):
            _render(part, finding)


def _render(part: AnyCorrelator, item: Finding) -> None:
    row = {"user": item.user, "src_ip": item.src_ip, "dst_ip": item.dst_ip, "host": item.host}
    for template in (part.summary, part.guidance.usual, *part.guidance.next_steps):
        for filling in (item.details, dict.fromkeys(item.details), dict.fromkeys(item.details, math.nan)):
            text = filled(template, filling, row)
            assert text and "\x1b" not in text and "\u202e" not in text
