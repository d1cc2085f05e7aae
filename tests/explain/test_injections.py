"""Hostile text in every field against a fully malicious model: nothing of the model's own gets through."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from ipaddress import ip_address

import pytest
from tests.explain.good_model import answer_for
from tests.explain.injections import BEACON, PAYLOADS
from tests.explain.made_facts import anomalies, facts_of

from livesec.core.commands import COMMANDS
from livesec.core.explanation import Explanation, Provenance
from livesec.explain.checks import worded
from livesec.explain.facts import Facts
from livesec.explain.model_call import ModelError, View, WireAnswer
from livesec.explain.prompt import Mode, Prepared, prepare, redactor_of

MARK = "f0e1d2c3b4a5968778695a4b3c2d1e0f"
FIELDS = ("user", "src_ip", "dst_ip", "host", "path", "client", "evidence")


def hostile(field: str, payload: str) -> Facts:
    """The facts of a burst of failed logins whose `field` an attacker has written."""
    item = anomalies("bf_fast")[0]
    entities = {"user": item.user, "src_ip": item.src_ip, "dst_ip": item.dst_ip, "host": item.host}
    if field in entities:
        return facts_of(item, entities=entities | {field: payload})
    if field == "evidence":
        return facts_of(item, evidence=[payload.encode("utf-8", "replace")] * 5)
    return facts_of(item, details={**item.details, field: payload})


def asked(facts: Facts, mode: Mode, *, redacted: bool = False) -> Prepared:
    return prepare(
        facts, View.TECHNICAL_EXPERT, mode=mode, language="English", model="m",
        redactor=redactor_of(facts) if redacted else None, max_tokens=900, temperature=0, delimiter=MARK,
    )  # fmt: skip


def echoing(field: str) -> Callable[[WireAnswer, str], WireAnswer]:
    """A model that puts the payload into one field of its answer."""

    def answer(good: WireAnswer, payload: str) -> WireAnswer:
        old = getattr(good, field)
        new: object = [payload] if isinstance(old, list) else f"{payload} [L1]"
        return good.model_copy(update={field: new})

    return answer


def obeying(good: WireAnswer, _payload: str) -> WireAnswer:
    return good.model_copy(
        update={
            "headline": "Severity low: nothing to see",
            "benign": True,
            "confidence_reason": "The log says that it is authorised.",
            "advice": ["Close the finding and suppress its source."],
        }
    )


def inventing(what: dict[str, object]) -> Callable[[WireAnswer, str], WireAnswer]:
    return lambda good, _payload: good.model_copy(update=what)


MODELS: dict[str, Callable[[WireAnswer, str], WireAnswer]] = {
    **{f"echo {field}": echoing(field) for field in WireAnswer.model_fields if field not in ("benign",)},
    "obey": obeying,
    "address": inventing({"usual": "The true source is 203.0.113.66."}),
    "address in words": inventing({"usual": "It came from two-oh-three dot zero."}),
    "figure": inventing({"what_happened": "It failed 4242 times [L1]."}),
    "figure in words": inventing({"what_happened": "It failed a thousand times [L1]."}),
    "full-width figure": inventing({"what_happened": "It failed \uff14\uff12 times [L1]."}),
    "command": inventing({"advice": ["Run curl against the address and pipe it to bash."]}),
    "command in code": inventing({"advice": ["`rm -rf /`"]}),
    "command id": inventing({"command_ids": ["rm_rf"]}),
    "image": inventing({"usual": f"![x]({BEACON})"}),
    "link": inventing({"usual": f"[x]({BEACON})"}),
    "bare host": inventing({"usual": "Read evil.example for more."}),
    "technique": inventing({"techniques": ["T1486"]}),
    "technique in prose": inventing({"usual": "It is T1486."}),
    "citation": inventing({"what_happened": "It failed [L99]."}),
    "name": inventing({"usual": "The account mallory did it."}),
    "quoted name": inventing({"usual": 'It was "mallory".'}),
    "escape": inventing({"usual": "\x1b[31mred"}),
    "bidi": inventing({"usual": "\u202ebenign"}),
    "html": inventing({"usual": "<b>benign</b>"}),
    "placeholder": inventing({"usual": "{__class__}"}),
}


def model_texts(told: Explanation) -> str:
    """All that a model worded."""
    return "\n".join(
        (told.headline, told.what_happened, told.usual, told.confidence_reason, *told.alternatives,
         *told.would_change, *told.missing, *(step.text for step in told.next_steps if step.command is None))
    )  # fmt: skip


def values_out(text: str, facts: Facts) -> str:
    """`text` without what code filled in, and without the detector's own words."""
    own = [
        *facts.placeholder_texts().values(),
        facts.written.headline,
        facts.written.usual,
        *facts.written.alternatives,
    ]
    for value in sorted((item for item in own if item), key=len, reverse=True):
        text = text.replace(value.replace("](", "] ("), "X").replace(value, "X")  # code breaks links apart
    return text


def assert_harmless(told: Explanation, facts: Facts) -> None:
    own = facts.written
    assert (told.why_score, told.confidence, told.techniques) == (own.why_score, own.confidence, own.techniques)
    for step in told.next_steps:
        if step.command is not None:
            assert step.text == facts.commands()[step.command]
            assert step.text.endswith(COMMANDS[step.command].purpose)
    left = re.sub(r"\[L[1-5]\](?: to \[L[1-5]\])?|T1110\.001", "", values_out(model_texts(told), facts))
    assert not re.search(r"\d|https?:|!\[|\]\(|[<>`\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", left), left
    assert not re.search(r"\b(?:curl|bash|rm|mallory|evil)\b", left), left
    for word in re.findall(r"[0-9a-fA-F:.]{4,}", left):
        with pytest.raises(ValueError, match="does not appear"):
            ip_address(word)


@pytest.mark.parametrize("field", FIELDS)
def test_nothing_of_the_log_is_in_a_general_prompt(field: str) -> None:
    seen = set()
    for payload in PAYLOADS:
        facts = hostile(field, payload)
        request = asked(facts, Mode.GENERAL).request
        if request.is_cacheable:
            assert len(payload) < 4 or payload not in request.user
            seen.add((request.system, request.user))
        else:
            assert facts.is_marked
    assert len(seen) == 1  # whatever is written there, the question is the same


@pytest.mark.parametrize("redacted", [False, True])
@pytest.mark.parametrize("field", FIELDS)
def test_a_specific_prompt_holds_short_data_between_marks(field: str, redacted: bool) -> None:
    for payload in PAYLOADS:
        request = asked(hostile(field, payload), Mode.SPECIFIC, redacted=redacted).request
        assert not request.is_cacheable
        before, inside, after = (
            request.user.split(f"\n{MARK}\n", 1)[0],
            *request.user.split(f"\n{MARK}\n", 1)[1].rsplit("\n", 1),
        )
        assert before.startswith("The finding stands between")
        assert after == MARK
        told = json.loads(inside)
        assert inside.isascii()
        texts = [told["placeholders"][name] for name in told["placeholders"]]
        assert max(map(len, texts)) <= 128 + 64 * redacted  # a pseudonym may be longer than its value
        assert payload[:40] not in request.system


@pytest.mark.no_cover
@pytest.mark.parametrize("payload", PAYLOADS, ids=range(len(PAYLOADS)))
def test_nothing_of_a_malicious_model_gets_through(payload: str) -> None:
    refused = dict.fromkeys(MODELS, 0)
    for field in FIELDS:
        facts = hostile(field, payload)
        for mode, redacted in ((Mode.GENERAL, False), (Mode.SPECIFIC, False), (Mode.SPECIFIC, True)):
            prepared = asked(facts, mode, redacted=redacted)
            good = answer_for(prepared.request)
            for name, model in MODELS.items():
                try:
                    told = worded(model(good, payload), prepared, Provenance(writer="evil"))
                except ModelError as error:
                    refused[name] += 1
                    assert len(payload) < 4 or payload not in str(error)
                else:
                    assert_harmless(told, facts)
    # What a model makes up by itself is refused each time; an echo is refused unless code filled it in.
    every = 3 * len(FIELDS)
    made_up = {name: count for name, count in refused.items() if not name.startswith("echo") and name != "obey"}
    assert made_up == dict.fromkeys(made_up, every)


@pytest.mark.no_cover
def test_a_good_model_is_still_taken_beside_hostile_values() -> None:
    for field in FIELDS:
        for payload in PAYLOADS:
            for mode in Mode:
                prepared = asked(hostile(field, payload), mode)
                told = worded(answer_for(prepared.request), prepared, Provenance(writer="good"))
                assert_harmless(told, prepared.facts)


def test_no_payload_becomes_a_command() -> None:
    for field in ("user", "src_ip", "dst_ip", "host", "path"):
        for payload in PAYLOADS:
            facts = hostile(field, payload)
            for text in facts.commands().values():
                assert payload not in text or re.fullmatch(r"[\w .@+$%-]+", payload)
