"""JSON objects read in one compiled pass over their bytes: only the wanted values become texts, where they lie.

A line is whole if it is one object of RFC 8259's grammar (or a list, if such are wanted) and nothing else. Of a key
that is there twice the last one counts. Depth is bounded: an attacker's million brackets are a broken line, not a full
stack.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from livesec.core.jit import inner_kernel, kernel
from livesec.core.text_views import arrow_text, columns_at, set_view, texts_at
from livesec.formats.json_grammar import BAD, number_end, string_end, unescaped, word_end

Path = tuple[str, ...]
"""Keys from the object's root to a value; a dot inside a key is a part of it. () is a line that is a list."""

MAX_DEPTH: Final = 256  # logs stay below 20
_NONE: Final = -1
_ROOT: Final = 0
_OBJECT, _ARRAY = 0, 1
_VALUE, _VALUE_OR_END, _KEY, _KEY_OR_END, _AFTER = range(5)
_IN_LINE, _IN_SCRATCH = 0, 1  # which buffer a view looks into
_SPACE, _TAB, _NEWLINE, _RETURN = (ord(character) for character in " \t\n\r")
_OPEN, _CLOSE, _OPEN_LIST, _CLOSE_LIST, _QUOTE, _COLON, _COMMA = (ord(character) for character in '{}[]":,')
_N, _MINUS, _ZERO, _NINE = (ord(character) for character in "n-09")


class Wanted(NamedTuple):
    """The wanted paths as a tree; the children of a node have numbers in a row. Shape (nodes,) each."""

    keys: NDArray[np.uint8]
    """The UTF-8 of all keys, back to back."""
    key_at: NDArray[np.int64]
    """Where a node's key begins in `keys`, and one more: where the last ends; shape (nodes + 1,)."""
    first_child: NDArray[np.int64]
    end_child: NDArray[np.int64]
    tags: NDArray[np.int64]
    """A key's first byte and length in one, which tell most keys apart."""
    field: NDArray[np.int64]
    """The field that a leaf is, else -1."""
    first_field: NDArray[np.int64]
    """The fields at and below a node are those from here to `end_field`."""
    end_field: NDArray[np.int64]


class _Found(NamedTuple):
    """What the scan writes."""

    views: NDArray[np.uint32]
    """(fields, lines, 4): Arrow's view of each value."""
    known: NDArray[np.bool_]
    """(fields, lines)."""
    whole: NDArray[np.bool_]
    """(lines,)."""
    scratch: NDArray[np.uint8]
    """Texts without their escapes; as long as the lines."""


class _Stack(NamedTuple):
    """The containers that are open; shape (MAX_DEPTH,) each."""

    kind: NDArray[np.int64]
    node: NDArray[np.int64]
    """Its node in the tree of what is wanted, or -1."""
    field: NDArray[np.int64]
    """The field whose value it is as a whole, or -1."""
    start: NDArray[np.int64]


@lru_cache(maxsize=256)
def _tree(paths: tuple[tuple[str, Path], ...]) -> tuple[Wanted, tuple[int, ...]]:
    """The tree of `paths`, and the field that each of them is there."""
    leaves = sorted({path for _, path in paths})  # so those below a node are in a row
    nodes = sorted(
        {path[:depth] for path in leaves for depth in range(len(path) + 1)}, key=lambda path: (len(path), path)
    )
    number = {path: place for place, path in enumerate(nodes)}
    first, end = np.zeros((2, len(nodes)), dtype=np.int64)
    keys = [path[-1].encode() if path else b"" for path in nodes]
    for place, path in enumerate(nodes[1:], 1):
        parent = number[path[:-1]]
        first[parent] = first[parent] or place
        end[parent] = place + 1
    field_of = {path: place for place, path in enumerate(leaves)}
    own = [[field_of[leaf] for leaf in leaves if leaf[: len(path)] == path] for path in nodes]
    wanted = Wanted(
        np.frombuffer(b"".join(keys) or b"\0", dtype=np.uint8),
        np.cumsum([0, *map(len, keys)]),
        first,
        end,
        np.array([len(key) << 8 | sum(key[:1]) for key in keys]),
        np.array([field_of.get(path, _NONE) for path in nodes]),
        np.array([some[0] for some in own]),
        np.array([some[-1] + 1 for some in own]),
    )
    return wanted, tuple(field_of[path] for _, path in paths)


@inner_kernel
def _past_blanks(data: NDArray[np.uint8], at: int, end: int) -> int:
    while at < end and data[at] <= _SPACE and data[at] in (_SPACE, _TAB, _NEWLINE, _RETURN):
        at += 1
    return at


@inner_kernel
def _child(wanted: Wanted, node: int, data: NDArray[np.uint8], at: int, end: int) -> int:
    """The child of `node` whose key is data[at:end], or -1."""
    size = end - at
    first = np.int64(data[at]) if size else 0
    tag = size << 8 | first
    for child in range(wanted.first_child[node], wanted.end_child[node]):
        if wanted.tags[child] == tag:
            start = wanted.key_at[child]
            place = 1
            while place < size and data[at + place] == wanted.keys[start + place]:
                place += 1
            if place >= size:
                return child
    return _NONE


@inner_kernel
def _scan_line(  # noqa: PLR0912, PLR0915  # one pass: a call for each part of an object made it six times slower
    data: NDArray[np.uint8], at: int, end: int, line: int, used: int, wanted: Wanted, stack: _Stack, found: _Found
) -> tuple[bool, int]:
    """(whether data[at:end] is one whole object, or a list if wanted, bytes of the scratch buffer in use after it)."""
    depth, want, stop, is_key = 0, _ROOT, at, False
    at = _past_blanks(data, at, end)
    if at >= end or (data[at] != _OPEN and (data[at] != _OPEN_LIST or wanted.field[_ROOT] < 0)):
        return False, used
    while True:
        if is_key:
            if at >= end or data[at] != _QUOTE:
                return False, used
            node, want = stack.node[depth - 1], _NONE
            stop, is_escaped = string_end(data, at + 1, end)
            if stop == BAD:
                return False, used
            if is_escaped:
                key_end = unescaped(data, at + 1, stop, found.scratch, used)
                if key_end == BAD:
                    return False, used
                if node >= 0:
                    want = _child(wanted, node, found.scratch, used, key_end)
            elif node >= 0:
                want = _child(wanted, node, data, at + 1, stop)
            if want >= 0:  # of two, the last one counts
                for field in range(wanted.first_field[want], wanted.end_field[want]):
                    if found.known[field, line]:
                        found.known[field, line] = False
                        found.views[field, line] = 0
            at = _past_blanks(data, stop + 1, end)
            if at >= end or data[at] != _COLON:
                return False, used
            at = _past_blanks(data, at + 1, end)
        if at >= end:
            return False, used
        byte = data[at]
        field = wanted.field[want] if want >= 0 else _NONE
        if byte == _QUOTE:
            stop, is_escaped = string_end(data, at + 1, end)
            if stop == BAD:
                return False, used
            if is_escaped:
                text_end = unescaped(data, at + 1, stop, found.scratch, used)
                if text_end == BAD:
                    return False, used
                if field >= 0:
                    found.known[field, line] = True
                    set_view(found.views, field, line, found.scratch, used, text_end, _IN_SCRATCH)
                    used = text_end
            elif field >= 0:
                found.known[field, line] = True
                set_view(found.views, field, line, data, at + 1, stop, _IN_LINE)
            at = _past_blanks(data, stop + 1, end)
        elif byte in (_OPEN, _OPEN_LIST):
            if depth == MAX_DEPTH:
                return False, used
            is_key = byte == _OPEN
            if is_key and depth == 0:
                field = _NONE
            stack.kind[depth] = _OBJECT if is_key else _ARRAY
            stack.node[depth] = want if is_key and field < 0 else _NONE
            stack.field[depth], stack.start[depth] = field, at
            at, depth, want = _past_blanks(data, at + 1, end), depth + 1, _NONE
            if at >= end or data[at] != (_CLOSE if is_key else _CLOSE_LIST):
                continue
        else:
            is_number = byte == _MINUS or (byte >= _ZERO and byte <= _NINE)
            stop = number_end(data, at, end) if is_number else word_end(data, at, end)
            if stop == BAD:
                return False, used
            if field >= 0 and byte != _N:
                found.known[field, line] = True
                set_view(found.views, field, line, data, at, stop, _IN_LINE)
            at = _past_blanks(data, stop, end)

        # behind a value
        while True:
            if at >= end:
                return False, used
            byte = data[at]
            is_key = stack.kind[depth - 1] == _OBJECT
            if byte == _COMMA:
                at, want = _past_blanks(data, at + 1, end), _NONE
                break
            if byte != (_CLOSE if is_key else _CLOSE_LIST):
                return False, used
            at, depth = at + 1, depth - 1
            field = stack.field[depth]
            if field >= 0:
                found.known[field, line] = True
                set_view(found.views, field, line, data, stack.start[depth], at, _IN_LINE)
            at = _past_blanks(data, at, end)
            if depth == 0:
                return at == end, used


@kernel
def _scan(  # numba takes 0.5 ms a call to see what named tuples hold
    data: NDArray[np.uint8],
    bounds: NDArray[np.int64],
    keys: NDArray[np.uint8],
    key_at: NDArray[np.int64],
    first_child: NDArray[np.int64],
    end_child: NDArray[np.int64],
    tags: NDArray[np.int64],
    field: NDArray[np.int64],
    first_field: NDArray[np.int64],
    end_field: NDArray[np.int64],
    stack: NDArray[np.int64],
    views: NDArray[np.uint32],
    known: NDArray[np.bool_],
    whole: NDArray[np.bool_],
    scratch: NDArray[np.uint8],
) -> None:
    wanted = Wanted(keys, key_at, first_child, end_child, tags, field, first_field, end_field)
    open_ = _Stack(stack[0], stack[1], stack[2], stack[3])
    found = _Found(views, known, whole, scratch)
    used = 0
    for line in range(len(whole)):
        whole[line], used = _scan_line(data, bounds[line], bounds[line + 1], line, used, wanted, open_, found)
        if not whole[line]:
            known[:, line] = False
            views[:, line] = 0


class Scanned(NamedTuple):
    """What was read of n lines."""

    whole: NDArray[np.bool_]
    """Which lines are one whole object; shape (n,)."""
    fields: pl.DataFrame
    """Each wanted value as text, null where it is missing or the line is broken."""


def scanned(lines: pl.Series, paths: Mapping[str, Path]) -> Scanned:
    r"""Read `paths` (name to path) from `lines` (String, null as nothing). No path but () may be the start of another.

    Texts without their escapes, a lone surrogate as U+FFFD; numbers, truth values, objects and arrays as they are
    written; null is nothing.

    >>> found = scanned(pl.Series(['{"a": {"b": 1e2}, "c.d": "\\u00e9"}', '{"a": {"b": [1, {}]}}', "{}}"]),
    ...                 {"b": ("a", "b"), "d": ("c.d",)})
    >>> found.whole.tolist(), found.fields["b"].to_list()[:2], found.fields["d"].to_list()[:2]
    ([True, True, False], ['1e2', '[1, {}]'], ['é', None])
    """
    wanted, fields = _tree(tuple(paths.items()))
    data, bounds = arrow_text(lines)
    shape = (len(fields), len(lines))
    found = _Found(
        np.zeros((*shape, 4), dtype=np.uint32),
        np.zeros(shape, dtype=np.bool_),
        np.empty(len(lines), dtype=np.bool_),
        np.empty(len(data), dtype=np.uint8),
    )
    _scan(data, bounds, *wanted, np.empty((4, MAX_DEPTH), dtype=np.int64), *found)
    views, known = ([of[field] for field in fields] for of in (found.views, found.known))
    texts = columns_at(paths, views, known, data, found.scratch)
    return Scanned(found.whole, texts)


@kernel
def _objects(
    data: NDArray[np.uint8], bounds: NDArray[np.int64], views: NDArray[np.uint32], parents: NDArray[np.uint32]
) -> int:
    """Put out the objects in the lists data[bounds[i]:bounds[i + 1]]; how many there are."""
    count = 0
    for row in range(len(bounds) - 1):
        at, end = bounds[row], bounds[row + 1]
        if at == end or data[at] != _OPEN_LIST:
            continue
        start, depth = _NONE, 0
        while at < end:
            byte = data[at]
            if byte == _QUOTE:
                at, _ = string_end(data, at + 1, end)
                if at == BAD:
                    break
            elif byte in (_OPEN, _OPEN_LIST):
                if byte == _OPEN and depth == 1:
                    start = at
                depth += 1
            elif byte in (_CLOSE, _CLOSE_LIST):
                depth -= 1
                if byte == _CLOSE and depth == 1 and start != _NONE:  # so there are no more than opening brackets
                    parents[count] = row
                    set_view(views, 0, count, data, start, at + 1, _IN_LINE)
                    count, start = count + 1, _NONE
            at += 1
    return count


class Objects(NamedTuple):
    """The objects in lists, in order."""

    parents: NDArray[np.uint32]
    """Which list each is of."""
    texts: pl.Series
    """As they are written."""


def objects_in(lists: pl.Series) -> Objects:
    """Of JSON lists (String, as `scanned` gives them: from bracket to bracket); what is null or no list has none.

    >>> found = objects_in(pl.Series(['[{"a": [1, {}]}, "x,]" ]', "[]", None, "[3, {}]"]))
    >>> found.parents.tolist(), found.texts.to_list()
    ([0, 3], ['{"a": [1, {}]}', '{}'])
    """
    data, bounds = arrow_text(lists)
    most = np.count_nonzero(data == _OPEN)
    views, parents = np.empty((1, most, 4), dtype=np.uint32), np.empty(most, dtype=np.uint32)
    count = _objects(data, bounds, views, parents)
    return Objects(parents[:count], texts_at(views[0, :count], np.ones(count, dtype=np.bool_), data))
