"""What leaves the machine: names are replaced in every form before texts are cut, also those in an incident."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.examples import examples
from tests.explain.test_checks import SENSIBLE as CITES_FIVE
from tests.explain.test_malice import BY_MODEL, ENTITIES, asked, facts_about, facts_about_incident

from livesec.explain.checks import worded
from livesec.explain.model_call import ModelError, View, WireAnswer
from livesec.explain.prompt import Mode

SENSIBLE = CITES_FIVE.model_copy(
    update={"what_happened": "{src_ip} tried {attempts} times [L1].", "advice": ["Ask its owner."]}
)
LONG_NAME = "ann-" + "of-the-north-" * 20
WEIRD = [LONG_NAME, "ann\x1b[31mlee", "ann\u202eeel", "annie lee", "ann\U000e0041lee", "Ann.Lee", "ann\tlee"]


@pytest.mark.parametrize("name", WEIRD)
def test_no_part_of_a_name_is_sent(name: str) -> None:
    sent = asked(facts_about("bf_fast", entities={**ENTITIES, "user": name}), Mode.SPECIFIC).request.user
    assert "ann" not in sent.lower()
    assert "USER_1" in sent


@pytest.mark.parametrize("name", WEIRD)
def test_a_pseudonym_comes_back_as_the_name_is_shown(name: str) -> None:
    facts = facts_about("bf_fast", entities={**ENTITIES, "user": name})
    told = worded(SENSIBLE.model_copy(update={"usual": "USER_1 never did."}), asked(facts, Mode.SPECIFIC), BY_MODEL)
    assert told.usual == f"{facts.placeholder_texts()['user']} never did."
    assert told.usual.isprintable()


def test_names_of_an_incidents_members_are_not_sent() -> None:
    first = facts_about("bf_fast")
    second = facts_about("bf_fast", entities={**ENTITIES, "user": "mallory.m", "host": "vault-9"})
    second = replace(second, written=replace(second.written, headline="mallory.m failed on vault-9"))
    prepared = asked(facts_about_incident(first, second), Mode.SPECIFIC)
    assert "mallory" not in prepared.request.user
    assert "vault-9" not in prepared.request.user


def test_a_secret_at_the_cut_is_not_sent_in_part() -> None:
    secret = "ghp_" + "a1B2" * 9
    facts = facts_about("bf_fast", details={**facts_about("bf_fast").values, "client": "c" * 110 + " " + secret})
    for redacted in (False, True):
        assert "ghp_" not in asked(facts, Mode.SPECIFIC, redacted=redacted).request.user


@settings(deadline=None, max_examples=examples(100))
@given(st.text(max_size=60))
def test_data_never_holds_the_delimiter(user: str) -> None:
    text = asked(facts_about("bf_fast", entities={**ENTITIES, "user": user or "u"}), Mode.SPECIFIC).request.user
    mark = text.split("\n")[1]
    assert text.count(mark) == 3
    assert text.isascii()


def test_lines_of_an_answer_are_one_paragraph_and_german_nouns_are_no_names() -> None:
    prepared = asked(facts_about("bf_fast"), Mode.SPECIFIC)
    told = worded(SENSIBLE.model_copy(update={"usual": "It never\ndid  so before."}), prepared, BY_MODEL)
    assert told.usual == "It never did so before."
    german = SENSIBLE.model_copy(update={"usual": "Das Konto hat die Anmeldung aus dem Netz nie zuvor versucht."})
    with pytest.raises(ModelError, match="a name"):
        worded(german, prepared, BY_MODEL)
    assert worded(german, replace(prepared, language="German"), BY_MODEL).usual == german.usual


def test_a_detectors_own_words_may_be_said_again() -> None:
    prepared = asked(facts_about("impossible_travel"), Mode.GENERAL)
    answer = SENSIBLE.model_copy(
        update={
            "headline": "Travel that nobody manages",
            "what_happened": "Two places were used in turn [L1].",
            "usual": "One place is usual.",
            "would_change": [],
            "alternatives": ["a mobile network that comes out abroad, which you can list in relay_networks"],
            "command_ids": [],
            "techniques": [],
        }
    )
    assert "relay_networks" in worded(answer, prepared, BY_MODEL).alternatives[0]
    with pytest.raises(ModelError, match="markup"):
        worded(answer.model_copy(update={"usual": "See relay_hosts."}), prepared, BY_MODEL)


@pytest.mark.parametrize("view", View)
def test_the_example_of_each_view_is_a_good_answer(view: View) -> None:
    prepared = asked(facts_about("bf_fast"), Mode.GENERAL, view)
    example = WireAnswer.model_validate_json(prepared.request.system.rpartition("\n")[2])
    told = worded(example, prepared, BY_MODEL)
    assert told.headline == "5 failed logins from 203.0.113.77"
    assert len(prepared.request.system) < 4000
    assert len({asked(prepared.facts, Mode.GENERAL, other).request.system for other in View}) == len(View)
