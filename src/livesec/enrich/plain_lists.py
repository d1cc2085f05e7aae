"""Reads pickles made of nothing but nested lists of whole numbers and texts, straight into arrays.

Loading such a file as a pickle makes a Python object of each number and would run whatever a changed file
says. The few opcodes that such lists consist of are read here; any other opcode is an error. A list is known
by the byte behind its opening, from `find_lists`; the other functions trust it and its counts.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from livesec.core.jit import inner_kernel, kernel

# Opcodes (pickle protocol 4) by the bytes of their argument.
_EMPTY_LIST = ord("]")
_UNKNOWN = 255
_ARGUMENT_BYTES = np.full(256, _UNKNOWN, dtype=np.uint8)
# Without one: EMPTY_LIST EMPTY_DICT MARK APPENDS SETITEMS APPEND STOP TUPLE MEMOIZE NEWTRUE NEWFALSE
_ARGUMENT_BYTES[[ord(code) for code in "]}(eua.t\x94\x88\x89"]] = 0
_ARGUMENT_BYTES[[ord("K"), ord("\x80")]] = 1  # BININT1, PROTO
_ARGUMENT_BYTES[ord("M")] = 2  # BININT2
_ARGUMENT_BYTES[ord("J")] = 4  # BININT
_ARGUMENT_BYTES[ord("\x95")] = 8  # FRAME
_LONG1, _SHORT_TEXT, _TEXT = ord("\x8a"), ord("\x8c"), ord("X")  # with their length before them
_IS_NUMBER = np.zeros(256, dtype=np.bool_)
_IS_NUMBER[[ord("K"), ord("M"), ord("J"), _LONG1]] = True
_IS_TEXT = np.zeros(256, dtype=np.bool_)
_IS_TEXT[[_SHORT_TEXT, _TEXT]] = True
WORD_BYTES = 8


@inner_kernel
def little_endian(data: NDArray[np.uint8], at: int, size: int) -> np.uint64:
    """The lowest 64 bits of the whole number of `size` bytes at `at`."""
    number = np.uint64(0)
    for byte in range(min(size, WORD_BYTES)):
        number |= np.uint64(data[at + byte]) << np.uint64(8 * byte)
    return number


@inner_kernel
def _stated_size(data: NDArray[np.uint8], at: int, width: int) -> int:
    """The little-endian whole number of `width` bytes at `at`; past the end, one that cannot fit either."""
    size = 0
    if at + width > len(data):
        return len(data)
    for byte in range(width):
        size = size * 256 + int(data[at + width - 1 - byte])
    return size


@inner_kernel
def _argument(data: NDArray[np.uint8], at: int) -> tuple[int, int]:
    """(start, size) of the argument of the opcode at `at`; size -1 if it is unknown or goes past the end."""
    code = data[at]
    if code in (_LONG1, _SHORT_TEXT):
        start, size = at + 2, _stated_size(data, at + 1, 1)
    elif code == _TEXT:
        start, size = at + 5, _stated_size(data, at + 1, 4)
    else:
        start, size = at + 1, int(_ARGUMENT_BYTES[code])
        if size == _UNKNOWN:
            return start, -1
    return (start, size) if start + size <= len(data) else (start, -1)


@kernel
def find_lists(
    data: NDArray[np.uint8], begins: NDArray[np.int64], numbers: NDArray[np.int64], texts: NDArray[np.int64]
) -> int:
    """Where each list begins, and how many numbers and texts it holds itself.

    Returns how many lists there are, or -1 - p if the opcode at position p cannot be read or opens one more
    list than the arrays have room for.
    """
    at, lists = 0, 0
    while at < len(data):
        start, size = _argument(data, at)
        code = data[at]
        if size < 0 or (code == _EMPTY_LIST and lists == len(begins)):
            return -1 - at
        at = start + size
        if code == _EMPTY_LIST:
            begins[lists], numbers[lists], texts[lists] = at, 0, 0
            lists += 1
        elif lists > 0:
            numbers[lists - 1] += int(_IS_NUMBER[code])
            texts[lists - 1] += int(_IS_TEXT[code])
    return lists


@inner_kernel
def next_number(data: NDArray[np.uint8], at: int) -> tuple[int, int]:
    """(start, size) of the next number in a list; there must be one."""
    while not _IS_NUMBER[data[at]]:
        start, size = _argument(data, at)
        at = start + size
    return _argument(data, at)


@kernel
def read_small_numbers(data: NDArray[np.uint8], at: int, out: NDArray[np.uint32]) -> None:
    """The first numbers of the list that begins at `at`, each below 2^32."""
    for item in range(len(out)):
        start, size = next_number(data, at)
        out[item] = np.uint32(little_endian(data, start, size))
        at = start + size


@kernel
def read_text_places(data: NDArray[np.uint8], at: int, starts: NDArray[np.int64], sizes: NDArray[np.int64]) -> None:
    """Where the next texts of a list that begins at `at` stand."""
    for item in range(len(starts)):
        while not _IS_TEXT[data[at]]:
            start, size = _argument(data, at)
            at = start + size
        starts[item], sizes[item] = _argument(data, at)
        at = starts[item] + sizes[item]
