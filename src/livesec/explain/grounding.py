"""Checks that an explanation says nothing that its facts do not: figures, addresses, names, ids, citations, commands.

It knows nothing of how the text was made. What it takes as known: the values of the facts in the forms in which texts
show numbers, the lines of evidence, and the words (not the figures) of the detector's templates and of the writers'
fixed sentences. A word that is none of these is a name that somebody made up, or a template that it was not given.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from ipaddress import ip_address
from string import Formatter

from livesec.core.attack import tactics_of, technique_name
from livesec.core.commands import Platform, fill
from livesec.core.explanation import Explanation
from livesec.core.finding import Scalar
from livesec.core.human_units import size_text, time_text
from livesec.core.protocols import Guidance
from livesec.core.text import shown
from livesec.explain.deterministic import FIELD_CHARACTERS, command_values
from livesec.explain.facts import Facts

_SAME_SCORE = 0.006  # scores are stored with two decimals of a hundred
_DECIMALS = 4
_HALVES = 1e-9  # a half is rounded up or down by what it was computed from

_CITATION = re.compile(r"\[L(\d+)\]")
_TECHNIQUE = re.compile(r"\bT\d{4}(?:\.\d{3})?\b")
_ADDRESS = re.compile(
    r"(?<![\w.:])(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7})(?:/\d{1,3})?(?![\w:]|\.\d)"
)
_TOKEN = re.compile(r"[^\W_](?:[^\W_]|[.,](?=\d))*%?")
_FIGURE = re.compile(r"\d[\d,]*(?:\.\d+)?%?")
_LETTERS = re.compile(r"[^\W\d_]+")
_TIME = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?: UTC|Z)")
_OF_TEN = re.compile(r"(\d+\.\d) of 10\b")

_FIXED_WORDS = """
to the account the source address the destination address the host unknown n/a none yes no once in
full a rule and all that it asks for is there: how far this lies outside of what was seen of this entity before
a rule that is met in part, or only by what others do too
base severity of confidence asset weight of no score is higher confidence times by feedback suppressed until for good
ms s min h days bytes kB MB GB TB
"""
"""Of the deterministic writer, of scores and of units."""


@dataclass(frozen=True, slots=True)
class Grounds:
    """What an explanation may say."""

    texts: frozenset[str]
    """Values, as they are shown."""
    figures: frozenset[str]
    """As they are shown, without thousands separators; a share of a hundred ends with %."""
    words: frozenset[str]
    """In lower case: runs of letters, and words of letters and digits."""
    addresses: frozenset[str]
    commands: frozenset[str]
    techniques: frozenset[str]
    lines: int
    score: float
    """0 to 100."""

    def joined(self, other: Grounds) -> Grounds:
        """What both know; lines and score stay this one's."""
        return Grounds(
            self.texts | other.texts,
            self.figures | other.figures,
            self.words | other.words,
            self.addresses | other.addresses,
            self.commands | other.commands,
            self.techniques | other.techniques,
            self.lines,
            self.score,
        )

    def with_words(self, words: frozenset[str]) -> Grounds:
        """These, and further words."""
        return replace(self, words=self.words | words)


def words_of(texts: Iterable[str]) -> frozenset[str]:
    """The words of `texts`, without figures.

    >>> sorted(words_of(["S3 holds 12 files of web1."]))
    ['files', 'holds', 'of', 's', 's3', 'web', 'web1']
    """
    found: set[str] = set()
    for text in texts:
        found.update(word.lower() for word in _LETTERS.findall(text))
        found.update(token.lower() for token in _TOKEN.findall(text) if not _FIGURE.fullmatch(token))
    return frozenset(found)


def _forms(value: float) -> Iterator[str]:
    """A number as texts show it."""
    if not math.isfinite(value):
        return
    size = abs(value)
    yield from (str(size), f"{size:g}", f"{size:.3g}", f"{round(size):02d}")
    for near in (size * (1 - _HALVES), size * (1 + _HALVES)):
        for decimals in range(_DECIMALS):
            yield f"{near:.{decimals}f}"
            yield f"{100 * near:.{decimals}f}%"
    for text in (size_text(size), time_text(size)):
        yield from _FIGURE.findall(text or "")


def _figures_in(text: str) -> Iterator[str]:
    """The figures of a known text; a figure that words stand close to counts by itself."""
    for found in re.findall(r"\d[\d,]*(?:\.\d+)?", text):
        yield found.replace(",", "")
        yield found.replace(",", "") + "%"
    yield from re.findall(r"\d+", text)


def grounds_of_values(values: Mapping[str, Scalar], texts: Iterable[str] = ()) -> Grounds:
    """Of values and of texts that are known as a whole, such as lines of evidence."""
    strings = [value for value in values.values() if isinstance(value, str)]
    known = [*strings, *texts]
    shown_texts = {form for text in strings for form in (shown(text, FIELD_CHARACTERS), shown(text)) if form}
    numbers = [float(value) for value in values.values() if isinstance(value, int | float)]
    figures = {form for number in numbers for form in _forms(number)}
    figures.update(form for text in known for form in _figures_in(text))
    addresses = {found for text in known for found in _ADDRESS.findall(text)}
    return Grounds(
        frozenset(shown_texts),
        frozenset(figures),
        words_of([*known, *shown_texts]),
        frozenset(addresses),
        frozenset(),
        frozenset(),
        0,
        0.0,
    )


def _literals(template: str) -> str:
    """The words of a template without what is filled in."""
    return "".join(literal for literal, *_ in Formatter().parse(template))


def template_words(summary: str, guidance: Guidance | None) -> frozenset[str]:
    """The words of a detector's own sentences."""
    if guidance is None:
        return words_of([_literals(summary)])
    plain = [guidance.meaning, *guidance.benign]
    templates = [summary, guidance.usual, *guidance.next_steps, *guidance.would_change]
    return words_of([*plain, *map(_literals, templates)])


def grounds_of(facts: Facts, words: Iterable[str] = ()) -> Grounds:
    """What an explanation of one anomaly may say. `words`: of further fixed sentences, such as those of the views."""
    known = command_values(facts.values, facts.time_us)
    commands = {
        text
        for name in (facts.guidance.commands if facts.guidance is not None else ())
        for platform in Platform
        if (text := fill(name, platform, known)) is not None
    }
    named = [*facts.techniques, *(technique_name(item) for item in facts.techniques), *tactics_of(facts.techniques)]
    told = grounds_of_values(facts.values, facts.evidence)
    fixed = words_of([_FIXED_WORDS, *named, *facts.detectors, *(name.replace("_", " ") for name in facts.values)])
    return Grounds(
        told.texts,
        told.figures | set(_forms(facts.written.confidence)) | set(_forms(facts.score / 10)),
        told.words | fixed | template_words(facts.summary, facts.guidance) | frozenset(words),
        told.addresses,
        frozenset(commands),
        frozenset(facts.techniques),
        facts.lines,
        facts.score,
    )


def _told(explanation: Explanation) -> list[str]:
    """Its texts without commands."""
    return [
        explanation.headline,
        explanation.what_happened,
        explanation.usual,
        *explanation.alternatives,
        *explanation.would_change,
        *(step.text for step in explanation.next_steps if step.command is None),
        *explanation.techniques,
        explanation.confidence_reason,
        *explanation.missing,
        *(item.cause for item in explanation.why_score),
    ]


def ungrounded(explanation: Explanation, grounds: Grounds) -> list[str]:
    """What it says that its facts do not, and what it should say and does not; empty where all is well."""
    wrong = ungrounded_texts(_told(explanation), grounds)
    wrong += [
        f"command {step.text}"
        for step in explanation.next_steps
        if step.command is not None and not _is_known_command(step.text, grounds)
    ]
    if abs(explanation.score - grounds.score / 10) > _SAME_SCORE:
        wrong.append(f"score {explanation.score:.2f}, where its anomaly has {grounds.score / 10:.2f}")
    if grounds.lines and not _CITATION.search(explanation.what_happened):
        wrong.append("no line is cited")
    return wrong


def _is_known_command(text: str, grounds: Grounds) -> bool:
    """Whether it is a command of the facts; one of an incident may ask for the hours of several of its anomalies."""
    if text in grounds.commands:
        return True
    hours = {time for command in grounds.commands for time in _TIME.findall(command)}
    alike = {_TIME.sub("", command) for command in grounds.commands if _TIME.search(command)}
    return _TIME.sub("", text) in alike and set(_TIME.findall(text)) <= hours


def ungrounded_view(lines: Iterable[str], explanation: Explanation, grounds: Grounds) -> list[str]:
    """The same of the lines of a view of `explanation`, whose contributions and commands were checked with it."""
    points = {form for item in explanation.why_score for form in _forms(item.points)}
    commands = {step.text for step in explanation.next_steps if step.command is not None}
    widened = replace(grounds, figures=grounds.figures | points)
    return ungrounded_texts((line for line in lines if line not in commands), widened)


def ungrounded_texts(texts: Iterable[str], grounds: Grounds) -> list[str]:
    """What `texts` say that `grounds` do not know, each once."""
    whole = _pattern(grounds.texts)
    found: dict[str, None] = {}
    for text in texts:
        found.update(dict.fromkeys(_of_text(text, grounds, whole)))
    return list(found)


def _pattern(texts: frozenset[str]) -> re.Pattern[str] | None:
    longest_first = sorted(texts, key=len, reverse=True)
    return (
        re.compile("|".join(rf"(?<!\w)(?<!\d[.,]){re.escape(text)}(?!\w|[.,]\d)" for text in longest_first))
        if texts
        else None
    )


def _of_text(text: str, grounds: Grounds, whole: re.Pattern[str] | None) -> Iterator[str]:
    for number in _CITATION.findall(text):
        if not 1 <= int(number) <= grounds.lines:
            yield f"citation [L{number}]"
    left = _CITATION.sub(" ", text)
    left = whole.sub(" ", left) if whole is not None else left
    for technique in _TECHNIQUE.findall(left):
        if technique not in grounds.techniques:
            yield f"technique {technique}"
    left = _OF_TEN.sub(r"\1", _TECHNIQUE.sub(" ", left))
    for address in _ADDRESS.findall(left):
        if _is_address(address) and address not in grounds.addresses:
            yield f"address {address}"
    for token in _TOKEN.findall(_ADDRESS.sub(" ", left)):
        if _FIGURE.fullmatch(token):
            if token.replace(",", "") not in grounds.figures:
                yield f"figure {token}"
        elif not _is_known_word(token, grounds):
            yield f"name {token}"


def _is_known_word(token: str, grounds: Grounds) -> bool:
    """Whether it is a word, the plural of one, or words and figures in one, all of them known: `3h`, `x.2`."""
    if grounds.words & {token.lower(), token.lower().removesuffix("s")}:
        return True
    figures, words = re.findall(r"\d[\d,.]*\d|\d", token), _LETTERS.findall(token)
    return all(item.replace(",", "") in grounds.figures for item in figures) and all(
        word.lower() in grounds.words for word in words
    )


def _is_address(text: str) -> bool:
    try:
        ip_address(text.partition("/")[0])
    except ValueError:
        return False
    return True


def states_both_values(explanation: Explanation, grounds: Grounds) -> bool:
    """Whether `usual` names two values of the facts at least: the observed and the usual one."""
    figures = {token for token in _TOKEN.findall(explanation.usual) if _FIGURE.fullmatch(token)}
    texts = {text for text in grounds.texts if text in explanation.usual}
    return len(figures | texts) >= len(("observed", "usual"))
