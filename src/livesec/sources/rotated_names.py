"""Which file names a rotation gives: `auth.log.1`, `auth.log-20260302.gz`, `auth-20260302.log`, `auth.log.old`."""

from __future__ import annotations

import os
import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence

COMPRESSED = (".gz", ".xz", ".zst", ".bz2")
"""Endings of compressed files that can be read."""

_NUMBER_OR_DATE = re.compile(r"[-._]\d[-._:\dTZ]*")
_AFTER_NAME = ".-_~"
_BEFORE_NUMBER = ".-_"


def is_compressed_name(name: str) -> bool:
    """Whether `name` ends as compressed files do."""
    return name.endswith(COMPRESSED)


def _plain(name: str) -> str:
    return name.rpartition(".")[0] if is_compressed_name(name) else name


def originals(name: str) -> Iterator[str]:
    """The names of which a rotation may have made `name` (base names), which may be none of them.

    >>> sorted(originals("a-20260302.log")), sorted(originals("a.log.1.gz"))
    (['a', 'a-20260302', 'a.log'], ['a', 'a.log', 'a.log.1'])
    """
    plain = _plain(name)
    if plain != name:
        yield plain
    for place in range(1, len(plain)):
        if plain[place] in _AFTER_NAME:
            yield plain[:place]
    ending = plain.rfind(".")
    for place in range(1, ending):
        if plain[place] in _BEFORE_NUMBER and _NUMBER_OR_DATE.fullmatch(plain, place, ending):
            yield plain[:place] + plain[ending:]  # a-20260302.log
            return


def may_be_copy(original: str, name: str) -> bool:
    """Whether a rotation of the file named `original` may have made the file `name` (base names).

    >>> [may_be_copy("a.log", name) for name in ("a.log.1.gz", "a-20260302.log", "a.log.old", "a.logger", "a.log")]
    [True, True, True, False, False]
    """
    return original in originals(name)


def is_numbered(original: str, name: str) -> bool:
    """Whether only a number or a date, or compression, sets `name` apart from `original`, as rotations do.

    >>> [is_numbered("a.log", name) for name in ("a.log.1.gz", "a-20260302.log", "a.log.old", "a.log")]
    [True, True, False, False]
    """
    plain = _plain(name)
    if plain == original:
        return plain != name
    if plain.startswith(original):
        return _NUMBER_OR_DATE.fullmatch(plain, len(original)) is not None
    return may_be_copy(original, plain)


def families(name: str) -> list[str]:
    """`name`, and the names of which it is a numbered rotation itself (base names): what becomes of it is theirs too.

    >>> families("a.log.1"), families("a-20260302.log"), families("a.log")
    (['a.log.1', 'a.log'], ['a-20260302.log', 'a.log'], ['a.log'])
    """
    return [name, *(original for original in originals(name) if is_numbered(original, name))]


def family_path(path: str) -> str:
    """The path of the log that `path` is, or is a numbered rotation of."""
    folder, name = os.path.split(path)
    return os.path.join(folder, min(families(name), key=len))


def with_stem(names: Sequence[str], original: str) -> Iterator[str]:
    """Those of the sorted `names` that begin as `original` does up to its ending: all that may come of it."""
    stem = os.path.splitext(original)[0]
    for index in range(bisect_left(names, stem), len(names)):
        if not names[index].startswith(stem):
            return
        yield names[index]
