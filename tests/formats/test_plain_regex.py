"""Plain expressions read as polars reads them."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livesec.formats import auditd, openvpn_log, openvpn_peers
from livesec.formats.plain_regex import groups, plain_groups

REGEXES = [
    r"^(?P<a>.*)$",
    r"^(?P<a>[^ ]+) (?P<b>x*)y?(?P<c>[0-9]{1,2})$",
    r'^"(?P<a>.*)" (?P<b>[0-9]+)$',
    r"^(?P<a>[ 0-9]?[0-9])\.(?P<b>[^\[\]()]*)\](?P<c>.+)$",
    r"^x{2}(?P<a>(?P<b>[a-z]+)-[A-F0-9]*)$",
]
TEXTS = st.text(st.sampled_from('xyaé019 ."[]()-\n'), max_size=16)
STARTS = st.sampled_from(['"', "", "xx", "1.", "x "])


@settings(deadline=None, max_examples=300)
@given(st.sampled_from(REGEXES), st.lists(st.builds(str.__add__, STARTS, TEXTS) | st.none(), max_size=12))
def test_groups_are_those_of_the_expression(regex: str, texts: list[str | None]) -> None:
    column = pl.Series(texts, dtype=pl.String)
    wanted = column.str.extract_groups(regex).struct.unnest()
    assert {name: found.to_list() for name, found in plain_groups(column, regex).items()} == wanted.to_dict(
        as_series=False
    )


@pytest.mark.parametrize("regex", ["a$", "^a", "^(?:a|b)$", "^(?P<a>.*),(?P<b>.*)$", "^(?P<a>a)?$", "^\\d$", "^é$"])
def test_others_are_refused(regex: str) -> None:
    with pytest.raises(ValueError, match=r"plain|ASCII|repetition"):
        plain_groups(pl.Series(["a"]), regex)


HEAD = "type=USER_LOGIN msg=audit(1772409600.123:456): "
CASES = [
    (
        auditd._HEAD,
        auditd._PLAIN_HEADS,
        ["type=A ", "UNKNOWN[1]", "node=a ", HEAD, "msg=audit(", "1.5:6", ": "],
    ),
    (auditd._BODY, auditd._PLAIN_BODIES, ["user ", "pid=7 ", "msg='", "'", "auid=1 ", "x"]),
    (
        openvpn_peers._BEFORE,
        openvpn_peers._PLAIN_BEFORE,
        [
            "192.0.2.1",
            ":",
            "44 ",
            "2001:db8::1",
            "[",
            "]",
            "ann/",
            "udp4:",
            "tcp-server:",
            ".",
            "é ",
            "\u00a0",
            "1:2 a",
        ],
    ),
    (
        openvpn_log._PARTS,
        openvpn_log._PLAIN_PARTS,
        ["2026-03-02 10:00:00 ", "Mon Mar  2 10:00:00 2026 ", "Mon ", "us=123 ", "us=", "vpn", "TLS: ", "é", " "],
    ),
]


@settings(deadline=None, max_examples=400)
@given(st.sampled_from(CASES), st.data())
def test_plain_cases_say_what_the_expression_says(
    case: tuple[str, tuple[str, ...], list[str]], data: st.DataObject
) -> None:
    regex, plain, pieces = case
    some = st.lists(st.sampled_from(pieces) | st.text(max_size=2), max_size=8).map("".join)
    column = pl.Series(data.draw(st.lists(some | st.none(), max_size=10)), dtype=pl.String)
    wanted = column.str.extract_groups(regex).struct.unnest().to_dict(as_series=False)
    assert {name: found.to_list() for name, found in groups(column, regex, *plain).items()} == wanted
