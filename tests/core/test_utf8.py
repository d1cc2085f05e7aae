import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from livesec.core.batch import StreamInfo, batch_of_bytes
from livesec.core.utf8 import repaired

STREAM = StreamInfo(1, "0" * 16, "log", 0)
EDGES = bytes.fromhex("0d 7f 80 8f 90 9f a0 bf c0 c1 c2 df e0 ed ef f0 f4 f5 ff")
"""Bytes at the edges of Unicode's table of well-formed sequences."""

hostile = st.lists(st.sampled_from([*EDGES, ord("a")]), max_size=20).map(bytes) | st.text(max_size=20).map(
    lambda text: text.encode(errors="surrogatepass")
)


def is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def _bad_rows(lines: list[bytes]) -> list[int]:
    sizes = np.array([len(line) for line in lines], dtype=np.int64)
    return list(repaired(b"\n".join(lines), np.cumsum(sizes + 1) - sizes - 1, sizes).rows)


def test_just_what_python_cannot_decode_is_ill_formed() -> None:
    lines = [bytes(some) for size in (1, 2, 3, 4) for some in itertools.product(EDGES, repeat=size)]
    assert _bad_rows(lines) == [row for row, line in enumerate(lines) if not is_utf8(line)]


@settings(deadline=None)
@given(st.lists(hostile | st.binary(max_size=40), max_size=12))
def test_a_line_reads_as_python_decodes_it(lines: list[bytes]) -> None:
    lines = [line.replace(b"\n", b"") for line in lines]
    batch = batch_of_bytes(STREAM, b"".join(line + b"\n" for line in lines))
    expected = [line.decode(errors="replace").removesuffix("\r") for line in lines]
    assert batch.lines["line"].to_list() == expected
    assert batch.lines["line"].str.len_bytes().to_list() == [len(text.encode()) for text in expected]
    if lines:
        assert _bad_rows(lines) == [row for row, line in enumerate(lines) if not is_utf8(line)]
