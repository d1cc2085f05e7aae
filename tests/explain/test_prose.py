"""What models sensibly write of a finding is plain prose; whatever else they write, nothing happens."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.examples import examples
from tests.explain.made_facts import anomalies, facts, facts_of
from tests.explain.test_checks import SENSIBLE, prepared
from tests.explain.test_injections import assert_harmless

from livesec.core.explanation import Provenance
from livesec.explain.checks import worded
from livesec.explain.facts import Facts
from livesec.explain.model_call import ModelError, View, WireAnswer
from livesec.explain.plain_prose import foreign
from livesec.explain.prompt import Mode, prepare

TEXTS = st.text(max_size=60)
SENTENCES = (
    "X tried to log in X times within X [L1].",
    "That is far more than the X attempts that are usual for this source.",
    "The attempts came faster than a person types, which points to an automated tool.",
    "This pattern is typical of online password guessing against an SSH server.",
    "No login succeeded in the lines that are shown.",
    "It's likely that the same list of common names is tried on every machine on the Internet.",
    "An employee may have mistyped a new password (for example after a change).",
    "A scheduled job, e.g. a backup, may still use an old key.",
    "Check whether the account exists and whether anybody uses it.",
    "If a login from X followed, this is a break-in and not merely an attempt.",
    "Review the sessions of the account around that time and ask its owner.",
    "Contain: block the source at the firewall once you have verified that it is not your own.",
    "Preserve the logs before anything is rotated away.",
    "The data left at night, when the user normally does not work.",
    "A large upload to a destination that was never used before suggests exfiltration.",
    "The traffic repeats at an almost constant interval, as command-and-control traffic does.",
    "A software update, a monitoring agent or time synchronisation would look the same.",
    "The risk is high: confidentiality of customer data could be affected.",
    "Regulatory duties to report may apply if personal data was involved.",
    "Decide today whether the account stays disabled for logins from outside.",
    "The business impact is limited as long as no login succeeded.",
    "Adversaries scan for open services first, and then try valid accounts.",
    "Hunt for the same client software and for logins of neighbouring accounts.",
    "Two-factor authentication would have stopped this.",
    "The volume was about X, compared with X on a normal day.",
    "The host answered on X ports, which a scanner has now learned.",
    "The confidence is moderate, since the history of this user is short.",
    "Whether the process that opened the connection is legitimate cannot be told from network logs.",
    "DNS queries with long random names can carry data out of a network.",
    "A VPN or mobile network can move a user's apparent location within minutes.",
    "Windows and Linux machines behave differently here.",
    "On Monday morning many people log in at once, which may explain the burst.",
)


@pytest.mark.parametrize("sentence", SENTENCES)
def test_sensible_sentences_are_plain(sentence: str) -> None:
    assert foreign(sentence.replace(" [L1]", "")) is None


@settings(deadline=None, max_examples=examples(300))
@given(
    st.builds(
        WireAnswer,
        **dict.fromkeys(("headline", "what_happened", "usual", "confidence_reason"), TEXTS | st.just("X [L1].")),
        **dict.fromkeys(("alternatives", "would_change", "advice", "missing"), st.lists(TEXTS, max_size=3)),
        command_ids=st.lists(st.sampled_from(["logins_of_address", "rm", ""]), max_size=2),
        techniques=st.lists(st.sampled_from(["T1110.001", "T1486", ""]), max_size=2),
        benign=st.booleans(),
    ),
    st.sampled_from(Mode),
)  # fmt: skip
def test_any_answer_is_refused_or_harmless(answer: WireAnswer, mode: Mode) -> None:
    asked = prepared("bf_fast", mode=mode)
    try:
        told = worded(answer, asked, Provenance(writer="any"))
    except ModelError:
        return
    assert_harmless(told, asked.facts)


@settings(deadline=None, max_examples=examples(100))
@given(
    st.text(min_size=1, max_size=20),
    st.integers(1, 10**9),
    st.ip_addresses(v=4).filter(lambda address: address.is_global),
)
def test_anomalies_of_one_kind_are_one_question(user: str, attempts: int, address: object) -> None:
    item = anomalies("bf_fast")[0]
    other = facts_of(
        item,
        details={**item.details, "attempts": attempts},
        entities={"user": f"u{user}", "src_ip": str(address), "dst_ip": None, "host": f"h{user}"},
        time_us=item.time_us + attempts,
        score=item.score + 1,
    )
    if other.is_marked:
        return

    def asked(known: Facts) -> tuple[str, str, str]:
        request = prepare(
            known, View.TECHNICAL_EXPERT, mode=Mode.GENERAL, language="English", model="m", redactor=None,
            max_tokens=900, temperature=0,
        ).request  # fmt: skip
        return request.cache_key, request.system, request.user

    here = facts_of(item, entities={"user": "ann", "src_ip": "8.8.8.8", "dst_ip": None, "host": "web"})
    assert asked(other) == asked(here)


def test_what_differs_is_another_question() -> None:
    item = anomalies("bf_fast")[0]

    def key(view: View = View.TECHNICAL_EXPERT, language: str = "English", model: str = "m", **changes: object) -> str:
        return prepare(
            facts_of(item, **changes), view, mode=Mode.GENERAL, language=language, model=model, redactor=None,
            max_tokens=900, temperature=0,
        ).request.cache_key  # fmt: skip

    keys = [
        key(),
        key(view=View.EXECUTIVE_BRIEFING),
        key(language="German"),
        key(model="n"),
        key(severity="critical"),
        key(entities={"user": None, "src_ip": "192.0.2.1", "dst_ip": None, "host": None}),
        key(entities={"user": "bob", "src_ip": "10.0.0.1", "dst_ip": None, "host": None}),
    ]
    assert len(set(keys)) == len(keys)
    assert facts("bf_fast").entity_class == "administrator" or facts("bf_fast").entity_class == "external"


def test_a_cached_answer_is_filled_for_another_anomaly() -> None:
    item = anomalies("bf_fast")[0]
    other = facts_of(item, details={**item.details, "attempts": 77})
    asked = prepare(
        other, View.TECHNICAL_EXPERT, mode=Mode.GENERAL, language="English", model="m", redactor=None,
        max_tokens=900, temperature=0.2,
    )  # fmt: skip
    assert worded(SENSIBLE, asked, Provenance(writer="m", cached=True)).headline == "77 failed logins from 192.0.2.1"
