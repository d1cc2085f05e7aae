"""What a model answered, checked: only words that say nothing the facts do not say become an explanation.

The order matters. Pseudonyms are turned back, values that the model wrote out are put behind their placeholders
again, and what is left must be plain prose: no digit, no address, no name, no link, no markup, no command. Only then
are the placeholders filled in. So nothing depends on telling a good figure from a bad one: no figure of a model's own
survives at all. Severity, score, confidence and techniques come from the deterministic record.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from string import Formatter
from typing import Final

from livesec.core.explanation import Explanation, Provenance, Step
from livesec.core.instruction_text import instruction_in
from livesec.explain.facts import Facts
from livesec.explain.model_call import Failure, ModelError, WireAnswer
from livesec.explain.plain_prose import FILLED, foreign, own_words
from livesec.explain.prompt import Prepared, without_formats
from livesec.explain.secret_patterns import has_secret

LIMITS: Final[Mapping[str, int]] = {"headline": 200, "what_happened": 1500, "usual": 600, "confidence_reason": 400}
ITEM_CHARACTERS: Final = 400
MOST_ITEMS: Final = 6
RUN_WORDS: Final = 4
"""So many words of a value one after the other are a quotation, and may stand in its placeholder only."""
_DISAGREES_FROM: Final = ("high", "critical")
_SAYS_WHAT_IT_IS: Final = ("headline", "what_happened", "usual", "confidence_reason", "advice")
"""Fields in which "harmless" would be a verdict; elsewhere it is a possibility."""
_PLAIN_VALUE: Final = re.compile(r"[\w.@:$\\/+~-]+(?: [\w.@-]+)?…?")
"""What a person may be told to look at: a name, an address or a path, no sentence and no command line."""

_PLACEHOLDER: Final = re.compile(r"\{(\w+)\}")
_SELECTORS: Final = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")
_CITATION: Final = re.compile(r"\[L(\d{1,3})\](?: to \[L(\d{1,3})\])?")
_TECHNIQUE: Final = re.compile(r"\bT\d{4}(?:\.\d{3})?\b")


def _rejected(field: str, why: str) -> ModelError:
    return ModelError(Failure.REJECTED, f"{field}: {why}")


def _is_plain_text(text: str) -> bool:
    """Without control, zero-width, direction-changing and tag characters, and variation selectors."""
    return text.isprintable() and _SELECTORS.search(text) is None


def _without_links(text: str) -> str:
    """`text` whose values make no link or image of Markdown, wherever it is shown."""
    return text.replace("](", "] (")


def _runs(text: str) -> set[tuple[str, ...]]:
    """The words of `text` in small letters, in runs of RUN_WORDS."""
    words = re.findall(r"\w+", text.lower())
    return {tuple(words[at : at + RUN_WORDS]) for at in range(len(words) - RUN_WORDS + 1)}


def _own_texts(facts: Facts) -> dict[str, str]:
    """The detector's own texts, as a prompt shows them, and as they read: a model may repeat them word by word."""
    guidance, written = facts.guidance, facts.written
    own = {text: text for text in written.alternatives}
    if guidance is not None:
        own |= {without_formats(facts.summary): written.headline, without_formats(guidance.usual): written.usual}
        own |= dict(zip(map(without_formats, guidance.would_change), written.would_change, strict=False))
    return own


@lru_cache(maxsize=256)
def _runs_of_all(templates: tuple[str, ...]) -> frozenset[tuple[str, ...]]:
    return frozenset(run for template in templates for run in _runs(template))


@lru_cache(maxsize=256)
def _formats(templates: tuple[str, ...]) -> Mapping[str, frozenset[str]]:
    """The formats in which `templates` ask for each value."""
    found: dict[str, set[str]] = {}
    for template in templates:
        for _, name, spec, _ in Formatter().parse(template):
            if name and spec:
                found.setdefault(name, set()).add(spec)
    return {name: frozenset(specs) for name, specs in found.items()}


class _Prose:
    """Checks the texts of one answer, and fills them in."""

    def __init__(self, prepared: Prepared) -> None:
        self._prepared = prepared
        self._facts = prepared.facts
        self._texts = prepared.facts.placeholder_texts()
        self._own = own_words(self._facts.templates())
        own = _runs_of_all(self._facts.templates())
        named = (*self._facts.values.items(), *self._facts.member_values)
        values = [value for _, value in named if isinstance(value, str)]
        self._strange = {run for value in values for run in _runs(value)} - own
        spelt: dict[str, str] = {}
        for name, text in self._texts.items():
            for form in {text, str(self._facts.values[name]), *self._as_templates_say(name)}:
                # one letter, or marks alone, would hide what the model wrote
                if any(map(str.isalnum, form)) and not (len(form) == 1 and form.isalpha()):
                    spelt.setdefault(form, name)
        self._own_texts = _own_texts(prepared.facts)
        longest_first = sorted(spelt, key=len, reverse=True)
        self._spelt = spelt
        self._values = (
            re.compile("|".join(rf"(?<![\w.{{]){re.escape(form)}(?![\w}}]|\.\w)" for form in longest_first))
            if longest_first
            else None
        )

    def _as_templates_say(self, name: str) -> set[str]:
        """The value `name` in the formats of the detector's sentences, which a model may have copied."""
        value = self._facts.values[name]
        if isinstance(value, str | bool) or value is None or not math.isfinite(value):
            return set()
        return {format(value, spec) for spec in _formats(self._facts.templates()).get(name, ())}

    def text(self, field: str, text: str, limit: int, *, needed: bool = False) -> str:
        """`text` of `field`, checked and filled in. Raises ModelError."""
        text = " ".join(text.split())
        if not text and needed:
            raise _rejected(field, "empty")
        if len(text) > limit:
            raise _rejected(field, f"longer than {limit} characters")
        if not _is_plain_text(text):
            raise _rejected(field, "characters that are not shown")
        if text in self._own_texts and field != "what_happened":  # which has to cite
            return _without_links(self._own_texts[text])
        if self._prepared.redactor is not None:
            text = self._prepared.redactor.restore(text)
        if self._values is not None:
            text = self._values.sub(lambda found: "{" + self._spelt[found.group()] + "}", text)
        if not _is_plain_text(text):  # pseudonyms that were turned back may have brought something along
            raise _rejected(field, "characters that are not shown")
        self._check(field, text)
        if field == "what_happened" and self._facts.lines and not _CITATION.search(text):
            raise _rejected(field, "no line is cited")
        return _PLACEHOLDER.sub(lambda found: self._filled(field, found[1]), text)

    def _filled(self, field: str, name: str) -> str:
        """The text of a value, which may be an attacker's, where the model put it."""
        text = self._texts[name]
        if field == "advice" and isinstance(self._facts.values[name], str) and not _PLAIN_VALUE.fullmatch(text):
            raise _rejected(field, "a value that is not a plain name stands in advice")
        return _without_links(text)

    def _check(self, field: str, text: str) -> None:
        for found in _PLACEHOLDER.finditer(text):
            if found[1] not in self._texts:
                raise _rejected(field, "a placeholder that is not known")
        for cited in _CITATION.finditer(text):
            if not all(1 <= int(number) <= self._facts.lines for number in cited.groups() if number):
                raise _rejected(field, "a line is cited that is not there")
        for technique in _TECHNIQUE.findall(text):
            if technique not in self._facts.techniques:
                raise _rejected(field, "a technique that is not the detector's")
        left = _PLACEHOLDER.sub(FILLED, _TECHNIQUE.sub(FILLED, _CITATION.sub("", text)))
        problem = foreign(
            left,
            is_step=field == "advice",
            is_verdict=field in _SAYS_WHAT_IT_IS and self._facts.severity in _DISAGREES_FROM,
            own=self._own,
            language=self._prepared.language,
        )
        if problem is not None:
            raise _rejected(field, problem)
        if not self._strange.isdisjoint(_runs(left)):
            raise _rejected(field, "words of the log beside their placeholder")
        if has_secret(text) or instruction_in(text) is not None:
            raise _rejected(field, "text that reads like a secret or an instruction")

    def items(self, field: str, items: Sequence[str]) -> tuple[str, ...]:
        """Each of a list, checked and filled in; empty ones are left out. Raises ModelError."""
        if len(items) > MOST_ITEMS:
            raise _rejected(field, f"more than {MOST_ITEMS} items")
        return tuple(self.text(field, item, ITEM_CHARACTERS) for item in items if item.strip())


def _steps(answer: WireAnswer, facts: Facts, prose: _Prose) -> tuple[Step, ...]:
    """The commands that were chosen, then the rest of the detector's own, then advice."""
    offered = facts.commands()
    if len(answer.command_ids) > MOST_ITEMS or any(name not in offered for name in answer.command_ids):
        raise _rejected("command_ids", "a command that was not offered")
    own = [step.command for step in facts.written.next_steps if step.command is not None]
    chosen = dict.fromkeys([*answer.command_ids, *own])
    commands = tuple(Step(offered[name], name) for name in chosen)
    advice = tuple(Step(text) for text in prose.items("advice", answer.advice))
    return (*commands, *(advice or (step for step in facts.written.next_steps if step.command is None)))


def worded(answer: WireAnswer, prepared: Prepared, provenance: Provenance) -> Explanation:
    """The explanation that `answer` makes of the facts it was asked about.

    `provenance`: who answered, and how. Raises ModelError (REJECTED) whose text names field and reason and repeats
    nothing of the answer.
    """
    facts, prose = prepared.facts, _Prose(prepared)
    if any(item not in facts.techniques for item in answer.techniques):
        raise _rejected("techniques", "a technique that is not the detector's")
    texts = {
        field: prose.text(field, getattr(answer, field), limit, needed=field != "confidence_reason")
        for field, limit in LIMITS.items()
    }
    disagrees = answer.benign and facts.severity in _DISAGREES_FROM
    return Explanation(
        headline=texts["headline"],
        what_happened=texts["what_happened"],
        usual=texts["usual"],
        why_score=facts.written.why_score,
        alternatives=prose.items("alternatives", answer.alternatives) or facts.written.alternatives,
        would_change=prose.items("would_change", answer.would_change) or facts.written.would_change,
        next_steps=_steps(answer, facts, prose),
        techniques=facts.written.techniques,
        confidence=facts.written.confidence,
        confidence_reason=texts["confidence_reason"] or facts.written.confidence_reason,
        missing=prose.items("missing", answer.missing) or facts.written.missing,
        provenance=replace(provenance, disagrees=disagrees, redacted=prepared.request.is_redacted),
    )
