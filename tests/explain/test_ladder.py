import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.explain.fake_endpoint import GOOD

from livesec.explain.ladder import answer_in, shape_request
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
    assert answer_in(text) == WireAnswer(**GOOD)


def test_a_draft_in_the_thoughts_is_not_the_answer() -> None:
    draft = json.dumps({**GOOD, "headline": "a draft"})
    found = answer_in(f"<think>perhaps {draft}</think>{ANSWER}")
    assert found is not None and found.headline == GOOD["headline"]
    assert answer_in(f"<think>perhaps {draft}, but") is None


def test_tags_within_the_answer_stay() -> None:
    found = answer_in(json.dumps({**GOOD, "usual": "a name with </think> in it"}))
    assert found is not None and "</think>" in found.usual


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
    assert answer_in(text) is None


@given(st.text(max_size=300), st.text(max_size=300))
def test_any_text_is_read_without_an_error(before: str, after: str) -> None:
    answer_in(before + ANSWER[: len(after)] + after)


def test_the_prompt_names_every_member() -> None:
    shape = shape_request()
    assert all(f'"{name}": ' in shape for name in WireAnswer.model_fields) and "JSON" in shape
