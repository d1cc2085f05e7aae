"""The note of an incident: with one anomaly, five and two hundred; its figures, citations, order and steps."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livesec.core.anomaly import Incident
from livesec.core.attack import TACTICS
from livesec.core.explanation import Contribution, Explanation, Step
from livesec.core.incident_member import IncidentMember
from livesec.core.severity import Severity, severity_of
from livesec.core.text import shown
from livesec.explain.deterministic import around
from livesec.explain.incident_note import MOST_CITED, worst_first, write_incident
from livesec.explain.merged_steps import MOST_ADVICE, MOST_COMMANDS, merged_steps
from livesec.explain.model_call import View
from livesec.explain.views import page

MONDAY_US = 1_772_409_600_000_000  # 2026-03-02T00:00:00Z
MINUTE_US = 60_000_000
GUESS = "T1110.001 Brute Force (credential-access)"
LOGIN = "T1078 Valid Accounts (initial-access)"
LEAK = "T1567 Exfiltration Over Web Service (exfiltration)"


def member(
    name: str = "bf_fast",
    score: float = 47.0,
    minute: int = 0,
    technique: str = GUESS,
    steps: Sequence[Step] = (),
    number: int = 1,
) -> IncidentMember:
    """An anomaly of the detector `name` that says its number."""
    text = f"{name} saw {number} things of alice"
    record = Explanation(
        headline=text,
        what_happened=f"{text} [L1]. It means {name}.",
        usual=f"Usual for {name} are 3 things, here {number}.",
        why_score=(Contribution(f"base severity of {name}", score / 10),),
        alternatives=(f"harmless {name}", "a job"),
        would_change=(f"{name} confirmed",),
        next_steps=(*steps, Step(f"Look at {name}.")),
        techniques=(technique,),
        confidence_reason="full: a rule",
        missing=("the host",),
    )
    time_us = MONDAY_US + minute * MINUTE_US
    return IncidentMember(f"{name}-{number:04d}", time_us, name, severity_of(score), score, text, record)


def incident(members: Sequence[IncidentMember], count: int | None = None, score: float | None = None) -> Incident:
    worst = max((item.score for item in members), default=47.0) if score is None else score
    times = [item.time_us for item in members] or [MONDAY_US]
    return Incident(
        id="0123456789ab",
        title="Password attack that succeeded: 192.0.2.7, alice",
        severity=max(severity_of(worst), Severity.MEDIUM, key=list(Severity).index),
        score=worst,
        first_us=min(times),
        last_us=max(times),
        anomaly_ids=(),
        anomalies=len(members) if count is None else count,
        entities=(("src_ip", "192.0.2.7"), ("user", "alice")),
        tactics=(),
        types=tuple(dict.fromkeys(item.type for item in members)),
    )


FIVE = worst_first(
    [
        member("bf_fast", 47, 0),
        member("bf_slow", 47, 3),
        member("bf_success", 99, 9, LOGIN),
        member("new_destination", 13, 12, LEAK),
        member("volume_burst", 47, 15, LEAK, number=9),
    ]
)


def test_one_anomaly_is_told_as_itself() -> None:
    only = member(minute=75)
    note = write_incident(incident([only]), [only])
    assert note.headline == "Password attack that succeeded: 192.0.2.7, alice (1 anomaly)"
    assert note.what_happened == (
        f"{note.headline} [L1]. About source 192.0.2.7 and account alice. "
        "Credential-access at 2026-03-02 01:15 UTC: bf_fast saw 1 things of alice [L1]. It means bf_fast."
    )
    assert note.usual == only.explanation.usual
    assert note.confidence_reason == "full: a rule; no other detector saw it"


def test_five_are_told_by_phase_in_the_order_of_their_first_signs_and_the_worst_is_named() -> None:
    note = write_incident(incident(FIVE), FIVE)
    assert note.headline.endswith("(5 anomalies in 15 min)")
    text = note.what_happened
    places = [text.index(name) for name in ("Credential-access", "Initial-access", "Exfiltration")]
    assert places == sorted(places)
    assert "Credential-access from 2026-03-02 00:00 to 00:03 UTC (2 anomalies)" in text
    assert "The worst is bf_success [L1], rated critical at 9.9. It means bf_success." in text
    assert note.usual.startswith("bf_success: Usual for bf_success are 3 things, here 1.")
    assert note.confidence_reason == "full: a rule (bf_success); 4 other detectors saw the same entities"
    assert note.techniques == (LOGIN, GUESS, LEAK)


def test_each_phase_is_a_line_of_its_own_where_a_technician_reads_it() -> None:
    happened = page(write_incident(incident(FIVE), FIVE), View.TECHNICAL_EXPERT, Severity.CRITICAL)[0]
    assert [line.split(" ", 1)[0] for line in happened.lines] == [
        "Password",
        "Credential-access",
        "Initial-access",
        "Exfiltration",
        "The",
    ]


def test_phases_that_begin_together_stand_in_the_order_of_attack() -> None:
    both = worst_first([member("a", 50, 0, LEAK), member("b", 40, 0, LOGIN)])
    text = write_incident(incident(both), both).what_happened
    assert TACTICS.index("initial-access") < TACTICS.index("exfiltration")
    assert text.index("Initial-access") < text.index("Exfiltration")


def test_two_hundred_stay_readable() -> None:
    many = worst_first(
        member(f"kind_{number % 13}", 20 + number % 50, number, (GUESS, LOGIN, LEAK)[number % 3], number=number)
        for number in range(200)
    )
    whole = incident(many)
    read = many[:50]
    note = write_incident(whole, read)
    assert "(200 anomalies in " in note.headline
    assert len(note.to_text()) < 8000
    assert len(note.next_steps) <= MOST_COMMANDS + MOST_ADVICE + 1
    assert note.missing[-1] == "150 further anomalies, not read for this note"
    cited = [int(number) for number in re.findall(r"\[L(\d+)\]", note.to_text())]
    assert max(cited) == MOST_CITED


def test_citations_are_the_places_of_the_anomalies_and_their_ids_are_told() -> None:
    note = write_incident(incident(FIVE), FIVE)
    for number, item in enumerate(FIVE, 1):
        assert f"[L{number}] {item.id}" in note.next_steps[-1].text
        if f"{item.description} [L" in note.what_happened:
            assert f"{item.description} [L{number}]" in note.what_happened


@pytest.mark.parametrize("score", [99.0, 55.5, 99.5, 10.0])
def test_contributions_add_up_to_the_incidents_score(score: float) -> None:
    note = write_incident(incident(FIVE, score=score), FIVE)
    assert note.score == pytest.approx(score / 10, abs=0.005)
    assert note.why_score[0].cause.startswith("worst anomaly, bf_success [L1]")


def test_it_says_why_it_is_rated_higher_than_its_score() -> None:
    mild = [member(score=11.0)]
    note = write_incident(incident(mild), mild)
    assert note.why_score[-1] == Contribution("an incident is rated medium at least", 0.0)


def test_commands_come_first_each_once_over_the_hours_of_all() -> None:
    def log(minute: int) -> Step:
        hours = around(MONDAY_US + minute * MINUTE_US)
        return Step(f"journalctl --since '{hours['since']}' --until '{hours['until']}' | grep alice", "log_of_user")

    who = Step("whois 192.0.2.7    # whose?", "owner_of_source")
    lists = [[log(300), who, Step("Ask alice.")], [who, log(30), Step("Ask alice."), Step("Look again.")]]
    steps = merged_steps(lists, ["aa"])
    assert [step.command for step in steps] == ["log_of_user", "owner_of_source", None, None, None]
    assert steps[0].text == ("journalctl --since '2026-03-01T23:00:00Z' --until '2026-03-02T07:00:00Z' | grep alice")
    assert [step.text for step in steps[2:]] == [
        "Ask alice.",
        "Look again.",
        "Read the anomalies by themselves: [L1] aa.",
    ]


def test_times_in_a_file_name_are_no_hours_to_ask_for() -> None:
    names = ("2026-01-01T00:00:00Z-2026-01-02T00:00:00Z", "2026-02-01T00:00:00Z-2026-02-02T00:00:00Z")
    steps = [Step(f"stat -- /srv/{name}", "file") for name in names]
    assert merged_steps([steps], []) == tuple(steps)


def test_an_incident_whose_anomalies_are_gone_says_so() -> None:
    note = write_incident(incident([], count=3), [])
    assert "None of its anomalies is in the store any more" in note.what_happened
    assert note.score == pytest.approx(4.7)
    assert note.missing == ("3 anomalies",)


def test_the_worst_first_and_of_the_same_score_the_earliest() -> None:
    assert [item.type for item in FIVE] == ["bf_success", "bf_fast", "bf_slow", "volume_burst", "new_destination"]


@settings(deadline=None, max_examples=50)
@given(
    items=st.lists(
        st.tuples(
            st.sampled_from(["bf_fast", "spray", "beacon"]),
            st.floats(0, 99),
            st.integers(0, 10_000),
            st.sampled_from([GUESS, LOGIN, LEAK, "free text"]),
        ),
        max_size=60,
    ),
    name=st.text(max_size=200),
    more=st.integers(0, 5),
)
def test_any_incident_has_a_note_whose_score_adds_up_and_whose_texts_are_safe(
    items: list[tuple[str, float, int, str]], name: str, more: int
) -> None:
    members = worst_first(member(*item[:3], item[3], number=at) for at, item in enumerate(items))
    whole = incident(members, count=len(members) + more)
    whole = replace(whole, title=name, entities=(("user", name), ("src_ip", "192.0.2.7")))
    note = write_incident(whole, members)
    assert note.score == pytest.approx(whole.score / 10, abs=0.006)
    text = note.to_text()
    assert all(line == shown(line, len(line)) for line in text.split("\n"))
    cited = [int(number) for number in re.findall(r"\[L(\d+)\]", text)]
    assert all(1 <= number <= min(len(members), MOST_CITED) for number in cited)
    assert bool(cited) == bool(members)
    for view in View:
        assert page(note, view, whole.severity)
