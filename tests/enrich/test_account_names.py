"""Names of accounts and hosts in one spelling, by their form alone."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livesec.core.errors import StateVersionError
from livesec.core.rows import make_rows
from livesec.core.schema import LogType
from livesec.enrich.account_names import AccountNames, account_names, host_names

NAMES = st.text(st.sampled_from("aAZÉé.@\\ \x1b$-_1"), max_size=12)


@pytest.mark.parametrize(
    ("written", "named"),
    [
        ("CORP\\Ann", "corp\\ann"),
        ("CORP\\Ann Lee", "corp\\ann lee"),
        (".\\Admin", ".\\admin"),
        ("CORP\\WEB01$", "corp\\web01$"),
        ("Ann@Example.ORG", "ann@example.org"),
        ("ann@example.org.", "ann@example.org"),
        ("ANN+list@example.org", "ann+list@example.org"),
        ("Élise@Exämple.org", "élise@exämple.org"),
        ("host/Web.example.org@EXAMPLE.ORG", "host/web.example.org@example.org"),
    ],
)
def test_names_with_a_domain_have_one_spelling(written: str, named: str) -> None:
    assert account_names(pl.Series([written, "x"])).to_list() == [named, "x"]


@pytest.mark.parametrize(
    "unix",
    ["Ann", "root", "ANN", "a@b@C", "Ann@", "@Example", "A\\B\\C", "\\Ann", "CORP\\", "Ann @x", "A\x1b@x", "X@..", ""],
)
def test_other_names_stay_as_they_are(unix: str) -> None:
    assert account_names(pl.Series([unix])).to_list() == [unix]


def test_hosts_lose_the_dot_of_a_full_name_only() -> None:
    written = ["Web01.example.org.", "Web01", "web..", ".", "", "a b.", None]
    assert host_names(pl.Series(written)).to_list() == ["Web01.example.org", "Web01", "web..", ".", "", "a b.", None]


@settings(deadline=None)
@given(st.lists(st.none() | NAMES, max_size=10))
def test_each_name_depends_on_itself_alone_and_is_named_once(written: list[str | None]) -> None:
    named = account_names(pl.Series(written, dtype=pl.String))
    alone = [account_names(pl.Series([one], dtype=pl.String)).item() for one in written]
    assert named.to_list() == alone
    assert account_names(named).to_list() == alone


def test_rows_get_the_names_and_keep_all_else() -> None:
    rows = make_rows(
        LogType.LOGIN,
        pl.DataFrame(
            {"user": ["CORP\\Ann", "Bob", None], "host": ["a.example.", "b", None], "src_ip": ["192.0.2.1"] * 3}
        ),
    )
    names = AccountNames()
    stepped = names.step(None, rows)
    assert stepped.frame["user"].to_list() == ["corp\\ann", "Bob", None]
    assert stepped.frame["host"].to_list() == ["a.example", "b", None]
    assert stepped.frame.drop("user", "host").equals(rows.frame.drop("user", "host"))
    assert stepped.key("user")[0] != rows.key("user")[0]


def test_rows_of_unix_names_are_not_made_anew() -> None:
    rows = make_rows(LogType.FILE_TRANSFER, pl.DataFrame({"user": ["Ann", "ann"], "host": ["Web", None]}))
    names = AccountNames()
    assert names.step(None, rows) is rows


def test_a_state_of_another_version_is_refused() -> None:
    names = AccountNames()
    names.from_bytes(names.to_bytes(None))
    with pytest.raises(StateVersionError, match="account_names"):
        names.from_bytes(b"account_names 9")
