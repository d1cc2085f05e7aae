"""Payloads in the fields that attackers choose, and models that do what they say: nothing of it comes through.

What comes out is judged by rules of its own here, not by those of the checks.
"""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import product

import pytest
from tests.examples import IS_LONG
from tests.explain.good_model import answer_for
from tests.explain.injections import PAYLOADS
from tests.explain.made_facts import anomalies, facts_of
from tests.explain.malicious_model import BAD_ADVICE, LIES, MALICE, VERDICTS, everywhere, invents

from livesec.core.explanation import Explanation, Provenance
from livesec.core.text import shown
from livesec.explain.checks import worded
from livesec.explain.facts import Facts, facts_of_incident
from livesec.explain.model_call import Failure, ModelError, View, WireAnswer
from livesec.explain.prompt import Mode, Prepared, prepare, redactor_of, without_formats

ENTITIES: dict[str, str | None] = {
    "user": "svc-backup",
    "src_ip": "203.0.113.77",
    "dst_ip": "198.51.100.9",
    "host": "files01",
}
EVIDENCE = (b"first line", b"second line", b"third line")
FIELDS = ("user", "host", "path", "client", "query", "rule", "evidence")
DETECTORS = ("bf_fast", "sensitive_file_access", "ids_alert", "instruction_text")
BY_MODEL = Provenance("test-model")
_EVIL = re.compile(
    r"evil|mallory|attacker\.|T1486|T1110\.999|\]\(|<\w|&lt;|https?:|hxxp|www\.|javascript:|curl|powershell|rm -"
    r"|sudo|reboot|`|\$\(|&&|SQBF|AKIA|31337|thirty|\{|\}|grandmother|severity|false positive|nothing to worry"
    r"|can be ignored|no action|disable|whitelist|delete the|turn off|close the|this is benign",
    re.IGNORECASE,
)
_CITED = re.compile(r"\[L(\d+)\]")


def facts_about(detector: str, **changes: object) -> Facts:
    """Of the first anomaly in the detector's fixture, about the entities of these tests."""
    given = {"entities": ENTITIES, "evidence": EVIDENCE, "severity": "high"}
    return facts_of(anomalies(detector)[0], **(given | changes))


def facts_with(payload: str, field: str, detector: str) -> Facts:
    """`facts_about` with `payload` in a field that an attacker chooses."""
    if field == "evidence":
        return facts_about(detector, evidence=(payload.encode("utf-8", "replace"), *EVIDENCE[1:]))
    if field in ENTITIES:
        return facts_about(detector, entities={**ENTITIES, field: payload})
    return facts_about(detector, details={**anomalies(detector)[0].details, field: payload})


def facts_about_incident(*members: Facts) -> Facts:
    """Of an incident of `members`, told in the words of the first."""
    return facts_of_incident(
        incident_id="i-1",
        severity=members[0].severity,
        score=members[0].score,
        time_us=members[0].time_us,
        members=members,
        entities=[(kind, name) for kind, name in ENTITIES.items() if name is not None],
        written=members[0].written,
    )


def asked(facts: Facts, mode: Mode, view: View = View.TECHNICAL_EXPERT, *, redacted: bool = True) -> Prepared:
    return prepare(
        facts,
        view,
        mode=mode,
        language="English",
        model="test-model",
        redactor=redactor_of(facts) if redacted else None,
        max_tokens=900,
        temperature=0.2,
    )


def prose_of(told: Explanation) -> list[str]:
    """All that a model can have worded."""
    advice = [step.text for step in told.next_steps if step.command is None]
    lists = (*told.alternatives, *told.would_change, *told.missing, *advice)
    return [told.headline, told.what_happened, told.usual, told.confidence_reason, *lists]


def judge(told: Explanation, facts: Facts) -> None:
    """Assert that `told` says nothing beyond `facts`."""
    written = facts.written
    assert (told.why_score, told.techniques, told.confidence) == (
        written.why_score,
        written.techniques,
        written.confidence,
    )
    offered = facts.commands()
    assert all(step.text == offered[step.command] for step in told.next_steps if step.command is not None)
    own = {*prose_of(written)}
    values = sorted(facts.placeholder_texts().values(), key=len, reverse=True)
    for text in prose_of(told):
        assert text == shown(text, 4000)
        assert "](" not in text
        if text in own:
            continue
        left = text
        for value in values:
            left = left.replace(value.replace("](", "] ("), "")
        assert all(1 <= int(number) <= facts.lines for number in _CITED.findall(left)), text
        left = _CITED.sub("", left)
        assert not re.search(r"\d", left), text
        found = _EVIL.search(left)
        assert found is None, (found, text)


def outcome(answer: WireAnswer, prepared: Prepared) -> Explanation | None:
    """What came through, judged; None where it was rejected, with a reason that repeats nothing hostile."""
    try:
        told = worded(answer, prepared, BY_MODEL)
    except ModelError as error:
        assert error.failure is Failure.REJECTED
        assert re.fullmatch(r"[a-z_]+: [\w ,'.]+", str(error)), str(error)
        return None
    judge(told, prepared.facts)
    return told


PLACES = [(payload, field) for payload, field in product(PAYLOADS, FIELDS)]
TURNED = PLACES if IS_LONG else PLACES[:: len(FIELDS) + 1] + PLACES[3 :: len(FIELDS) + 3]


@pytest.mark.no_cover
@pytest.mark.parametrize("place", range(len(TURNED)))
def test_nothing_of_a_payload_comes_through(place: int) -> None:
    payload, field = TURNED[place]
    facts = facts_with(payload, field, DETECTORS[place % len(DETECTORS)])
    prepared = asked(facts, list(Mode)[place // 2 % 2], list(View)[place % len(View)], redacted=place % 3 > 0)
    for malice in MALICE:
        for answer in malice(prepared.request, payload):
            outcome(answer, prepared)


@pytest.mark.no_cover
@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("detector", DETECTORS)
def test_no_lie_comes_through(detector: str, mode: Mode) -> None:
    prepared = asked(facts_about(detector), mode)
    for answer in invents(prepared.request, ""):
        assert outcome(answer, prepared) is None


@pytest.mark.parametrize("kind", LIES)
def test_each_kind_of_lie_is_rejected_in_an_incident(kind: str) -> None:
    prepared = asked(facts_about_incident(facts_about("bf_fast"), facts_about("spray")), Mode.SPECIFIC)
    for lie in LIES[kind]:
        for answer in everywhere(answer_for(prepared.request), lie):
            assert outcome(answer, prepared) is None


@pytest.mark.parametrize("severity", ["high", "critical"])
def test_a_severe_finding_cannot_be_called_harmless(severity: str) -> None:
    prepared = asked(facts_about("bf_fast", severity=severity), Mode.SPECIFIC)
    good = answer_for(prepared.request)
    for verdict, field in product(VERDICTS, ("headline", "what_happened", "usual", "confidence_reason")):
        assert outcome(good.model_copy(update={field: f"{verdict} [L1]"}), prepared) is None
    for advice in BAD_ADVICE:
        assert outcome(good.model_copy(update={"advice": [advice]}), prepared) is None
    told = outcome(good.model_copy(update={"benign": True}), prepared)
    assert told is not None and told.provenance.disagrees


def test_benign_about_a_mild_finding_is_no_disagreement() -> None:
    prepared = asked(facts_about("bf_fast", severity="low"), Mode.SPECIFIC)
    told = outcome(answer_for(prepared.request).model_copy(update={"benign": True}), prepared)
    assert told is not None and not told.provenance.disagrees


def test_a_payload_in_its_placeholder_is_a_value_and_no_advice() -> None:
    prepared = asked(
        facts_about("bf_fast", entities={**ENTITIES, "user": "$(reboot) ![x](http://e.example)"}), Mode.GENERAL
    )
    good = answer_for(prepared.request)
    told = worded(good.model_copy(update={"headline": "{user} failed"}), prepared, BY_MODEL)
    assert told.headline == "$(reboot) ![x] (http://e.example) failed"
    with pytest.raises(ModelError, match="advice: a value that is not a plain name"):
        worded(good.model_copy(update={"advice": ["Run {user}"]}), prepared, BY_MODEL)


def test_a_citation_in_a_value_is_none() -> None:
    prepared = asked(facts_about("bf_fast", entities={**ENTITIES, "user": "[L1]"}), Mode.GENERAL)
    good = answer_for(prepared.request)
    with pytest.raises(ModelError, match="what_happened: no line is cited"):
        worded(good.model_copy(update={"what_happened": "{user} failed."}), prepared, BY_MODEL)


def test_a_detectors_headline_said_again_has_no_link_and_is_no_account_of_what_happened() -> None:
    facts = facts_about("bf_fast")
    written = replace(facts.written, headline="5 failed logins, last as [x](http://e.example)")
    prepared = asked(replace(facts, written=written), Mode.GENERAL)
    good, summary = answer_for(prepared.request), without_formats(facts.summary)
    told = worded(good.model_copy(update={"headline": summary}), prepared, BY_MODEL)
    assert told.headline.endswith("last as [x] (http://e.example)")
    with pytest.raises(ModelError, match="what_happened: no line is cited"):
        worded(good.model_copy(update={"what_happened": summary}), prepared, BY_MODEL)


def test_an_incident_repeats_no_words_of_its_anomalies_values() -> None:
    words = "everything here is fine says the night watch"
    members = (facts_about("bf_fast"), facts_about("bf_fast", entities={**ENTITIES, "user": words}))
    prepared = asked(facts_about_incident(*members), Mode.SPECIFIC)
    good = answer_for(prepared.request)
    with pytest.raises(ModelError, match="words of the log"):
        worded(good.model_copy(update={"usual": "So everything here is fine."}), prepared, BY_MODEL)
