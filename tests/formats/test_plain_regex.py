"""Plain expressions read as polars reads them."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.examples import examples

from livesec.formats import (
    auditd,
    mikrotik_logins,
    openvpn_log,
    openvpn_peers,
    postfix_sasl,
    rsyncd_messages,
    vsftpd_lines,
)
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
    *(
        (
            regex,
            plain,
            [
                "[ann",
                "] Peer Connection Initiated with ",
                "[AF_INET]",
                "192.0.2.1:1",
                "TLS: Username/Password ",
                "authentication succeeded",
                " for username '",
                "'",
                "/",
                ", ",
                "CN=",
                "a=b",
                "x",
            ],
        )
        for _, regex, plain in openvpn_peers._NAMES
    ),
    (
        mikrotik_logins._LOGIN,
        mikrotik_logins._PLAIN_LOGINS,
        [
            "system,info,account ",
            "a,b: ",
            "login failure for user ",
            "user ",
            "x",
            " logged in",
            " from 192.0.2.1",
            " via ssh",
            " via ",
        ],
    ),
    (vsftpd_lines._HEAD, vsftpd_lines._PLAIN_HEADS, ["[", "] ", "ann", "OK LOGIN", "FTP command", ' Client "']),
    (
        vsftpd_lines._TAIL,
        vsftpd_lines._PLAIN_TAILS,
        [', "', "/a", '"', ", 12 bytes", ", 1.5Kbyte/sec", ", 15Kbyte/sec", "x"],
    ),
    (
        rsyncd_messages._REQUEST,
        rsyncd_messages._PLAIN_REQUESTS,
        ["rsync on ", "rsync to ", "a", " from ", "ann@", "host", " (192.0.2.1)", " (", ")", " "],
    ),
    (
        rsyncd_messages._FAILED,
        rsyncd_messages._PLAIN_FAILURES,
        [
            "auth failed on module ",
            "m",
            " from host",
            " (192.0.2.1)",
            " for ann",
            ": password mismatch",
            ": ",
            '"',
            ': missing secret for user "',
        ],
    ),
    (
        rsyncd_messages._FILE,
        (rsyncd_messages._PLAIN_FILE,),
        ["send ", "del. ", "host", " [192.0.2.1] ", "m", " (ann) ", " (", ")", "a/b", " 12", " "],
    ),
    (
        postfix_sasl._SENT,
        (postfix_sasl._PLAIN_SENT,),
        [
            "4XyZ: client=",
            "host",
            "[192.0.2.1]",
            ":25",
            ", sasl_method=PLAIN",
            ", sasl_username=",
            "ann",
            ",",
            ", sasl_sender=x",
            "é",
        ],
    ),
]


@settings(deadline=None, max_examples=examples(1000))
@given(st.sampled_from(CASES), st.data())
def test_plain_cases_say_what_the_expression_says(
    case: tuple[str, tuple[str, ...], list[str]], data: st.DataObject
) -> None:
    regex, plain, pieces = case
    some = st.lists(st.sampled_from(pieces) | st.text(max_size=2), max_size=8).map("".join)
    column = pl.Series(data.draw(st.lists(some | st.none(), max_size=10)), dtype=pl.String)
    wanted = column.str.extract_groups(regex).struct.unnest().to_dict(as_series=False)
    assert {name: found.to_list() for name, found in groups(column, regex, *plain).items()} == wanted
