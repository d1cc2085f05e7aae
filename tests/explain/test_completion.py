import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livesec.explain.completion import Completion, NoCompletionError, read_chat, read_response

NAMES = [
    "choices",
    "message",
    "content",
    "refusal",
    "finish_reason",
    "usage",
    "prompt_tokens",
    "output",
    "type",
    "text",
    "incomplete_details",
    "reason",
    "input_tokens",
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(NAMES),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(JSON | st.fixed_dictionaries({"choices": st.lists(st.fixed_dictionaries({"message": JSON}), max_size=2)}))
def test_any_json_is_a_completion_or_none(value: object) -> None:
    for read in (read_chat, read_response):
        try:
            found = read(json.dumps(value).encode())
        except NoCompletionError:
            continue
        assert len(found.text) <= len(json.dumps(value))


@given(st.binary(max_size=50))
def test_any_bytes_are_a_completion_or_none(body: bytes) -> None:
    with pytest.raises(NoCompletionError):
        read_chat(body)


def test_content_in_parts_is_one_text() -> None:
    content = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}, {"type": "image"}]
    assert read_chat(json.dumps({"choices": [{"message": {"content": content}}]}).encode()).text == "ab"


def test_a_response_that_thought_until_nothing_was_left_is_cut() -> None:
    body = {"output": [], "incomplete_details": {"reason": "max_output_tokens"}}
    assert read_response(json.dumps(body).encode()).is_cut


def test_tokens_that_nobody_counted_are_estimated_from_lengths() -> None:
    assert Completion("abcdefgh", False, False, None, None).tokens(40) == (10, 2)
    assert Completion("abcdefgh", False, False, 7, 0).tokens(40) == (7, 0)
