"""The five views: what each says first, that nothing is added to the record, and that hostile text stays text."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livesec.core.attack import TACTICS
from livesec.core.explanation import Contribution, Explanation, Provenance, Step
from livesec.core.severity import Severity
from livesec.core.text import shown
from livesec.explain.model_call import View
from livesec.explain.step_phase import Phase, phase_of
from livesec.explain.tactic_texts import TACTIC_TEXTS
from livesec.explain.views import Section, page

RECORD = Explanation(
    headline="5 failed logins from 192.0.2.7 in 9.6 s, last as root",
    what_happened="5 failed logins from 192.0.2.7 in 9.6 s, last as root [L1] to [L5]. Automated guessing.",
    usual="A person makes fewer than 5 failures; 192.0.2.7 has made 5 in 9.6 s at port 22.",
    why_score=(Contribution("base severity of bf_fast", 4.7),),
    alternatives=("a script with an old password",),
    would_change=(
        "a login that succeeded from 192.0.2.7: then it is a break-in",
        "192.0.2.7 is the organisation's own scanner: then it is harmless",
    ),
    next_steps=(
        Step("whois 192.0.2.7    # an access network, a hosting provider, a VPN?", "owner_of_source"),
        Step("Did 192.0.2.7 get in?"),
        Step("If it is foreign: block it at the firewall."),
        Step("Change the passwords; ask for a second factor."),
    ),
    techniques=("T1110.001 Brute Force (credential-access)",),
    confidence=1.0,
    confidence_reason="full: a rule, and all that it asks for is there",
    missing=("the account",),
)
every_view = pytest.mark.parametrize("view", list(View))


def lines_of(sections: tuple[Section, ...]) -> dict[str, tuple[str, ...]]:
    return {section.heading: section.lines for section in sections}


@every_view
def test_each_view_says_what_was_seen_and_how_it_is_rated(view: View) -> None:
    sections = page(RECORD, view, Severity.MEDIUM)
    text = "\n".join(line for section in sections for line in section.lines)
    assert RECORD.headline in text
    assert re.search(r"[Rr]ated medium: 4\.7 of 10", text)
    assert all(section.lines for section in sections)
    assert len({section.heading for section in sections}) == len(sections)


def test_the_five_views_differ_in_what_they_say() -> None:
    assert len({page(RECORD, view, Severity.HIGH) for view in View}) == len(View)


def test_the_technical_view_holds_the_whole_record() -> None:
    text = "\n".join(line for section in page(RECORD, View.TECHNICAL_EXPERT, Severity.MEDIUM) for line in section.lines)
    for part in (
        RECORD.what_happened,
        RECORD.usual,
        RECORD.score_text(),
        RECORD.confidence_reason,
        *RECORD.alternatives,
        *RECORD.would_change,
        *(step.text for step in RECORD.next_steps),
        *RECORD.techniques,
        *RECORD.missing,
    ):
        assert part in text


def test_the_responder_verifies_contains_keeps_and_recovers_in_that_order() -> None:
    sections = page(RECORD, View.INCIDENT_RESPONDER, Severity.HIGH)
    assert [section.heading for section in sections if section.heading in set(Phase)] == list(Phase)
    told = lines_of(sections)
    assert told[Phase.VERIFY] == (RECORD.next_steps[0].text, RECORD.next_steps[1].text)
    assert told[Phase.CONTAIN] == (RECORD.next_steps[2].text,)
    assert told[Phase.RECOVER] == (RECORD.next_steps[3].text,)
    assert "[L1] to [L5]" in told[Phase.EVIDENCE][0]


def test_a_responder_is_told_how_to_contain_where_the_record_does_not_say() -> None:
    bare = replace(RECORD, next_steps=RECORD.next_steps[:2])
    told = lines_of(page(bare, View.INCIDENT_RESPONDER, Severity.HIGH))
    assert told[Phase.CONTAIN] == (TACTIC_TEXTS["credential-access"].contain,)


@pytest.mark.parametrize(
    ("text", "phase"),
    [
        ("Does the firewall block it already?", Phase.VERIFY),
        ("If one account fails at even intervals, look for a job before you block.", Phase.VERIFY),
        ("If nobody knows the program, take 192.0.2.1 off the network, still running.", Phase.CONTAIN),
        ("Ask alice. If nobody can explain it, lock the account and keep the logs.", Phase.CONTAIN),
        ("If so, fetch the pieces to a safe place, join them and see what they are.", Phase.EVIDENCE),
        ("Find out whether READ_ME_TO_RESTORE.txt belongs to the work of alice.", Phase.VERIFY),
        ("Give alice a new password and a second factor.", Phase.RECOVER),
    ],
)
def test_the_phase_of_a_step(text: str, phase: Phase) -> None:
    assert phase_of(Step(text)) is phase


def test_the_risk_is_likelihood_and_impact_and_what_would_lower_it() -> None:
    told = lines_of(page(RECORD, View.RISK_ASSESSOR, Severity.MEDIUM))
    assert told["Likelihood"][0].startswith("Likely")
    assert told["Impact"][0].startswith("Considerable")
    assert told["What would lower the rating"] == (RECORD.would_change[1], *RECORD.alternatives)
    assert told["What else would change it"] == (RECORD.would_change[0],)
    unsure = lines_of(page(replace(RECORD, confidence=0.3), View.RISK_ASSESSOR, Severity.LOW))
    assert unsure["Likelihood"][0].startswith("Uncertain")


def test_indicators_are_those_of_the_record_and_what_comes_before_and_after_follows_from_its_tactics() -> None:
    told = lines_of(page(RECORD, View.THREAT_INTELLIGENCE, Severity.MEDIUM))
    assert told["Indicators"] == ("192.0.2.7 (outside)", "port 22")
    assert "credential-access" in told["Usually before"][0]
    assert "credential-access" in told["Usually after"][0]


def test_the_file_that_a_command_looks_at_is_an_indicator() -> None:
    looked = replace(RECORD, next_steps=(Step("stat -- '/srv/www/a b.php'    # is it still there?", "file"),))
    assert "/srv/www/a b.php" in lines_of(page(looked, View.THREAT_INTELLIGENCE, Severity.HIGH))["Indicators"]


def test_a_briefing_asks_for_a_decision_by_severity_and_holds_no_command() -> None:
    decisions = set()
    for severity in Severity:
        sections = page(RECORD, View.EXECUTIVE_BRIEFING, severity)
        decisions.add(lines_of(sections)["Decision asked for"])
        text = "\n".join(line for section in sections for line in section.lines)
        assert "whois" not in text and "[L" not in text
    assert len(decisions) == len(Severity)


def test_the_most_fitting_of_the_gravest_tactics_is_told_to_managers() -> None:
    """A guessed password that worked is told as use of an account, not as guessing."""
    both = replace(RECORD, techniques=("T1078 Valid Accounts (initial-access)", *RECORD.techniques))
    short = lines_of(page(both, View.EXECUTIVE_BRIEFING, Severity.CRITICAL))["In short"][0]
    assert short.startswith(TACTIC_TEXTS["initial-access"].business)


def test_a_models_disagreement_is_told_and_changes_no_rating() -> None:
    disagrees = replace(RECORD, provenance=Provenance(writer="model", disagrees=True))
    told = lines_of(page(disagrees, View.TECHNICAL_EXPERT, Severity.HIGH))["Why this score"]
    assert told[0].startswith("Rated high: 4.7 of 10")
    assert any("harmless" in line for line in told)


def test_every_tactic_has_its_texts_without_figures() -> None:
    assert set(TACTIC_TEXTS) == set(TACTICS)
    for text in TACTIC_TEXTS.values():
        assert not re.search(r"\d", " ".join(getattr(text, name) for name in text.__slots__))
        assert text.impact in ("limited", "considerable", "severe")


_hostile = st.text(st.characters(codec="utf-8"), max_size=60) | st.sampled_from(
    ["\x1b[31m", "a\nb", "\u202e", "stat -- '", 'stat -- "x', "(exfiltration)", "(", "[L1] to [L", "::::", "1.2.3.4.5"]
)


@settings(deadline=None)
@given(view=st.sampled_from(list(View)), severity=st.sampled_from(list(Severity)), text=_hostile, other=_hostile)
def test_nothing_hostile_gets_through_unescaped(view: View, severity: Severity, text: str, other: str) -> None:
    record = Explanation(
        headline=text,
        what_happened=text + other,
        usual=other,
        why_score=(Contribution(text, 1.0),),
        alternatives=(text, other),
        would_change=(other, text),
        next_steps=(Step(text), Step(other, "file")),
        techniques=(text,),
        confidence_reason=other,
        missing=(text,),
    )
    for section in page(record, view, severity):
        for line in section.lines:
            assert line == shown(line, len(line)) and "\n" not in line
