"""Formats that read most lines by plain expressions say what regular expressions say of all."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.examples import examples

from livesec.core.schema import LogType
from livesec.formats import auditd, postfix_sasl, proftpd_messages

QUIET = settings(deadline=None, max_examples=examples(300))


def texts_of(pieces: str) -> st.SearchStrategy[list[str]]:
    some = st.sampled_from(pieces.split("|")) | st.text(max_size=2)
    return st.lists(st.lists(some, max_size=9).map("".join), min_size=1, max_size=10)


RECORD = (
    'op=login |op=PAM:authentication |PAM: authentication |grantors=? |id=0 |acct="ann" |acct="|acct=6162 |acct=616 |'
    'exe="|/usr/sbin/sshd|" |sshd|hostname=? |addr=192.0.2.1 |addr=|terminal=ssh |res=success|res=failed|res=1|'
    "result=Success)| |é"
)
USUAL = st.builds(
    'op={} {}exe="{}" hostname={} addr={} terminal=ssh res={}'.format,
    *(
        st.sampled_from(some.split("|"))
        for some in ("login|PAM:a|x=", '|id=0 |acct="a" |acct=61 |acct=616 |grantors=a ')
    ),
    *(st.sampled_from(some.split("|")) for some in ("/a/b|b|/b/|", "?| addr=1", "192.0.2.1|?|x,", "success|1|fail| ")),
)


@QUIET
@given(texts_of(RECORD), st.lists(USUAL, max_size=5))
def test_audit_records(texts: list[str], usual: list[str]) -> None:
    column = pl.Series(texts + usual, dtype=pl.String)
    said = column.str.strip_chars_end()
    named = said.str.extract(auditd._ACCOUNT)
    wanted = {
        "exe": said.str.extract(r'\bexe="(?:[^"]*/)?([^"/]+)"'),
        "addr": said.str.extract(r"\baddr=([^\s,)]+)"),
        "result": said.str.extract(auditd._RESULT).str.to_lowercase(),
        "op": said.str.extract(r"\bop=(\S+)|^(PAM)", 1).fill_null("PAM"),
        "account": named.zip_with(named.is_not_null(), auditd._decoded(said.str.extract(auditd._HEX_ACCOUNT))),
    }
    assert auditd._said(column).select(*wanted).to_dict(as_series=False) == pl.DataFrame(wanted).to_dict(
        as_series=False
    )


FAILURE = (
    "warning: |host[192.0.2.1]|[|]:25|: SASL |LOGIN| authentication failed|: | authentication aborted|VXNl|=|, |"
    "sasl_username=|ann|connection lost to authentication server"
)


@QUIET
@given(
    texts_of(FAILURE), st.lists(st.sampled_from(["", "LOGIN authentication failed: ", "x, sasl_username="]), max_size=3)
)
def test_smtp_failures(texts: list[str], more: list[str]) -> None:
    start = "warning: host[192.0.2.1]: SASL LOGIN authentication failed"
    lines = pl.DataFrame({"message": [*texts, *(start + text for text in texts), *more]}, {"message": pl.String})
    lines = lines.with_row_index("line_index")
    found = postfix_sasl._failures(lines).rows()
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(postfix_sasl, "_PLAIN_FAILED", (r"^(?P<user>none of these)$",))
        assert postfix_sasl._failures(lines).rows() == found


FTP = (
    "USER |ANON |ann|: no such user found|: user is not a UserAlias| from host [192.0.2.1] to a| (Login failed): |"
    "Incorrect password|Invalid shell: '/a'|User in /a|: Limit access denies login|: Login successful|.| |'|(|[|]"
)
FORMS = (
    r"^USER (.*): (?:no such user found|user is not a UserAlias) from [^ ]+ \[[^ \]]+\] to [^ ]+ *$",
    r"^(?:USER|ANON) (.*) \(Login failed\): (?:[A-Za-z' ,.]*|Invalid shell: '[^' ]*'|User in [^ ]+)$",
    r"^(?:USER|ANON) (.*): (?:Limit access|AnonRejectPasswords) denies login\.?$",
    r"^(?:USER|ANON) (.*): Login successful\.?$",
)


@QUIET
@given(texts_of(FTP))
def test_ftp_logins(texts: list[str]) -> None:
    messages = ["host (host[192.0.2.1]) - " + text.replace("\n", "") for text in texts]
    lines = pl.DataFrame(
        {"event_time_us": 0, "host": "h", "pid": 1, "message": messages}, schema_overrides={"message": pl.String}
    ).with_row_index("line_index")
    rows = proftpd_messages.read_messages(lines).rows[LogType.LOGIN]
    said = pl.Series([message.split(" - ", 1)[1] for message in messages], dtype=pl.String)
    named = pl.select(pl.coalesce(*(said.str.extract(form) for form in FORMS))).to_series()
    wanted = [(row, name or None) for row, name in enumerate(named) if name is not None]
    assert rows.select("line_index", "user").rows() == wanted
