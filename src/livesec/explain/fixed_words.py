"""The words of the sentences that views and notes add to a record: those that are there when nothing is filled in."""

from __future__ import annotations

from functools import cache

from livesec.core.attack import TACTICS
from livesec.core.explanation import Contribution, Explanation, Provenance, Step
from livesec.core.severity import Severity
from livesec.explain.grounding import words_of
from livesec.explain.model_call import View
from livesec.explain.views import page

_OF_NOTES = """
in about and more from at to the worst is rated source account destination host no known account or address
anomaly anomalies UTC other worst anomaly what is not among the anomalies listed here or risk its score when it joined
was lower an incident is rated at least low medium high critical no other detector saw it detectors saw the same
entities further not read for this note Read the anomalies by themselves none of its anomalies is in the store any more
"""


@cache
def note_words() -> frozenset[str]:
    """Of the notes about incidents."""
    return words_of([_OF_NOTES, *TACTICS])


@cache
def view_words() -> frozenset[str]:
    """Of the five views, whatever tactic, severity and confidence they are about."""
    lines: list[str] = []
    for tactic in (*TACTICS, "none"):
        for confidence in (1.0, 0.7, 0.1):
            blank = _blank(tactic, confidence)
            for view in View:
                for severity in Severity:
                    lines += [line for section in page(blank, view, severity) for line in section.lines]
    return words_of(lines)


def _blank(tactic: str, confidence: float) -> Explanation:
    return Explanation(
        headline="",
        what_happened="[L1]",
        usual="",
        why_score=(Contribution("", 0.0),),
        alternatives=(),
        would_change=(),
        next_steps=(Step(""),),
        techniques=(f"({tactic})",),
        confidence=confidence,
        missing=("",),
        provenance=Provenance(disagrees=True),
    )
