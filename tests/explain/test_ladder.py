import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.explain.fake_endpoint import GOOD

from livesec.explain.ladder import answers_in, shape_request
from livesec.explain.model_call import WireAnswer

ANSWER = json.dumps(GOOD)


@pytest.mark.parametrize(
    "text",
    [
        ANSWER,
        f"\n  {ANSWER}\n",
        f"Here you are:\n```json\n{json.dumps(GOOD, indent=2)}\n```\nAnything else?",
        f"Some {{braces}} first, and a set {{1, 2}}. {ANSWER} And {{after}}.",
        f'{{"note": "another object"}}\n{ANSWER}',
        f"<think>First I look at the log. {{draft}}</think>{ANSWER}",
        f"<thinking>a</thinking>\n<think>b</think>\n{ANSWER}",
        f"the server kept the opening tag </think>\n{ANSWER}",
        json.dumps({**GOOD, "severity": "none", "status": "closed"}),
    ],
)
def test_the_object_is_found_wherever_a_server_puts_it(text: str) -> None:
    assert answers_in(text) == (WireAnswer(**GOOD),)


def test_a_draft_in_the_thoughts_is_not_the_answer() -> None:
    draft = json.dumps({**GOOD, "headline": "a draft"})
    found = answers_in(f"<think>perhaps {draft}</think>{ANSWER}")
    assert found is not None and found[0].headline == GOOD["headline"]
    assert answers_in(f"<think>perhaps {draft}, but") is None


def test_tags_within_the_answer_stay() -> None:
    found = answers_in(json.dumps({**GOOD, "usual": "a name with </think> in it"}))
    assert found is not None and "</think>" in found[0].usual


@pytest.mark.parametrize(
    "text",
    [
        "",
        "I cannot do that.",
        "{",
        ANSWER[:-1],
        '{"headline": "only that"}',
        json.dumps({**GOOD, "advice": "no list"}),
        json.dumps({**GOOD, "headline": "\ud800"}),
        json.dumps([GOOD["headline"]]),
        "{" * 100_000,
        '{"a":' * 50_000,
        " " * 300_000 + ANSWER,
    ],
)
def test_what_does_not_fit_is_no_answer(text: str) -> None:
    assert answers_in(text) is None


@given(st.text(max_size=300), st.text(max_size=300))
def test_any_text_is_read_without_an_error(before: str, after: str) -> None:
    answers_in(before + ANSWER[: len(after)] + after)


def test_the_prompt_names_every_member() -> None:
    shape = shape_request()
    assert all(f'"{name}": ' in shape for name in WireAnswer.model_fields) and "JSON" in shape


# Several findings in one answer ---------------------------------------------------------------------------------------

TWO = [{"finding": 1, "answer": GOOD}, {"finding": 2, "answer": {**GOOD, "headline": "the second"}}]


@pytest.mark.parametrize("extra", [{}, {"note": "an extra member"}])
def test_an_answer_for_each_finding_in_order(extra: dict[str, str]) -> None:
    found = answers_in(f"Here: {json.dumps({'answers': TWO, **extra})}", 2)
    assert found is not None
    assert [answer.headline for answer in found] == [GOOD["headline"], "the second"]


@pytest.mark.parametrize(
    "answers",
    [
        TWO[:1],
        [*TWO, {"finding": 3, "answer": GOOD}],
        TWO[::-1],
        [TWO[0], {**TWO[1], "finding": 1}],
        [TWO[0], {"finding": 2}],
        [TWO[0], {"finding": 2, "answer": {"headline": "only that"}}],
        [GOOD, GOOD],
        {"1": GOOD, "2": GOOD},
        None,
    ],
)
def test_answers_that_cannot_be_told_apart_are_none(answers: object) -> None:
    assert answers_in(json.dumps({"answers": answers}), 2) is None


def test_one_answer_is_not_taken_for_two_nor_two_for_one() -> None:
    assert answers_in(ANSWER, 2) is None
    assert answers_in(json.dumps({"answers": TWO})) is None


def test_the_prompt_names_the_shape_of_several() -> None:
    shape = shape_request(3)
    assert all(name in shape for name in ('"answers"', '"finding"', '"answer"', "3", '"headline"'))
