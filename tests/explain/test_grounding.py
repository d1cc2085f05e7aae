"""Every figure, address, name, id and command of every explanation is in its facts; and what is not is found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from tests.explain.found_in_fixtures import KINDS, Found, all_found, anomaly_of, facts_of_found, found_of
from tests.explain.test_incident_note import incident

from livesec.core.commands import Platform
from livesec.core.explanation import Contribution, Explanation, Step
from livesec.core.incident_member import IncidentMember
from livesec.core.settings import Settings
from livesec.evaluate.run import explanations_of_demo
from livesec.explain import groundedness
from livesec.explain.groundedness import problems
from livesec.explain.grounding import Grounds, grounds_of, states_both_values, ungrounded
from livesec.explain.grounds_of_incident import grounds_of_incident
from livesec.explain.incident_note import worst_first, write_incident
from livesec.explain.views import Section


@pytest.mark.parametrize("platform", list(Platform))
@pytest.mark.parametrize("name", sorted(KINDS))
def test_every_explanation_of_the_fixtures_says_only_what_its_finding_bears_out(name: str, platform: Platform) -> None:
    checked = 0
    for found in found_of(name):
        anomaly = anomaly_of(found, platform)
        grounds = grounds_of(facts_of_found(found, anomaly))
        assert problems(anomaly.explanation, anomaly.severity, grounds) == [], f"case {found.case}"
        if not found.case.startswith("seed_"):  # the seed knew of no usual value
            assert states_both_values(anomaly.explanation, grounds), f"case {found.case}: {anomaly.explanation.usual}"
        checked += 1
    assert checked


def member_of(found: Found) -> tuple[IncidentMember, Grounds]:
    anomaly = anomaly_of(found)
    member = IncidentMember(
        anomaly.id,
        anomaly.time_us,
        anomaly.type,
        anomaly.severity,
        anomaly.score,
        anomaly.description,
        anomaly.explanation,
    )
    return member, grounds_of(facts_of_found(found, anomaly))


@pytest.mark.parametrize("count", [1, 2, 5, 60, 200])
def test_notes_about_incidents_say_only_what_their_anomalies_bear_out(count: int) -> None:
    some = all_found()
    members = dict(member_of(some[at * len(some) // count]) for at in range(count))
    ordered = worst_first(members)
    read = ordered[:50]
    whole = incident(ordered, count=len(ordered))
    note = write_incident(whole, read)
    grounds = grounds_of_incident(whole, read, [members[member] for member in read])
    assert problems(note, whole.severity, grounds) == []
    assert states_both_values(note, grounds)


@pytest.fixture(name="bf_fast", scope="module")
def _bf_fast() -> tuple[Explanation, Grounds]:
    found = next(item for item in found_of("bf_fast") if not item.case.startswith("seed_"))
    anomaly = anomaly_of(found)
    return anomaly.explanation, grounds_of(facts_of_found(found, anomaly))


INVENTED: dict[str, tuple[Callable[[Explanation], Explanation], str]] = {
    "figure": (lambda e: replace(e, usual=e.usual + " Others make 31."), "figure 31"),
    "figure with thousands": (lambda e: replace(e, headline=e.headline + " of 12,345"), "figure 12,345"),
    "share": (lambda e: replace(e, usual=e.usual + " 37% of all."), "figure 37%"),
    "address": (lambda e: replace(e, alternatives=("a scanner at 203.0.113.99",)), "address 203.0.113.99"),
    "IPv6 address": (lambda e: replace(e, missing=("2001:db8::bad",)), "address 2001:db8::bad"),
    "user": (lambda e: replace(e, would_change=("mallory confirms the login",)), "name mallory"),
    "host": (lambda e: replace(e, next_steps=(Step("Look at db17."),)), "name db17"),
    "id": (lambda e: replace(e, what_happened=e.what_happened + " See b66cbed35e63afad."), "name b66cbed35e63afad"),
    "citation": (lambda e: replace(e, what_happened=e.what_happened + " [L6]"), "citation [L6]"),
    "technique": (lambda e: replace(e, techniques=(*e.techniques, "T1486 Brute Force")), "technique T1486"),
    "command": (
        lambda e: replace(e, next_steps=(Step(e.next_steps[0].text + "; reboot", e.next_steps[0].command),)),
        "command last -iw | grep -wF -- 192.0.2.1    # did it ever log in?; reboot",
    ),
    "command for another address": (
        lambda e: replace(e, next_steps=(Step("whois 198.51.100.1", "owner_of_source"),)),
        "command whois 198.51.100.1",
    ),
    "points": (
        lambda e: replace(e, why_score=(*e.why_score, Contribution("confidence", 1.0))),
        "score 5.70, where its anomaly has 4.70",
    ),
    "cause": (lambda e: replace(e, why_score=(Contribution("asset weight of payroll", 4.7),)), "name payroll"),
    "no citation": (lambda e: replace(e, what_happened=e.headline), "no line is cited"),
}


@pytest.mark.parametrize("what", sorted(INVENTED))
def test_what_is_invented_is_found(what: str, bf_fast: tuple[Explanation, Grounds]) -> None:
    explanation, grounds = bf_fast
    assert ungrounded(explanation, grounds) == []
    change, told = INVENTED[what]
    assert told in ungrounded(change(explanation), grounds)


def test_one_value_alone_is_not_both(bf_fast: tuple[Explanation, Grounds]) -> None:
    explanation, grounds = bf_fast
    assert states_both_values(explanation, grounds)
    assert not states_both_values(replace(explanation, usual="Fewer than 5."), grounds)


def test_a_figure_that_only_a_view_says_is_found(
    bf_fast: tuple[Explanation, Grounds], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(groundedness, "page", lambda *_: (Section("Cost", ("It will cost 50,000, says mallory.",)),))
    explanation, grounds = bf_fast
    found = problems(explanation, anomaly_of(next(found_of("bf_fast"))).severity, grounds)
    assert "executive_briefing: figure 50,000" in found
    assert "risk_assessor: name mallory" in found


def test_an_invented_count_in_an_incidents_note_is_found() -> None:
    member, grounds = member_of(all_found()[0])
    whole = incident([member], count=1)
    note = write_incident(whole, [member])
    known = grounds_of_incident(whole, [member], [grounds])
    assert ungrounded(note, known) == []
    wrong = replace(note, headline=note.headline.replace("1 anomaly", "77 anomalies"))
    assert "figure 77" in ungrounded(wrong, known)


def test_every_explanation_of_a_demo_world_is_grounded() -> None:
    """The command, on a world of two days: `livesec evaluate --demo --explanations`."""
    told = explanations_of_demo(Settings(), seed=3, users=20, days=2.0, campaigns=None, progress=lambda *_: None)
    assert told.found == []
    assert told.grounded == told.explanations == told.with_both_values
    assert told.anomalies > 20 and told.incidents > 0 and len(told.detectors) > 5
