"""Values of Windows events in XML, read in one compiled pass over their bytes.

    <EventID Qualifiers="0">4625</EventID>       the text of an element
    <TimeCreated SystemTime="2026-03-02..." />   the first attribute of an element
    <Data Name="IpAddress">192.0.2.1</Data>      the text of an element by its name

Of a value that is there twice the first one counts. Nobody else can write a mark: `<` in a text is an entity.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from livesec.core.jit import inner_kernel, kernel
from livesec.core.text_views import arrow_text, columns_at, set_view
from livesec.formats.text_spans import has_at

_BAD: Final = -1
_LESS, _MORE, _SLASH, _QUOTE, _SINGLE = (ord(sign) for sign in "<>/\"'")
_TAG_END: Final = np.zeros(256, dtype=np.bool_)
_TAG_END[[ord(sign) for sign in " >/"]] = True
_ELEMENT, _ATTRIBUTE, _DATA = range(3)
_DATA_TAG: Final = np.frombuffer(b"Data Name=", dtype=np.uint8)


class _Marks(NamedTuple):
    """What is wanted; shape (fields,) each, of `names` one more."""

    kinds: NDArray[np.int64]
    names: NDArray[np.uint8]
    """What stands behind `<` of elements and attributes, in quotes for data; back to back."""
    name_at: NDArray[np.int64]


@lru_cache(maxsize=8)
def _marks(elements: tuple[str, ...], attributes: tuple[str, ...], data: tuple[str, ...]) -> _Marks:
    kinds = [_ELEMENT] * len(elements) + [_ATTRIBUTE] * len(attributes) + [_DATA] * len(data)
    names = [*(name.encode() for name in elements), *(f"{name}=".encode() for name in attributes)]
    names += [name.encode() for name in data]
    return _Marks(np.array(kinds), np.frombuffer(b"".join(names), dtype=np.uint8), np.cumsum([0, *map(len, names)]))


@inner_kernel
def _find(data: NDArray[np.uint8], at: int, end: int, wanted: int) -> int:
    """Where the byte `wanted` comes next before `end`, else `end`."""
    place, stop = np.uint64(at), np.uint64(end)  # unsigned: no index below 0 is asked for at each byte
    while place < stop and data[place] != wanted:
        place += np.uint64(1)
    return np.int64(place)  # type: ignore[return-value]  # an int to numba, where int() is not


@inner_kernel
def _quoted_end(data: NDArray[np.uint8], at: int, end: int) -> int:
    """Where the quote is that ends the value whose opening quote is at `at`; -1 where there is none."""
    if at >= end or (data[at] != _QUOTE and data[at] != _SINGLE):
        return _BAD
    stop = _find(data, at + 1, end, data[at])
    return stop if stop < end else _BAD


@inner_kernel
def _text_end(data: NDArray[np.uint8], at: int, end: int) -> int:
    """Where the text at `at` ends with a closing tag; -1 where another one comes."""
    stop = _find(data, at, end, _LESS)
    return stop if stop + 1 < end and data[stop + 1] == _SLASH else _BAD


@kernel
def _scan(
    data: NDArray[np.uint8],
    bounds: NDArray[np.int64],
    marks: _Marks,
    views: NDArray[np.uint32],
    known: NDArray[np.bool_],
) -> None:
    for line in range(len(bounds) - 1):
        end = bounds[line + 1]
        at = _find(data, bounds[line], end, _LESS) + 1
        while at < end:
            is_data = has_at(data, at, end, _DATA_TAG, 0, len(_DATA_TAG))
            name, name_end = at, at
            if is_data:
                name = at + len(_DATA_TAG) + 1
                name_end = _quoted_end(data, name - 1, end)
            for field in range(len(marks.kinds) if name_end != _BAD else 0):
                kind, first, last = marks.kinds[field], marks.name_at[field], marks.name_at[field + 1]
                if (kind == _DATA) != is_data or not has_at(data, name, end, marks.names, first, last):
                    continue
                start, behind, stop = _BAD, name + last - first, _BAD
                if kind == _ATTRIBUTE:
                    start, stop = behind + 1, _quoted_end(data, behind, end)
                elif kind == _DATA:
                    if behind == name_end and behind + 1 < end and data[behind + 1] == _MORE:
                        start = behind + 2
                elif behind < end and _TAG_END[data[behind]]:
                    start = _find(data, behind, end, _MORE) + 1
                if kind != _ATTRIBUTE and start != _BAD:
                    stop = _text_end(data, start, end)
                if stop != _BAD and not known[field, line]:
                    known[field, line] = True
                    set_view(views, field, line, data, start, stop, 0)
            at = _find(data, at, end, _LESS) + 1


def event_texts(
    lines: pl.Series, elements: Sequence[str], attributes: Sequence[str], data: Sequence[str]
) -> dict[str, pl.Series]:
    """Texts of `elements`, `attributes` (`Element Attribute`) and named `data` in `lines` (String, none null).

    Entities are left as they are; null where there is none.

    >>> line = '<EventID>4625</EventID><T At="1"/><Data Name="User">a&lt;b</Data>'
    >>> found = event_texts(pl.Series([line]), ["EventID"], ["T At"], ["User", "IpAddress"])
    >>> {name: texts.to_list() for name, texts in found.items()}
    {'EventID': ['4625'], 'T At': ['1'], 'User': ['a&lt;b'], 'IpAddress': [None]}
    """
    names = (*elements, *attributes, *data)
    text, bounds = arrow_text(lines)
    views = np.zeros((len(names), len(lines), 4), dtype=np.uint32)
    known = np.zeros((len(names), len(lines)), dtype=np.bool_)
    _scan(text, bounds, _marks(tuple(elements), tuple(attributes), tuple(data)), views, known)
    return columns_at(names, views, known, text).to_dict()
