"""The entity hash against a plain SipHash-1-3, which gives the vector of the paper."""

from __future__ import annotations

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.examples import examples

from livesec.core.hashing import combine_keys, number_keys, text_keys

MASK = (1 << 64) - 1
K0, K1 = 0x4C69766553656331, 0x656E746974794B65


def _rotated(x: int, bits: int) -> int:
    return ((x << bits) | (x >> (64 - bits))) & MASK


def _rounds(v: list[int], number: int) -> None:
    for _ in range(number):
        v[0] = (v[0] + v[1]) & MASK
        v[1] = _rotated(v[1], 13) ^ v[0]
        v[0] = _rotated(v[0], 32)
        v[2] = (v[2] + v[3]) & MASK
        v[3] = _rotated(v[3], 16) ^ v[2]
        v[0] = (v[0] + v[3]) & MASK
        v[3] = _rotated(v[3], 21) ^ v[0]
        v[2] = (v[2] + v[1]) & MASK
        v[1] = _rotated(v[1], 17) ^ v[2]
        v[2] = _rotated(v[2], 32)


def _digest(words: list[int], compressions: int, finalisations: int, k0: int, k1: int) -> int:
    v = [k0 ^ 0x736F6D6570736575, k1 ^ 0x646F72616E646F6D, k0 ^ 0x6C7967656E657261, k1 ^ 0x7465646279746573]
    for word in words:
        v[3] ^= word
        _rounds(v, compressions)
        v[0] ^= word
    v[2] ^= 0xFF
    _rounds(v, finalisations)
    return v[0] ^ v[1] ^ v[2] ^ v[3]


def _siphash(data: bytes, compressions: int = 1, finalisations: int = 3, k0: int = K0, k1: int = K1) -> int:
    """SipHash-c-d as its paper describes it, over Python's integers."""
    padded = data + bytes(7 - len(data) % 8) + bytes([len(data) & 0xFF])
    words = [int.from_bytes(padded[start : start + 8], "little") for start in range(0, len(padded), 8)]
    return _digest(words, compressions, finalisations, k0, k1)


def test_the_plain_one_is_siphash() -> None:
    # Appendix A of the SipHash paper: SipHash-2-4 of 00 01 ... 0e under the key 00 01 ... 0f.
    k0, k1 = (int.from_bytes(bytes(range(start, start + 8)), "little") for start in (0, 8))
    assert _siphash(bytes(range(15)), 2, 4, k0, k1) == 0xA129CA6149BE45E5


@settings(deadline=None, max_examples=examples(200))
@given(st.lists(st.none() | st.text(st.characters(codec="utf-8"), max_size=40), max_size=20))
def test_texts(texts: list[str | None]) -> None:
    keys = text_keys(pl.Series(texts, dtype=pl.String)).tolist()
    assert keys == [0 if text is None else _siphash(text.encode()) or 1 for text in texts]


def test_lengths_around_words_and_beyond_a_byte() -> None:
    texts = ["x" * length for length in (0, 1, 7, 8, 9, 15, 16, 17, 255, 256, 257, 100_000)]
    assert text_keys(pl.Series(texts)).tolist() == [_siphash(text.encode()) for text in texts]


def test_the_part_after_a_slice_is_hashed_the_same() -> None:
    column = pl.Series(["a", None, "äöü", "root"])
    assert text_keys(column[1:]).tolist() == text_keys(column).tolist()[1:]


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, MASK), st.integers(0, MASK)), max_size=20))
def test_pairs(pairs: list[tuple[int, int]]) -> None:
    left = np.array([pair[0] for pair in pairs], dtype=np.uint64)
    right = np.array([pair[1] for pair in pairs], dtype=np.uint64)
    out = np.empty(len(pairs), dtype=np.uint64)
    combine_keys(left, right, out)
    for one, other, key in zip(left.tolist(), right.tolist(), out.tolist(), strict=True):
        assert key == (
            0 if one == 0 or other == 0 else _digest([one, other], 1, 3, K0, K1) or 1
        )  # two words, without a length


def test_pairs_are_ordered() -> None:
    left, right = np.array([1, 2], dtype=np.uint64), np.array([2, 1], dtype=np.uint64)
    out = np.empty(2, dtype=np.uint64)
    combine_keys(left, right, out)
    assert out[0] != out[1]


def test_numbers_have_keys_of_their_own() -> None:
    numbers = np.array([0, 1, -1, 22, 65_535, 2**62], dtype=np.int64)
    keys = number_keys(numbers)
    assert len(set(keys.tolist())) == len(numbers) and (keys != 0).all()
    plain = (0 + 0x9E3779B97F4A7C15) & MASK  # SplitMix64's first output for seed 0
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        plain = ((plain ^ (plain >> shift)) * factor) & MASK
    assert keys[0] == plain ^ (plain >> 31) == 0xE220A8397B1DCDAF
