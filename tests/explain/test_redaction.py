from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.examples import examples

from livesec.explain.redaction import Redactor
from livesec.explain.secret_patterns import REMOVED, has_secret, without_secrets

FORMATS = Path(__file__).parents[1] / "formats"
NAMES = st.sampled_from(["ann", "Ann.Lee", "db-7", "srv01", "root", "o'neil", "jürgen", "USER_1", "IP_EXT_2"])
PIECES = st.one_of(
    NAMES,
    st.sampled_from(
        ["192.168.1.7", "8.8.8.8", "2001:4860:4860::8888", "fe80::1", "ann@example.org", "CORP\\ann",
         "/home/ann/plan.txt", "C:\\Users\\ann\\x.doc", "00:11:22:33:44:55", "failed", "login",
         "from", "12", "10:30:00", "a.b", "(", ")", ", "]
    ),
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=6),
)  # fmt: skip
TEXTS = st.lists(PIECES, max_size=12).map(" ".join).filter(lambda text: not has_secret(text))


@settings(deadline=None, max_examples=examples(400))
@given(TEXTS)
def test_what_is_redacted_comes_back_but_for_the_spelling_of_names_and_addresses(text: str) -> None:
    redactor = Redactor([("USER", "ann"), ("USER", "Ann.Lee"), ("HOST", "db-7"), ("HOST", "srv01")])
    restored = redactor.restore(redactor.redact(text))
    assert restored.lower() == text.lower()


@settings(deadline=None, max_examples=examples(400))
@given(TEXTS)
def test_no_known_value_and_no_address_is_sent(text: str) -> None:
    known = ["ann", "Ann.Lee", "db-7", "srv01"]
    sent = Redactor([("USER", value) for value in known]).redact(text)
    for value in known:
        assert not re.search(rf"(?<!\w){re.escape(value)}(?!\w)", sent, re.IGNORECASE), sent
    for address in ("192.168.1.7", "8.8.8.8", "2001:4860:4860::8888", "fe80::1"):
        assert not re.search(rf"(?<![\w.:]){re.escape(address)}(?![\w:.])", sent), sent


def test_pseudonyms_are_stable_and_say_inside_or_outside() -> None:
    redactor = Redactor([("USER", "ann")])
    first = redactor.redact("ann from 10.0.0.1 to 8.8.8.8")
    assert first == "USER_1 from IP_INT_1 to IP_EXT_1"
    assert redactor.redact("8.8.8.8 and ANN again, 8.8.4.4") == "IP_EXT_1 and USER_1 again, IP_EXT_2"


def test_a_log_that_writes_pseudonyms_itself_confuses_nobody() -> None:
    redactor = Redactor([("USER", "USER_1"), ("USER", "ann")])
    sent = redactor.redact("USER_1 is not ann")
    assert "ann" not in sent
    assert redactor.restore(sent) == "USER_1 is not ann"
    assert redactor.restore("USER_9") == "USER_9"


SECRETS = [
    "AKIAIOSFODNN7EXAMPLE",
    "ghp_" + "a1B2" * 9,
    "github_pat_" + "a1B2" * 9,
    "xoxb-123456789012-abcdefghijkl",
    "sk-proj-" + "a1B2" * 8,
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
    "$6$saltsalt$" + "abcdefgh" * 8,
    "$2b$12$" + "abcdefgh" * 6,
    "-----BEGIN RSA PRIVATE KEY-----\nMIIabc\n-----END RSA PRIVATE KEY-----",
]


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("around", ["{}", "login of {} failed", "key={}&x=1", '{{"token": "{}"}}'])
def test_secrets_go_and_never_come_back(secret: str, around: str) -> None:
    redactor = Redactor()
    sent = redactor.redact(around.format(secret))
    assert secret not in sent
    assert REMOVED in sent
    assert secret not in redactor.restore(sent)


@pytest.mark.parametrize(
    "text",
    [
        "POST /login?user=ann&password=hunter2 HTTP/1.1",
        "https://ann:hunter2@host.example/x",
        "Authorization: Bearer hunter2",
        "authorization: basic hunter2",
        "api_key: 'hunter2'",
        'client_secret="hunter2"',
    ],
)
def test_passwords_go_by_where_they_stand(text: str) -> None:
    assert "hunter2" not in without_secrets(text)


def test_lines_of_all_formats_are_left_alone_but_for_passwords() -> None:
    seen = set()
    for path in FORMATS.glob("*.log"):
        for raw in path.read_bytes().splitlines():
            line = raw.decode("utf-8", "replace")
            if not line.startswith("#") and has_secret(line):
                seen.add(path.name)
    # What a honeypot and anonymous FTP were given as passwords; samba_auth has a line "Authorization: ..." in words.
    assert seen == {"cowrie.log", "zeek_ftp.log", "samba_auth.log"}


def test_many_names_in_one_text_are_not_mixed_up_with_names_that_are_figures() -> None:
    redactor = Redactor([("USER", "10"), ("USER", "11")])
    text = " ".join(f"u{number}@example.org" for number in range(15)) + " 10 11"
    sent = redactor.redact(text)
    assert redactor.restore(sent) == text
    assert "MAIL_15 USER_1 USER_2" in sent


@pytest.mark.parametrize(
    "name", ["ann lee", "a\\x1b[31mlee", "x=(ann)", "CORP\\ann", "ann@example.org", "/home/ann/x y"]
)
def test_odd_names_are_replaced_as_a_whole(name: str) -> None:
    redactor = Redactor([("USER", name)])
    sent = redactor.redact(f"login of {name} failed")
    assert re.fullmatch(r"login of (?:USER|MAIL|PATH)_1 failed", sent)
    assert redactor.restore(sent) == f"login of {name} failed"


def test_a_name_around_a_secret_is_no_name_any_more() -> None:
    redactor = Redactor([("USER", "ann password=hunter2 lee")])
    assert redactor.redact("by ann password=hunter2 lee.") == "by USER_1."
