from dataclasses import replace

import pytest
from tests.correlate.made import finding

from livesec.core.anomaly import SUPPRESSED, EvidenceLine
from livesec.core.commands import Platform
from livesec.core.explanation import Contribution, Explanation, Step
from livesec.core.protocols import Guidance
from livesec.core.settings import Settings
from livesec.explain.deterministic import Scored, write
from livesec.pipeline.assembly import assemble
from livesec.pipeline.scoring import Scorer

GUIDANCE = Guidance(
    meaning="What it means.",
    usual="Fewer than {limit:.0f}, not {attempts}.",
    benign=("a typo", "a script"),
    commands=("logins_of_address", "file", "owner_of_source"),
    next_steps=("Ask {user}.",),
    would_change=("a success of {src_ip}", "a word from {owner}"),
)
SUMMARY = "{attempts:,} tries from {src_ip} as {user}"
SCORED = Scored((Contribution("base severity of bf_fast", 4.7),), lines=5)


def written(scored: Scored = SCORED, src_ip: str = "192.0.2.1", **details: object) -> Explanation:
    known = {"attempts": 1234, "limit": 5.0, "owner": None} | details
    return write(finding("bf_fast", 1, 5400, src_ip, **known), SUMMARY, GUIDANCE, scored).explanation


def test_the_whole_record() -> None:
    told = written()
    assert told.headline == "1,234 tries from 192.0.2.1 as root"
    assert told.what_happened == "1,234 tries from 192.0.2.1 as root [L1] to [L5]. What it means."
    assert told.meaning == "What it means."
    assert told.usual == "Fewer than 5, not 1234."
    assert told.would_change == ("a success of 192.0.2.1",)
    assert told.missing == ("owner",)
    assert told.confidence_reason.startswith("full: a rule")
    assert told.next_steps == (
        Step("last -iw | grep -wF -- 192.0.2.1    # did it ever log in?", "logins_of_address"),
        Step("whois 192.0.2.1    # an access network, a hosting provider, a VPN?", "owner_of_source"),
        Step("Ask root."),
    )
    text = told.to_text()
    assert "Score: 4.7 of 10: base severity of bf_fast +4.7." in text
    assert "T1110.001 Brute Force (credential-access)" in text
    assert Explanation.from_json(told.to_json()) == told


def test_commands_are_those_of_the_platform_and_the_hour() -> None:
    windows = written(replace(SCORED, platform=Platform.WINDOWS)).next_steps[0].text
    assert "StartTime='1970-01-01T00:00:00Z';EndTime='1970-01-01T03:00:00Z'" in windows
    assert written(replace(SCORED, platform=Platform.CLOUD)).next_steps[0].command == "owner_of_source"


def test_lines_are_cited_as_far_as_there_are_any() -> None:
    cited = [written(replace(SCORED, lines=lines)).what_happened.partition(" as root")[2][:14] for lines in range(4)]
    assert cited == [". What it mean", " [L1]. What it", " [L1], [L2]. W", " [L1] to [L3]."]


def test_hostile_names_are_shown_safely_and_never_reach_a_command() -> None:
    hostile = written(src_ip="192.0.2.1; rm -rf /", limit=float("nan"))
    assert [step.command for step in hostile.next_steps] == [None]
    assert hostile.usual == "Fewer than n/a, not 1234."
    described = written(src_ip="\x1b[31m\u202e{attempts}" + "x" * 500).headline
    assert "\x1b" not in described
    assert "\u202e" not in described
    assert "{attempts}" in described  # a template in a name stays text
    assert len(described) < 200


def test_what_the_log_did_not_say_is_called_unknown_and_listed() -> None:
    told = written(attempts=None)
    assert told.headline == "unknown tries from 192.0.2.1 as root"
    assert told.missing == ("attempts", "owner")


def test_what_is_about_something_unknown_is_left_out_of_lists() -> None:
    nobody = replace(finding("bf_fast", 1, 5400, "192.0.2.1", attempts=6, limit=5.0, owner="eve"), user=None)
    told = write(nobody, SUMMARY, GUIDANCE, SCORED).explanation
    assert told.would_change == ("a success of 192.0.2.1", "a word from eve")
    assert [step.command for step in told.next_steps] == ["logins_of_address", "owner_of_source"]
    assert told.missing == ("the account",)


def test_both_ends_are_left_out_of_a_summary_that_knows_neither() -> None:
    nowhere = replace(finding("bf_fast", 1, 5400, "192.0.2.1", attempts=6), src_ip=None, dst_ip=None)
    guidance = replace(GUIDANCE, usual="", would_change=())
    told = write(nowhere, "{attempts} packets ({src_ip} to {dst_ip})", guidance, SCORED).explanation
    assert told.headline == "6 packets"
    assert told.missing == ("the source address", "the destination address")


def anomaly(confidence: float = 1.0, **settings: object) -> tuple[float, str, Explanation]:
    used = Settings(**settings)  # type: ignore[arg-type]
    found = replace(
        finding("bf_fast", 1, 0, "192.0.2.1", attempts=6, span_s=3.0, span="3 s", leak="10 s", capacity=5.0),
        confidence=confidence,
    )
    made = Scorer(used, {part.name: part for part in assemble(used).judges}).anomaly(
        found, "ab", (EvidenceLine(1, 0, 1, b"x"),)
    )
    return made.score, made.status, made.explanation


@pytest.mark.parametrize("confidence", [1.0, 0.5, 0.123])
@pytest.mark.parametrize("weight", [{}, {"root": 1.3}, {"192.0.2.1": 0.8}])
@pytest.mark.parametrize("feedback", [(), ({"detector": "bf_fast", "entity": "*", "weight": 0.25, "reason": "ours"},)])
def test_contributions_add_up_to_the_score(confidence: float, weight: object, feedback: object) -> None:
    score, _, told = anomaly(confidence, asset_weights=weight, feedback=feedback)
    assert told.score == pytest.approx(score / 10, abs=0.0006)
    unsure = [item for item in told.why_score if item.cause == f"confidence {confidence:.2f}"]
    assert len(unsure) == (confidence < 1)
    assert all(item.points < 0 for item in unsure)
    assert any("asset weight" in item.cause for item in told.why_score) == bool(weight)
    assert any("ours" in item.cause for item in told.why_score) == bool(feedback)


def test_what_is_suppressed_says_so_and_scores_nothing() -> None:
    rule = {"detector": "bf_fast", "entity": "192.0.2.1", "reason": "our \x1b[31mscanner"}
    score, status, told = anomaly(suppressions=(rule,))
    assert (score, status, told.score) == (0.0, SUPPRESSED, 0.0)
    assert "our \\x1b[31mscanner" in told.why_score[-1].cause


def test_less_confidence_shows_in_the_record() -> None:
    sure, unsure = anomaly(1.0)[2], anomaly(0.4)[2]
    assert unsure.confidence < sure.confidence
    assert unsure.confidence_reason.startswith("0.40: ")
    assert unsure.score < sure.score
