"""Reading the data file: a small one worked out by hand, and files that are none."""

from __future__ import annotations

import gzip
import pickle
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from livesec.core.errors import LiveSecError
from livesec.enrich.geoip2fast_file import read_geo_file

INFO = {"info": "MAXMIND:GeoLite2-CountryASN-IPv4IPv6-en-20300102", "country": True, "asn": True}
A_64 = 0x2001_0DB8_0000_0000 << 64


def small_file(**changes: Any) -> list[Any]:
    """1.0.0.0/8 and 3.0.0.0/16 in DE, 2001:db8::/64 in FR, a /65 and a /128 behind; in two chunks."""
    parts = {
        "version": 120,
        "info": INFO,
        "countries": ["DE:Germany", "FR:France"],
        "networks": ["Quilvera", "Ürün " * 60],
        "country_starts": [[1 << 24, 3 << 24, A_64], [A_64 + (1 << 64), A_64 + (2 << 64) + 7]],
        "country_positions": [[0, 0, 1], [0, 1]],
        "country_lengths": [[8, 16, 64], [65, 128]],
        "network_starts": [[1 << 24], [0xFF00 << 112]],
        "network_positions": [[1], [0]],
        "network_lengths": [[9], [8]],
    } | changes
    data = [
        [0],
        [0],
        parts["countries"],
        parts["networks"],
        *(parts[f"{kind}_{what}"] for what in ("starts", "positions", "lengths") for kind in ("country", "network")),
    ]
    return [parts["version"], parts["info"], 5, data]


def write(folder: Path, content: Any) -> Path:
    path = folder / "small.dat.gz"
    path.write_bytes(gzip.compress(pickle.dumps(content, protocol=4)))
    return path


def test_a_small_file_by_hand(tmp_path: Path) -> None:
    file = read_geo_file(write(tmp_path, small_file()))
    assert file.data_date == date(2030, 1, 2)
    assert file.version == "geoip2fast GeoLite2 2030-01-02"
    assert file.country_codes == ("", "DE", "FR")
    assert file.network_names.to_list() == ["", "Quilvera", "Ürün " * 60]
    upper = A_64 >> 64
    numbers = [(1 << 24) - 1, 1 << 24, (2 << 24) - 1, 2 << 24, (3 << 24) + 65535, (3 << 24) + 65536]
    numbers += [upper - 1, upper, upper + 1, upper + 2, upper + 3]
    found = file.countries.find(np.array(numbers, dtype=np.uint64)).tolist()
    assert found == [0, 1, 1, 0, 1, 0, 0, 2, 1, 0, 0]  # the /128 does not hold the first address of its /64
    numbers = [1 << 24, (1 << 24) + (1 << 23) - 1, (1 << 24) + (1 << 23), 0xFEFF << 48, (1 << 64) - 1]
    assert file.networks.find(np.array(numbers, dtype=np.uint64)).tolist() == [2, 2, 0, 0, 1]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([120, {"info": "something else"}, 0, []], "no GeoLite2 date in its first 1000 bytes"),
        (small_file(version=121), "layout 121, expected"),
        (small_file(info=INFO | {"ratio": 0.5}), "not understood at byte"),  # a float
        (
            small_file(info=INFO | {"day": date(2030, 1, 2)}),
            "not understood at byte",
        ),  # would call a function
        (small_file(network_lengths=[[9, 8]]), "lists of different lengths"),
        (small_file(network_lengths=[[9], ["8"]]), "lists of different lengths"),
        (small_file(network_positions=[[1], [2]]), "positions beyond the names"),
        (small_file(network_starts=[[2 << 24], [1 << 24]]), "a range table starts at 0 and ascends"),
        (
            [120, INFO, 5, [[0], ["DE:Germany"], [[1 << 24]], [[0]], [[8]]]],
            "tables, expected 7",
        ),  # country only
        (
            small_file(info=INFO | {"info": "MAXMIND:GeoLite2-CountryASN-20301399"}),
            "not a geoip2fast file that LiveSec can read",
        ),
    ],
)
def test_another_kind_of_file_is_refused(tmp_path: Path, content: Any, message: str) -> None:
    with pytest.raises(LiveSecError, match=message) as raised:
        read_geo_file(write(tmp_path, content))
    assert str(raised.value).startswith(str(tmp_path))


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, small_file())
    whole = path.read_bytes()
    for damaged in (b"", b"plain text", whole[:-20], whole[:30] + b"\0\0\0\0" + whole[34:]):
        path.write_bytes(damaged)
        with pytest.raises(LiveSecError, match=r"small\.dat\.gz: not readable as a geoip2fast file"):
            read_geo_file(path)
    with pytest.raises(LiveSecError, match="not readable"):
        read_geo_file(tmp_path / "missing.dat.gz")


def test_a_file_cut_before_compression_never_reads_past_its_end(tmp_path: Path) -> None:
    path, plain = tmp_path / "small.dat.gz", pickle.dumps(small_file(), protocol=4)
    last_number = plain.rindex(b"K\x08")
    for size in range(last_number + 2):
        path.write_bytes(gzip.compress(plain[:size], compresslevel=0))
        with pytest.raises(LiveSecError):
            read_geo_file(path)
