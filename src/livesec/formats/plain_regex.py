r"""Capturing groups of plain regular expressions, found in one compiled pass over all texts.

Plain are expressions from `^` to `$` of literals, classes and the point, each perhaps repeated (`*`, `+`, `?`, `{3}`,
`{1,3}`), and of named groups around them: no alternatives, and nothing optional but a single character. All
repetitions but one must end where they end without trying: what follows them is nothing that they could take. So a
hostile text takes no longer than any other; polars' own captures take twice to many times as long. The one that tries
gives back byte by byte, and nothing long that follows it may take the byte at which the next try begins.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from livesec.core.jit import inner_kernel, kernel
from livesec.core.text_views import arrow_text, set_view, texts_at
from livesec.formats.text_spans import has_at

_TOKEN: Final = re.compile(
    r"\(\?P<(?P<name>\w+)>|(?P<close>\))|(?:(?P<set>\[\^?(?:\\\W|[^\]\\])+\])|(?P<any>\.)|\\(?P<escaped>\W)|(?P<plain>[^\\()|*+?{}^$]))"
    r"(?P<times>[*+?]|\{[0-9]+(?:,[0-9]+)?\})?"
)
_MEMBER: Final = re.compile(r"\\(\W)-\\?(.)|\\?([^\\])-\\?([^\\\]])|\\(\W)|(.)")
_TIMES: Final = {"": (1, 1), "*": (0, 1 << 40), "+": (1, 1 << 40), "?": (0, 1)}
_RUN, _OPENS, _CLOSES, _WORDS = range(4)
_NEVER: Final = -1
_LINE_BREAK: Final = ord("\n")
_SHORT: Final = 64  # bytes that may be read again and again


class _Program(NamedTuple):
    """What the kernel does; shape (steps,) each but `members`."""

    kinds: NDArray[np.int64]
    firsts: NDArray[np.int64]
    """How many times at least, the number of the group, or where in `words` the words begin."""
    lasts: NDArray[np.int64]
    """How many times at most, or where the words end."""
    members: NDArray[np.bool_]
    """Which bytes a run takes; shape (steps, 256)."""
    wide: NDArray[np.int64]
    """The one run that gives bytes back until the rest fits, shape (1,); -1 for none."""
    points: NDArray[np.bool_]
    """Which runs take all but line breaks."""
    words: NDArray[np.uint8]
    """What stands there literally."""


def _members(token: re.Match[str]) -> NDArray[np.bool_]:
    taken = np.zeros(256, dtype=np.bool_)
    text = token["set"]
    if token["any"] or (text and text.startswith("[^")):
        taken[:] = True
    if token["any"]:
        taken[ord("\n")] = False
    elif not text:
        taken[ord(token["escaped"] or token["plain"])] = True
    else:
        wanted = not text.startswith("[^")
        for member in _MEMBER.finditer(text[1 if wanted else 2 : -1]):
            low = member[1] or member[3] or member[5] or member[6]
            high = member[2] or member[4] or low
            taken[ord(low) : ord(high) + 1] = wanted
    return taken


@lru_cache(maxsize=256)
def _program(regex: str) -> tuple[_Program, tuple[str, ...]]:
    """Raises ValueError where `regex` is not plain."""
    if not (regex.startswith("^") and regex.endswith("$") and regex.isascii()):
        raise ValueError(f"{regex}: not from ^ to $, or not in ASCII")
    steps = list[tuple[int, int, int, NDArray[np.bool_]]]()
    names, inside, at = list[str](), list[int](), 1
    nothing = np.zeros(256, dtype=np.bool_)
    while at < len(regex) - 1:
        token = _TOKEN.match(regex, at)
        if token is None or token.end() > len(regex) - 1:
            raise ValueError(f"{regex}: not plain at {at}")
        at = token.end()
        if token["name"]:
            inside.append(len(names))
            names.append(token["name"])
            steps.append((_OPENS, inside[-1], 0, nothing))
        elif token["close"]:
            steps.append((_CLOSES, inside.pop(), 0, nothing))
        else:
            times = token["times"] or ""
            least, most = _TIMES.get(times) or (int(times[1:-1].split(",")[0]), int(times[1:-1].split(",")[-1]))
            steps.append((_RUN, least, most, _members(token)))
    wide = [place for place in range(len(steps)) if _gives_back(steps, place)]
    if len(wide) > 1:
        raise ValueError(f"{regex}: more than one repetition that could take what follows it")
    if wide and steps[wide[0]][2] > _SHORT and _starts_over(steps[wide[0]][3], steps[wide[0] + 1 :]):
        raise ValueError(f"{regex}: a repetition behind the one that gives back could begin in many places")
    wide_at, words = _NEVER, bytearray()
    joined = list[tuple[int, int, int, NDArray[np.bool_]]]()
    for place, (kind, least, most, taken) in enumerate(steps):
        if place in wide:
            wide_at = len(joined)
        if kind == _RUN and least == most and taken.sum() == 1:  # literally: with what is before it, if that is, too
            first = joined.pop()[1] if joined and joined[-1][0] == _WORDS else len(words)
            words += bytes([int(taken.argmax())]) * least
            joined.append((_WORDS, first, len(words), nothing))
        else:
            joined.append((kind, least, most, taken))
    columns = [np.array([step[part] for step in joined], dtype=np.int64) for part in range(3)]
    members = np.array([step[3] for step in joined])
    points = (members.sum(axis=1) == members.shape[1] - 1) & ~members[:, ord("\n")]
    literally = np.frombuffer(bytes(words), dtype=np.uint8)
    program = _Program(columns[0], columns[1], columns[2], members, np.array([wide_at]), points, literally)
    return program, tuple(names)


def _gives_back(steps: list[tuple[int, int, int, NDArray[np.bool_]]], place: int) -> bool:
    """Whether the run at `place` may take what one of the next steps needs."""
    kind, least, most, members = steps[place]
    if kind != _RUN or least == most:
        return False
    for other, at_least, _, wanted in steps[place + 1 :]:
        if other == _RUN:
            if (members & wanted).any():
                return True
            if at_least > 0:
                return False
    return False


def _starts_over(given: NDArray[np.bool_], steps: list[tuple[int, int, int, NDArray[np.bool_]]]) -> bool:
    """Whether the bytes `given` back could let a long run among `steps` begin again and again.

    Not if it cannot take what must stand before it: then each such place is behind the run that began at the last.
    """
    begins, is_begun = np.zeros(256, dtype=np.bool_), False
    needed = list[NDArray[np.bool_]]()
    for kind, least, most, members in steps:
        if kind != _RUN:
            continue
        if most > _SHORT and (members & begins).any() and all((members & some).any() for some in needed):
            return True
        if least > 0 and not (members & given).any():
            return False  # it stands behind all that is given back: what follows it begins in one place
        if least > 0:
            needed.append(members)
        if not is_begun:
            begins |= members
            is_begun = least > 0
    return False


@inner_kernel
def _taken(data: NDArray[np.uint8], at: int, end: int, program: _Program, step: int) -> int:
    """Where the run that begins at `at` ends."""
    latest = min(end, at + int(program.lasts[step]))
    if program.points[step]:
        return latest
    members = program.members[step]
    place, stop = np.uint64(at), np.uint64(latest)  # unsigned: no index below 0 is asked for
    while place < stop and members[data[place]]:
        place += np.uint64(1)
    return np.int64(place)  # type: ignore[return-value]  # an int to numba, where int() is not


@inner_kernel
def _behind(
    data: NDArray[np.uint8],
    at: int,
    end: int,
    program: _Program,
    steps: tuple[int, int],
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
) -> int:
    """Where the steps from the first to before the second end, none of which gives back; -1 where they do not fit.

    Sets where their groups are.
    """
    for step in range(steps[0], steps[1]):
        kind, first = program.kinds[step], program.firsts[step]
        if kind == _WORDS:
            if not has_at(data, at, end, program.words, first, program.lasts[step]):
                return _NEVER
            at += program.lasts[step] - first
        elif kind == _OPENS:
            starts[first] = at
        elif kind == _CLOSES:
            ends[first] = at
        else:
            stop = _taken(data, at, end, program, step)
            if stop - at < first:
                return _NEVER
            at = stop
    return at


@kernel
def _has_breaks(data: NDArray[np.uint8]) -> bool:
    found = False
    for byte in data:  # without a way out: many bytes at a time
        found |= byte == _LINE_BREAK
    return found


@kernel
def _match(
    data: NDArray[np.uint8],
    bounds: NDArray[np.int64],
    kinds: NDArray[np.int64],
    firsts: NDArray[np.int64],
    lasts: NDArray[np.int64],
    members: NDArray[np.bool_],
    wide: NDArray[np.int64],
    points: NDArray[np.bool_],
    words: NDArray[np.uint8],
    columns: NDArray[np.int64],
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
    views: NDArray[np.uint32],
    known: NDArray[np.bool_],
    left: NDArray[np.bool_],
) -> None:
    program = _Program(kinds, firsts, lasts, members, wide, points, words)
    steps = len(kinds)
    for row in range(len(left)):
        if not left[row]:
            continue
        at, end = bounds[row], bounds[row + 1]
        if wide[0] < 0:
            fits = _behind(data, at, end, program, (0, steps), starts, ends) == end
        else:
            fits = False
            at = _behind(data, at, end, program, (0, wide[0]), starts, ends)
            if at >= 0:
                least = at + firsts[wide[0]]
                at = _taken(data, at, end, program, wide[0])
                while at >= least and not fits:
                    fits = _behind(data, at, end, program, (wide[0] + 1, steps), starts, ends) == end
                    at -= 1
        if fits:
            left[row] = False
            for group in range(len(columns)):
                set_view(views, columns[group], row, data, starts[group], ends[group], 0)
                known[columns[group], row] = True


def plain_groups(texts: pl.Series, regex: str) -> dict[str, pl.Series]:
    r"""The named groups of the plain `regex` in `texts` (String, null fits nothing): null where it does not fit.

    As `texts.str.extract_groups(regex)`. Raises ValueError where `regex` is not plain.

    >>> found = plain_groups(pl.Series(["a[12] b", "a[] b", None]), r"^(?P<name>[^ \[]*)\[(?P<pid>[0-9]+)\] .*$")
    >>> {name: column.to_list() for name, column in found.items()}
    {'name': ['a', None, None], 'pid': ['12', None, None]}
    """
    return plain_cases(texts, regex)


def plain_cases(texts: pl.Series, *plain: str) -> dict[str, pl.Series]:
    """The named groups of the first of the `plain` expressions that fits: null where that has none, or none fits."""
    names = dict.fromkeys(name for regex in plain for name in _program(regex)[1])
    return _found(texts, list(names), plain)[0]


def groups(texts: pl.Series, regex: str, *plain: str) -> dict[str, pl.Series]:
    r"""The named groups of `regex` in `texts` (String), sooner where one of the `plain` expressions fits.

    Those are cases of `regex`: where one fits, `regex` does, with the same groups and null for those that it has not.
    They may name more groups, which are null where only `regex` fits.

    >>> found = groups(pl.Series(["a=1", "b"]), "^(?P<name>[a-z])(?:=(?P<value>.))?$", "^(?P<name>[a-z])=(?P<value>.)$")
    >>> {name: column.to_list() for name, column in found.items()}
    {'name': ['a', 'b'], 'value': ['1', None]}
    """
    names = dict.fromkeys(name for one in (regex, *plain) for name in re.findall(r"\(\?P<(\w+)>", one))
    found, left = _found(texts, list(names), plain)
    if len(left):
        for column in texts.gather(left).str.extract_groups(regex).struct.unnest():
            found[column.name].scatter(left, column)  # in place
    return found


def _found(
    texts: pl.Series, names: Sequence[str], plain: Sequence[str]
) -> tuple[dict[str, pl.Series], NDArray[np.int64]]:
    """The groups (among `names`) of the first of the `plain` expressions that fits each text, and where none does."""
    data, bounds = arrow_text(texts)
    views = np.empty((len(names), len(texts), 4), dtype=np.uint32)
    known = np.zeros((len(names), len(texts)), dtype=np.bool_)
    left = np.ones(len(texts), dtype=np.bool_) if texts.null_count() == 0 else texts.is_not_null().to_numpy().copy()
    starts, ends = np.empty((2, len(names)), dtype=np.int64)
    no_breaks = not _has_breaks(data)
    for program, of_one in map(_program, plain):
        columns = np.array([names.index(name) for name in of_one], dtype=np.int64)
        fitting = program._replace(points=program.points & no_breaks)
        _match(data, bounds, *fitting, columns, starts, ends, views, known, left)
        if not left.any():
            break
    found = {name: texts_at(views[place], known[place], data).alias(name) for place, name in enumerate(names)}
    return found, np.flatnonzero(left)
