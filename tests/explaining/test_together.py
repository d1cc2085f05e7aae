"""Several kinds of finding in one question, over real HTTP: what it saves, and that nothing is mixed up by it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.explain import good_model
from tests.explain.fake_endpoint import GOOD, Behaviour, FakeEndpoint, answering, failing, truncated
from tests.explaining.made_store import good_endpoint, made_anomaly, rows, settings_for, write
from tests.explaining.test_wording import working

from livesec.core.severity import Severity
from livesec.explain.endpoint import KINDS_PER_CALL, endpoint_of
from livesec.explain.model_call import Request, View
from livesec.explain.together import together
from livesec.store.explanations import queue_summary

LEVELS = (Severity.MEDIUM, Severity.HIGH, Severity.CRITICAL)
Answers = list[dict[str, Any]]


def of_kinds(count: int, kinds: int = 3) -> list[Any]:
    """Anomalies of `kinds` kinds in turn, each with an address of its own."""
    return [
        made_anomaly(number, LEVELS[number % 3], details={"attempts": number, f"kind_{number % kinds}": 1})
        for number in range(1, count + 1)
    ]


def changed(change: Callable[[Answers], object]) -> Behaviour:
    """A good model whose answers about several findings are changed."""

    def text(body: dict[str, Any]) -> str:
        told = json.loads(good_model.answer_text(body))
        if "answers" in told:
            told["answers"] = change(told["answers"]) or told["answers"]
        return json.dumps(told)

    return answering(text)


def test_kinds_that_wait_together_cost_one_call(tmp_path: Path) -> None:
    db = write(tmp_path / "a.db", *of_kinds(30, 15))
    with good_endpoint() as server, working(db, settings_for(server, explain_kinds_per_call=6)) as works:
        works.all_due()
        with works.store.reading() as connection:
            summary = queue_summary(connection)
        assert (summary.worked, summary.cached) == (30, 27)
        assert len(server.requests) == 3  # 15 kinds
        assert [len(re.findall(r"Finding \d+\. ", json.dumps(body))) for body in server.requests] == [6, 6, 3]
        assert [body["max_tokens"] for body in server.requests] == [7200, 7200, 3600]
        shown = [works.shown(number) for number in range(1, 31)]
        assert all(f"203.0.113.{number % 250 + 1} " in item.what_happened for number, item in enumerate(shown, 1))
        assert {item.provenance.writer for item in shown} == {"test-model"}
        sent = rows(db, "SELECT DISTINCT sent FROM model_answers")
        assert len(sent) == 3
        assert "203.0.113" not in str(sent)


def test_kinds_that_come_one_after_the_other_cost_a_call_each(tmp_path: Path) -> None:
    with good_endpoint() as server:
        settings = settings_for(server, explain_kinds_per_call=6)
        for anomaly in of_kinds(3):
            db = write(tmp_path / "a.db", anomaly)
            with working(db, settings) as works:
                works.all_due()
        assert len(server.requests) == 3


def test_an_endpoint_on_this_machine_is_asked_about_one_kind_at_a_time_unless_told_otherwise() -> None:
    with FakeEndpoint() as server:
        local = endpoint_of(settings_for(server))
        told = endpoint_of(settings_for(server, explain_kinds_per_call=4))
        elsewhere = endpoint_of(settings_for(server).model_copy(update={"openai_base_url": "https://192.0.2.1/v1"}))
    assert local is not None and told is not None and elsewhere is not None
    assert (local.kinds_per_call, told.kinds_per_call, elsewhere.kinds_per_call) == (1, 4, KINDS_PER_CALL)
    assert elsewhere.limit_s(KINDS_PER_CALL) == KINDS_PER_CALL * elsewhere.timeout_s


def _drop_last(answers: Answers) -> Answers:
    return answers[:-1]


def _renumber(answers: Answers) -> Answers:
    return [{**answer, "finding": 1} for answer in answers]


def _reverse(answers: Answers) -> Answers:
    return answers[::-1]


@pytest.mark.parametrize("change", [_drop_last, _renumber, _reverse])
def test_a_model_that_cannot_keep_them_apart_is_asked_about_each_alone(
    tmp_path: Path, change: Callable[[Answers], object]
) -> None:
    db = write(tmp_path / "a.db", *of_kinds(6))
    with FakeEndpoint(changed(change)) as server:
        with working(db, settings_for(server, explain_kinds_per_call=6)) as works:
            works.one()
            assert rows(db, "SELECT count(*) FROM model_answers") == [(0,)]
            works.now_us += 60_000_000
            works.all_due()
            assert {works.shown(number).provenance.writer for number in range(1, 7)} == {"test-model"}
        assert len(server.requests) == 3 + 3  # once on each rung, then the three kinds


@pytest.mark.parametrize("behaviour", [failing(500), truncated()])
def test_a_question_that_was_too_much_is_asked_alone_the_next_time(tmp_path: Path, behaviour: Behaviour) -> None:
    db = write(tmp_path / "a.db", *of_kinds(6))
    with good_endpoint() as server, working(db, settings_for(server, explain_kinds_per_call=6)) as works:
        server.script = [behaviour]
        works.one()
        works.now_us += 60_000_000
        works.all_due()
        assert len(server.requests) == 1 + 3
        assert {works.shown(number).provenance.writer for number in range(1, 7)} == {"test-model"}


def test_an_answer_that_fails_its_checks_harms_no_other(tmp_path: Path) -> None:
    def spoil_second(answers: Answers) -> None:
        answers[1]["answer"] = GOOD | {"what_happened": "Visit 198.51.100.66 [L1]."}

    db = write(tmp_path / "a.db", *of_kinds(6))
    with FakeEndpoint(changed(spoil_second)) as server:
        with working(db, settings_for(server, explain_kinds_per_call=6)) as works:
            works.all_due()
            shown = [works.shown(number) for number in range(1, 7)]
        assert {item.provenance.writer for item in shown} == {"test-model"}
        assert "198.51.100.66" not in " ".join(item.to_text() for item in shown)
        assert len(server.requests) == 2  # the spoilt one was asked about alone


def test_an_answer_with_the_placeholders_of_another_finding_is_not_kept(tmp_path: Path) -> None:
    def swap(answers: Answers) -> None:
        answers[0]["answer"], answers[1]["answer"] = answers[1]["answer"], answers[0]["answer"]

    def naming_its_kind(body: dict[str, Any]) -> str:
        told = json.loads(good_model.answer_text(body))
        users = re.findall(r'"(kind_\d)": "number"', body["messages"][-1]["content"])
        answers = [item["answer"] for item in told["answers"]] if "answers" in told else [told]
        for kind, answer in zip(users, answers, strict=True):
            answer["what_happened"] = f"It happened {{{kind}}} times [L1]."
        if "answers" in told:
            swap(told["answers"])
        return json.dumps(told)

    db = write(tmp_path / "a.db", *of_kinds(2, 2))
    with (
        FakeEndpoint(answering(naming_its_kind)) as server,
        working(db, settings_for(server, explain_kinds_per_call=6)) as works,
    ):
        works.one()
        assert rows(db, "SELECT count(*) FROM model_answers") == [(0,)]


def test_only_general_questions_of_one_view_are_joined() -> None:
    one = Request("system", "user", View.TECHNICAL_EXPERT, "t", True, "k1", True, 100, 0.2)
    assert together([one]) is one
    for other in (replace(one, is_cacheable=False), replace(one, system="another view")):
        with pytest.raises(ValueError, match="together"):
            together([one, other])
    joined = together([one, replace(one, user="another", cache_key="k2")])
    assert (joined.findings, joined.max_tokens, joined.cache_key) == (2, 200, "k1")
    assert joined.user.index("user") < joined.user.index("another")
