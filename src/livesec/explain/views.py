"""The five views of one record, without a model: what each reader needs, in the order in which they need it.

All that a view says of the case comes from the record; what it adds is about ATT&CK's tactics and holds no figures.
It takes a record worded by a model as well. Each line is made safe to show.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address
from types import MappingProxyType

from livesec.core.attack import TACTICS
from livesec.core.explanation import Explanation
from livesec.core.severity import Severity
from livesec.core.text import shown
from livesec.explain.address_side import is_internal
from livesec.explain.model_call import View
from livesec.explain.step_phase import Phase, phase_of
from livesec.explain.tactic_texts import TACTIC_TEXTS, TacticText, tactics_in

LINE_CHARACTERS = 4000
_MOST_INDICATORS = 20
_LIKELY, _POSSIBLE = 0.9, 0.6  # our choice: confidences from which the words below are said

_CITATION = re.compile(r"\[L\d+\](?: to \[L\d+\])?")
_ADDRESS = re.compile(
    r"(?<![\w.:])(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7})(?![\w:]|\.\d)"
)
_PORT = re.compile(r"\bports? \d{1,5}\b")
_STAT = "stat -- "
_NO_INDICATORS = "None: the record names no address, port or file."
_PHASE = re.compile(
    rf" (?=(?:{'|'.join(name.capitalize() for name in TACTICS)}|Other) (?:at|from) \d{{4}}-\d\d-\d\d "
    r"|The worst is \w+ \[L1\])"
)
_LOWERS = re.compile(
    r"harmless|typing error|an outage|nobody travelled|network is theirs|devices? (?:with|of)|is a job|hits them",
    re.IGNORECASE,
)
_UNTOLD = TacticText(
    impact="not known",
    at_stake="what the entity named above may reach.",
    business="Something unusual happened that nobody has explained yet.",
    before="nothing in particular.",
    after="nothing in particular.",
    contain="Lock the account, or take the machine off the network, if nobody can explain it.",
    recover="Undo what was changed since the first sign.",
)
_IMPACTS = ("not known", "limited", "considerable", "severe")


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and its lines: plain text, safe to show. Never empty."""

    heading: str
    lines: tuple[str, ...]


def page(explanation: Explanation, view: View, severity: Severity) -> tuple[Section, ...]:
    """`explanation` of something rated `severity`, as the reader of `view` needs it."""
    sections = (Section(heading, _safe(lines)) for heading, lines in _PAGES[view](explanation, severity))
    return tuple(section for section in sections if section.lines)


_Parts = Iterator[tuple[str, Iterable[str]]]


def _safe(lines: Iterable[str]) -> tuple[str, ...]:
    """Each line once."""
    return tuple(dict.fromkeys(shown(line.strip(), LINE_CHARACTERS) for line in lines if line.strip()))


def _texts(explanation: Explanation) -> list[TacticText]:
    """About its tactics, those of the most fitting technique first."""
    names = [name for line in explanation.techniques for name in tactics_in([line])]
    return [TACTIC_TEXTS[name] for name in names] or [_UNTOLD]


def _gravest(explanation: Explanation) -> TacticText:
    """The most fitting of the gravest tactics."""
    return max(_texts(explanation), key=lambda text: _IMPACTS.index(text.impact))


def _rating(explanation: Explanation, severity: Severity) -> str:
    return f"Rated {severity}: {explanation.score:.1f} of 10."


def _confidence(explanation: Explanation) -> Iterator[str]:
    if explanation.confidence_reason:
        yield f"Confidence: {explanation.confidence_reason.rstrip('.')}."
    if explanation.provenance.disagrees:
        yield "The model that worded this calls it harmless. That is its opinion; the rating is not its to give."


def _paragraphs(text: str) -> list[str]:
    """Of an incident's note, each phase by itself."""
    return _PHASE.split(text)


def _missing(explanation: Explanation) -> Iterable[str]:
    return [f"Not in the log: {', '.join(explanation.missing)}."] if explanation.missing else []


def _commands(explanation: Explanation) -> list[str]:
    return [step.text for step in explanation.next_steps if step.command is not None]


def _advice(explanation: Explanation) -> list[str]:
    return [step.text for step in explanation.next_steps if step.command is None]


def _technical(explanation: Explanation, severity: Severity) -> _Parts:
    yield "What happened", _paragraphs(explanation.what_happened)
    yield "Observed and usual", [explanation.usual]
    yield "Why this score", [f"Rated {severity}: {explanation.score_text()}", *_confidence(explanation)]
    yield "Could also be", explanation.alternatives
    yield "Would change this", explanation.would_change
    yield "Commands", _commands(explanation)
    yield "Next steps", _advice(explanation)
    yield "ATT&CK", explanation.techniques
    yield "Not in the log", explanation.missing


def _likelihood(explanation: Explanation) -> str:
    if explanation.confidence >= _LIKELY:
        return "likely"
    return "possible" if explanation.confidence >= _POSSIBLE else "uncertain"


def _risk(explanation: Explanation, severity: Severity) -> _Parts:
    gravest = _gravest(explanation)
    reason = explanation.confidence_reason or f"{explanation.confidence:.2f}"
    lowers = [text for text in explanation.would_change if _LOWERS.search(text)]
    yield (
        "The risk",
        [
            explanation.headline,
            _rating(explanation, severity),
            f"Likelihood: {_likelihood(explanation)}. Impact if it is so: {gravest.impact}.",
        ],
    )
    yield (
        "Likelihood",
        [
            f"{_likelihood(explanation).capitalize()}: confidence {reason}.",
            f"Made up of: {', '.join(f'{item.cause} {item.points:+.1f}' for item in explanation.why_score)}.",
        ],
    )
    yield "Impact", [f"{gravest.impact.capitalize()}. At stake: {gravest.at_stake}"]
    yield "Compared with what is usual", [explanation.usual]
    yield "What would lower the rating", [*lowers, *explanation.alternatives]
    yield "What else would change it", [text for text in explanation.would_change if text not in lowers]
    yield "How to lower the risk", [gravest.contain, gravest.recover]
    yield "What is not known", _missing(explanation)


def _responder(explanation: Explanation, severity: Severity) -> _Parts:
    gravest = _gravest(explanation)
    by_phase: dict[Phase, list[str]] = {phase: [] for phase in Phase}
    for step in explanation.next_steps:
        by_phase[phase_of(step)].append(step.text)
    cited = list(dict.fromkeys(_CITATION.findall(explanation.what_happened)))
    ranges = [text for text in cited if " to " in text] or cited  # a range is of all lines, single ones are among them
    yield "Situation", [explanation.headline, _rating(explanation, severity)]
    yield Phase.VERIFY, by_phase[Phase.VERIFY]
    yield Phase.CONTAIN, by_phase[Phase.CONTAIN] or [gravest.contain]
    yield (
        Phase.EVIDENCE,
        [
            *by_phase[Phase.EVIDENCE],
            f"Copy what is cited ({', '.join(ranges)}), and the log files it stands in, before they are rotated away."
            if cited
            else "Copy the log files it stands in before they are rotated away.",
            "Write down what was done, by whom and when. Look at memory and connections before a machine is switched "
            "off.",
        ],
    )
    yield Phase.RECOVER, by_phase[Phase.RECOVER] or [gravest.recover]
    yield (
        "Stop and close it if",
        [
            *(text for text in explanation.would_change if _LOWERS.search(text)),
            *explanation.alternatives,
        ],
    )


def _told(explanation: Explanation) -> str:
    """The record's words without its commands."""
    return "\n".join(
        [
            explanation.headline,
            explanation.what_happened,
            explanation.usual,
            *explanation.would_change,
            *_advice(explanation),
        ]
    )


def _indicators(explanation: Explanation) -> Iterator[str]:
    """Addresses and ports that the record names, and the file that a command looks at."""
    told = _told(explanation)
    for text in dict.fromkeys(_ADDRESS.findall(told)):
        try:
            ip_address(text)
        except ValueError:  # a time of day, or a version
            continue
        yield f"{text} ({'inside' if is_internal(text) else 'outside'})"
    yield from dict.fromkeys(_PORT.findall(told))
    for command in _commands(explanation):
        if command.startswith(_STAT):
            with suppress(ValueError):  # quoted otherwise than `core.commands` does it
                yield shlex.split(command, comments=True)[-1]


def _intelligence(explanation: Explanation, severity: Severity) -> _Parts:
    tactics = tactics_in(explanation.techniques)
    yield (
        "Behaviour",
        [
            explanation.headline,
            *_paragraphs(explanation.meaning),
            _rating(explanation, severity),
        ],
    )
    yield "Techniques", explanation.techniques
    yield "Indicators", list(_indicators(explanation))[:_MOST_INDICATORS] or [_NO_INDICATORS]
    yield "Usually before", [f"Before {name}: {TACTIC_TEXTS[name].before}" for name in tactics]
    yield "Usually after", [f"After {name}: {TACTIC_TEXTS[name].after}" for name in tactics]
    yield "What tells it from harmless use", [explanation.usual, *explanation.would_change]
    yield "Hunt for it", _commands(explanation)
    yield "Who is behind it", ["The log cannot tell. Techniques alone name no group."]


_DECISIONS: Mapping[Severity, str] = MappingProxyType(
    {
        Severity.LOW: "None. This is for your information.",
        Severity.MEDIUM: "None now. The team finds out what it was, and comes back if it was not harmless.",
        Severity.HIGH: "Agree that the team may lock accounts, block connections and take machines off the network "
        "today if nobody can explain this, although it interrupts work.",
        Severity.CRITICAL: "Decide now who leads the response, and agree that accounts are locked and machines taken "
        "off the network at once. Have it checked whether customers or authorities must be told.",
    }
)
_SURE: Mapping[str, str] = MappingProxyType(
    {
        "likely": "What was seen is certain; what was meant by it is not: it can have a harmless reason.",
        "possible": "It may well be harmless; it is unusual enough to be looked at.",
        "uncertain": "It may well be chance. It is told because together with other signs it would mean more.",
    }
)


def _briefing(explanation: Explanation, severity: Severity) -> _Parts:
    gravest = _gravest(explanation)
    yield "In short", [f"{gravest.business} {_rating(explanation, severity)}"]
    yield "What was seen", [f"{_CITATION.sub('', explanation.headline).strip().rstrip('.')}."]
    yield "What it may mean for us", [f"At stake: {gravest.at_stake}"]
    yield "How sure we are", [_SURE[_likelihood(explanation)]]
    yield "Harmless reasons that are being checked", explanation.alternatives
    yield "Decision asked for", [_DECISIONS[severity]]
    yield "What comes next", [gravest.contain, gravest.recover] if severity in _ACTED_ON else []


_ACTED_ON = (Severity.HIGH, Severity.CRITICAL)
_PAGES: Mapping[View, Callable[[Explanation, Severity], _Parts]] = MappingProxyType(
    {
        View.TECHNICAL_EXPERT: _technical,
        View.RISK_ASSESSOR: _risk,
        View.INCIDENT_RESPONDER: _responder,
        View.THREAT_INTELLIGENCE: _intelligence,
        View.EXECUTIVE_BRIEFING: _briefing,
    }
)
