"""The lookup stage: columns of each log type, stated countries, and independence of batches."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.examples import examples

from livesec.core.errors import StateVersionError
from livesec.core.rows import make_rows
from livesec.core.schema import LOG_TYPES, LogType, dtypes
from livesec.enrich.address_memo import AddressMemo
from livesec.enrich.country_centroids import COUNTRIES
from livesec.enrich.geo import GeoLookup
from livesec.enrich.geo_table import GeoTable

ADDED = ("country", "asn", "lat", "lon", "geo_radius_km", "is_internal", "is_relay")


@pytest.fixture(scope="session")
def lookup(table: GeoTable) -> GeoLookup:
    return GeoLookup(table)


def geo_of(lookup: GeoLookup, addresses: list[str | None], countries: list[str | None] | None = None) -> pl.DataFrame:
    frame = pl.DataFrame({"src_ip": pl.Series(addresses, dtype=pl.String)})
    if countries is not None:
        frame = frame.with_columns(country=pl.Series(countries, dtype=pl.String))
    return lookup.step(lookup.initial(), make_rows(LogType.LOGIN, frame)).frame.select(ADDED)


def test_columns_of_known_addresses(lookup: GeoLookup) -> None:
    found = geo_of(lookup, ["192.0.2.1", "10.0.0.1", "198.18.2.1", "2001:db8:1::1", "nonsense", None])
    assert found["country"].to_list() == ["US", None, "US", "DE", None, None]
    assert found["asn"].to_list() == [64496, None, 64514, 65537, None, None]
    assert found["is_internal"].to_list() == [False, True, False, False, None, None]
    assert found["is_relay"].to_list() == [False, False, True, False, None, None]
    assert found["geo_radius_km"].to_list() == [2700, None, 2700, 500, None, None]
    assert found["lat"].null_count() == found["lon"].null_count() == 3
    assert not found["lat"].is_nan().any()


@pytest.mark.parametrize("log_type", LOG_TYPES)
def test_the_schema_is_kept(lookup: GeoLookup, log_type: LogType) -> None:
    for addresses in ([], ["192.0.2.1", None]):
        rows = make_rows(log_type, pl.DataFrame({"src_ip": pl.Series(addresses, dtype=pl.String)}))
        assert dict(lookup.step(lookup.initial(), rows).frame.schema) == dtypes(log_type)


def test_both_ends_of_a_connection(lookup: GeoLookup) -> None:
    frame = pl.DataFrame({"src_ip": ["10.0.0.1", "192.0.2.130"], "dst_ip": ["198.51.100.1", None]})
    found = lookup.step(lookup.initial(), make_rows(LogType.NETWORK, frame)).frame
    assert found["country"].to_list() == [None, "DE"]
    assert found["is_internal"].to_list() == [True, False]
    assert found["dst_country"].to_list() == ["RU", None]
    assert found["dst_asn"].to_list() == [64500, None]
    assert found["dst_is_internal"].to_list() == [False, None]


def test_a_stated_country_wins_with_its_centre(lookup: GeoLookup) -> None:
    found = geo_of(
        lookup,
        ["192.0.2.1", "10.0.0.1", "192.0.2.1", "192.0.2.1", None],
        ["Germany", "fr", None, "Atlantis", "Japan"],
    )
    assert found["country"].to_list() == ["DE", "FR", "US", "US", "JP"]
    assert found["geo_radius_km"].to_list() == [COUNTRIES[code].radius_km for code in ("DE", "FR", "US", "US", "JP")]
    assert found["lat"].to_list() == pytest.approx([COUNTRIES[c].lat for c in ("DE", "FR", "US", "US", "JP")], 1e-6)
    # The rest is still the address's.
    assert found["asn"].to_list() == [64496, None, 64496, 64496, None]
    assert found["is_internal"].to_list() == [False, True, False, False, None]


pools = st.lists(
    st.one_of(
        st.ip_addresses().map(str),
        st.sampled_from(["192.0.2.1", "2001:db8:1::1", "2001:db8:1::2", "10.0.0.1", "x", None]),
    ),
    max_size=30,
)


@settings(deadline=None, max_examples=examples(60))
@given(pools, st.integers(1, 30), st.sampled_from([2, 5, 1 << 20]))
def test_batches_and_the_memos_bound_change_nothing(
    lookup: GeoLookup, addresses: list[str | None], size: int, max_keys: int
) -> None:
    state = lookup.initial()
    state.memo = AddressMemo(max_keys)
    frame = pl.DataFrame({"src_ip": pl.Series(addresses, dtype=pl.String)})
    parts = [
        lookup.step(state, make_rows(LogType.LOGIN, frame.slice(start, size))).frame.select(ADDED)
        for start in range(0, frame.height, size)
    ]
    one_by_one = [geo_of(lookup, [address]) for address in addresses]
    nothing = geo_of(lookup, [])
    assert pl.concat([nothing, *parts]).equals(pl.concat([nothing, *one_by_one]))


def test_each_distinct_address_is_looked_up_once(lookup: GeoLookup, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    original = lookup.table.lookup

    def counted(addresses: pl.Series) -> object:
        asked.extend(addresses.to_list())
        return original(addresses)

    state = lookup.initial()
    monkeypatch.setattr(lookup.table, "lookup", counted)
    # The second IPv6 address is of the same /64, so the same entity.
    for batch in (["192.0.2.1", "192.0.2.2", "192.0.2.1"], ["192.0.2.2", "2001:db8::1", "2001:db8::2"]):
        rows = lookup.step(state, make_rows(LogType.LOGIN, pl.DataFrame({"src_ip": batch})))
        before = len(asked)
        assert rows.column("user").null_count() == len(rows)
        assert len(asked) == before  # nobody wanted to know yet
        assert rows.column("country").to_list() == rows.frame["country"].to_list()
    assert asked == ["192.0.2.1", "192.0.2.2", "2001:db8::1"]


def test_the_state_saved_is_only_a_version(lookup: GeoLookup) -> None:
    state = lookup.initial()
    lookup.step(state, make_rows(LogType.LOGIN, pl.DataFrame({"src_ip": ["192.0.2.1"]})))
    restored = lookup.from_bytes(lookup.to_bytes(state))
    assert len(restored.memo) == 0
    with pytest.raises(StateVersionError, match="geo: a saved state starts with b'other'"):
        lookup.from_bytes(b"other")
