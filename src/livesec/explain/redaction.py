"""Pseudonyms for what names people, machines and files, in both directions; secrets are removed for good.

One `Redactor` serves one conversation: a value has the same pseudonym throughout it. Internal and external addresses
keep that difference, which an analysis needs. It works on known values (from the facts) and on what has the shape of
an address, a mail address, an account or a path; a name that nobody told it and that looks like a word stays.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import partial
from ipaddress import ip_address
from typing import Final

from livesec.explain.address_side import is_internal
from livesec.explain.secret_patterns import without_secrets

_PSEUDONYM: Final = re.compile(r"\b(?:USER|HOST|PATH|MAIL|MAC|IP_INT|IP_EXT|WORD)_\d+\b")
_SHAPES: Final = (
    ("MAIL", re.compile(r"(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+(?!\w)")),
    ("PATH", re.compile(r"(?<![\w/])(?:/[\w.@+~-]+){2,}/?(?!\w)|(?<!\w)[A-Za-z]:\\[\w.\\-]+(?!\w)")),
    ("MAC", re.compile(r"(?<![\w:-])(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}(?![\w:-])")),
    ("USER", re.compile(r"(?<![\w\\])[A-Za-z][\w.-]*\\[\w.$-]+(?!\w)")),
)
_ADDRESS: Final = re.compile(
    r"(?<![\w.:])(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f]*:[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*)(?![\w:])"
)


_SHAPELY: Final = re.compile(r"[\w./\\@:~+-]+")
_FIRST_MARK: Final = 0xF0000  # private use: no word character, and as many as a text can hold names


def _pattern_of(values: Iterable[str]) -> re.Pattern[str]:
    """Any of `values` as a whole word, the longest first."""
    longest_first = sorted(values, key=len, reverse=True)
    return re.compile("|".join(rf"(?<!\w){re.escape(value)}(?!\w)" for value in longest_first), re.IGNORECASE)


class Redactor:
    """Known values by kind: USER, HOST, PATH; addresses are found by their shape."""

    def __init__(self, known: Iterable[tuple[str, str]] = ()) -> None:
        self._pseudonym: dict[str, str] = {}
        """By value, names in lower case."""
        self._value: dict[str, str] = {}
        self._counts: dict[str, int] = {}
        self._known: dict[str, str] = {}
        self._pattern: re.Pattern[str] | None = None
        self._odd_pattern: re.Pattern[str] | None = None
        for kind, value in known:
            self.add(kind, value)

    def add(self, kind: str, value: str) -> None:
        """Know one more value."""
        for form in dict.fromkeys((value, without_secrets(value))):
            if len(form.strip()) > 1 and form not in self._known:
                self._known[form] = kind
                self._pattern = self._odd_pattern = None

    def redact(self, text: str) -> str:
        r"""`text` without secrets and with pseudonyms.

        >>> redactor = Redactor([("USER", "ann")])
        >>> sent = redactor.redact("Ann from 192.168.1.7 and 8.8.8.8, ann@example.org; annex")
        >>> sent
        'USER_1 from IP_INT_1 and IP_EXT_1, MAIL_1; annex'
        >>> redactor.restore(sent)
        'ann from 192.168.1.7 and 8.8.8.8, ann@example.org; annex'
        """
        # What looks like a pseudonym already would be taken for one on the way back.
        text = _PSEUDONYM.sub(lambda found: self._named("WORD", found.group()), without_secrets(text))
        kept: list[str] = []

        def keep(pseudonym: str) -> str:
            kept.append(pseudonym)
            return f"\x00{chr(_FIRST_MARK + len(kept) - 1)}"

        text = _PSEUDONYM.sub(lambda found: keep(found.group()), text.replace("\x00", ""))
        odd = [value for value in self._known if not _SHAPELY.fullmatch(value)]
        if odd:  # a name with a blank or a bracket in it, of which a shape would take a part
            self._odd_pattern = self._odd_pattern or _pattern_of(odd)
            text = self._odd_pattern.sub(partial(self._keep_known, keep), text)
        text = self._shaped(text, _SHAPES, keep)
        text = _ADDRESS.sub(lambda found: self._address(found.group(), keep), text)
        if self._known:
            self._pattern = self._pattern or _pattern_of(self._known)
            text = self._pattern.sub(partial(self._keep_known, keep), text)
        return re.sub("\x00(.)", lambda found: kept[ord(found[1]) - _FIRST_MARK], text)

    def _shaped(self, text: str, shapes: Iterable[tuple[str, re.Pattern[str]]], keep: Callable[[str], str]) -> str:
        for kind, shape in shapes:
            text = shape.sub(partial(self._keep_found, kind, keep), text)
        return text

    def _keep_known(self, keep: Callable[[str], str], found: re.Match[str]) -> str:
        return keep(self._named(self._kind(found.group()), found.group()))

    def _keep_found(self, kind: str, keep: Callable[[str], str], found: re.Match[str]) -> str:
        return keep(self._named(kind, found.group()))

    def restore(self, text: str) -> str:
        """`text` with the values in the place of their pseudonyms; unknown ones stay."""
        return _PSEUDONYM.sub(lambda found: self._value.get(found.group(), found.group()), text)

    def _kind(self, text: str) -> str:
        if text in self._known:
            return self._known[text]
        return next((kind for value, kind in self._known.items() if value.lower() == text.lower()), "WORD")

    def _address(self, text: str, keep: Callable[[str], str]) -> str:
        inside = is_internal(text)
        return text if inside is None else keep(self._named("IP_INT" if inside else "IP_EXT", str(ip_address(text))))

    def _named(self, kind: str, value: str) -> str:
        key = value.lower()
        known = self._pseudonym.get(key)
        if known is None:
            self._counts[kind] = self._counts.get(kind, 0) + 1
            known = f"{kind}_{self._counts[kind]}"
            self._pseudonym[key] = known
            exact = next((item for item in self._known if item.lower() == key), value)
            self._value[known] = exact
        return known
