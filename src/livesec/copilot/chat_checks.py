"""What a model's answer may say: only what the tools gave in this turn, and plain text only.

Nobody has found a prompt that holds against hostile text; this is why the words are checked and not the intentions.
A token that could be a claim of fact (it has a digit, or is built like a name: mei.tanaka, bf_fast, a@b, /var/log) must
stand in the results as it is, or be a figure that does. Plain words are not checked: they can be wrong, and so the
calls and their results stand beside each answer.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence

from livesec.copilot.answer import Answer
from livesec.core.instruction_text import instruction_in
from livesec.core.text import shown
from livesec.explain.secret_patterns import has_secret

MAX_CHARACTERS = 4_000
_FORBIDDEN = (
    ("a link", re.compile(r"[a-z][a-z0-9+.-]*://|\bwww\.|\b(?:mailto|javascript|data|file|tel):\S", re.IGNORECASE)),
    ("Markdown of a link or an image", re.compile(r"!\[|\]\s*[\[(]|^\s*\[[^\]]*\]:", re.MULTILINE)),
    ("HTML", re.compile(r"<\s*[/!?a-z]|&#?\w{1,10};", re.IGNORECASE)),
    (
        "a command",
        re.compile(
            r"(?<!\S)--?[A-Za-z]{1,20}\b|&&|\|\||\s\|\s|\$\(|>>|\b(?:sudo|curl|wget|rm|chmod|chown|iptables|nft|ufw|"
            r"systemctl|powershell|pwsh|netcat|crontab|useradd|userdel|usermod|mkfs|xargs|eval)\b",
        ),
    ),
)
_SCALE = re.compile(r"(?<=\d)(?: (?:out )?of |/)10\b")  # of a score
_LIST_MARK = re.compile(r"^\s*(?:[-*•]|\d{1,2}[.)])\s+", re.MULTILINE)
_SPLIT = re.compile(r"[\s\"'“”‘’()\[\]{}<>*|=–—…]+|[,;](?=\s|$)|'s\b")  # noqa: RUF001 - quotes and dashes of prose
_ENDS = ".,:;!?"
_NAME_LIKE = re.compile(r"\d|[_@\\]|^[/~]|\w\.\w")
_ABBREVIATIONS = frozenset({"e.g", "i.e", "a.k.a", "a.m", "p.m"})
_NUMBER = re.compile(r"[+-]?\d[\d,]*(?:\.\d+)?")
_WITH_UNIT = re.compile(
    r"([+-]?\d[\d,]*(?:\.\d+)?)(?:%|s|ms|min|m|h|d|w|x|km|kmh|km/h|kb|mb|gb|b|k|st|nd|rd|th)", re.IGNORECASE
)
_PIECES = re.compile(r"[-/:]")
_DATE = re.compile(r"\d+-\d+-\d+.*")
_WORDS = (
    "three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen "
    "nineteen twenty"
)
_NUMBER_WORDS = {word: float(value) for value, word in enumerate(_WORDS.split(), 3)}
_LARGE = re.compile(
    r"\b(?:thirty|forty|fifty|sixty|seventy|eighty|ninety|(?:hundred|thousand|million|billion|dozen)s?|percent)\b",
    re.IGNORECASE,
)
_REFERENCE = re.compile(r"\bR(\d{1,3})\b")


def plain(text: str) -> str:
    """`text` as it is checked and shown: compatibility forms unified, emphasis and code marks taken off.

    >>> plain(" **Two** hits in `bf_fast` ")
    'Two hits in bf_fast'
    """
    text = unicodedata.normalize("NFKC", text).replace("**", "").replace("`", "")
    text = re.sub(r"^\s*#{1,6}\s+", "", text, flags=re.MULTILINE)
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


def problem(text: str, results: Sequence[Answer], question: str) -> str | None:
    """Why `text` (see `plain`) is not shown; None where it may be. `question`: its own words may be said again.

    >>> found = Answer("1 anomaly", facts={"in_all": 1}, ids=("00ab34cd",))
    >>> problem("There was 1, see 00ab34cd.", [found], ""), problem("There were 7, see 00ab34cd.", [found], "")
    (None, 'it says 7, which no tool has answered')
    """
    if not text:
        return "it is empty"
    if len(text) > MAX_CHARACTERS:
        return f"it is longer than {MAX_CHARACTERS:,d} characters"
    if any(line != shown(line, MAX_CHARACTERS) for line in text.split("\n")):
        return "it holds characters that are not shown"
    if not results:
        return "it looked nothing up"
    for what, pattern in _FORBIDDEN:
        if pattern.search(text):
            return f"it holds {what}"
    if has_secret(text) or instruction_in(text) is not None:
        return "it reads like a secret or an instruction"
    known = _Known(results, question)
    foreign = known.foreign(text)
    if foreign is not None:
        return f"it says {shown(foreign, 60)}, which no tool has answered"
    return None if known.is_cited(text) else "it cites no id of what the tools answered"


def tokens(text: str) -> Iterator[str]:
    """The words of `text` without what surrounds them.

    >>> list(tokens("From 192.0.2.1, user 'mei.tanaka': 1,200 tries."))
    ['From', '192.0.2.1', 'user', 'mei.tanaka', '1,200', 'tries']
    """
    for piece in _SPLIT.split(text):
        word = piece.rstrip(_ENDS).lstrip(",;!?")
        if word:
            yield word


def _number(text: str) -> float | None:
    return float(text.replace(",", "")) if _NUMBER.fullmatch(text) else None


class _Known:
    """The tokens and figures of the results."""

    def __init__(self, results: Sequence[Answer], question: str) -> None:
        self._words: set[str] = set()
        self._figures: set[float] = set()
        self._ids = {name for result in results for name in result.ids}
        self._results = len(results)
        for text in self._texts(results):
            self._learn(text)
        self._learn(question[:MAX_CHARACTERS])
        for result in results:
            for found in [*result.facts.values(), *(v for item in result.tables for row in item.rows for v in row)]:
                if isinstance(found, int | float) and not isinstance(found, bool):
                    self._figures.add(float(found))
            self._figures |= {float(len(item.rows)) for item in result.tables}

    @staticmethod
    def _texts(results: Sequence[Answer]) -> Iterator[str]:
        for result in results:
            yield result.title
            yield from result.ids
            yield from result.notes
            yield from result.facts
            for item in result.tables:
                yield from (item.name, *item.columns)
            values = [*result.facts.values(), *(v for item in result.tables for row in item.rows for v in row)]
            yield from (value for value in values if isinstance(value, str))

    def _learn(self, text: str) -> None:
        for word in tokens(unicodedata.normalize("NFKC", text)):
            self._words.add(word.lower())
            number = _number(word)
            if number is not None:
                self._figures.add(number)

    def foreign(self, text: str) -> str | None:
        """The first claim in `text` that the results do not have; None without any."""
        left = _SCALE.sub("", _LIST_MARK.sub("", text))
        left = _REFERENCE.sub(lambda found: "" if 1 <= int(found[1]) <= self._results else found.group(), left)
        for word in tokens(left):
            if not self._is_known(word):
                return word
        large = _LARGE.search(left)
        return large.group() if large is not None and large.group().lower() not in self._words else None

    def _is_known(self, word: str) -> bool:
        lower = word.lower()
        if lower in _NUMBER_WORDS:
            return _NUMBER_WORDS[lower] in self._figures or lower in self._words
        if lower in self._words or lower in _ABBREVIATIONS or not _NAME_LIKE.search(word):
            return True
        with_unit = _WITH_UNIT.fullmatch(word)
        number = _number(with_unit[1] if with_unit else word)
        if number is not None:
            return number in self._figures
        if any(known.startswith(f"{lower}:") for known in self._words if known[:1].isdigit()):
            return True  # 12:00 of 12:00:31
        pieces = _PIECES.split(word) if word[0] not in "/~" else []
        return (
            len(pieces) > 1 and not _DATE.fullmatch(word) and all(not part or self._is_known(part) for part in pieces)
        )

    def is_cited(self, text: str) -> bool:
        """Whether an id of the results stands in `text`; where they have none, a reference such as [R1]."""
        if self._ids:
            return not self._ids.isdisjoint(tokens(text))
        return any(1 <= int(found[1]) <= self._results for found in _REFERENCE.finditer(text))
