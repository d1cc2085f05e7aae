"""Which paths name something sensitive: by words in their parts, and by the names that secrets and dumps go by."""

from __future__ import annotations

import re
from collections.abc import Sequence

import polars as pl

# Password databases, private keys, password files of programs: names as the programs give them, also as a copy.
_SECRET_NAMES = (
    r"g?shadow-?",
    r"master\.passwd",
    r"ntds\.dit",
    r"config[/\\]sam",
    r"id_(?:rsa|dsa|ecdsa|ed25519)",
    r"\.(?:htpasswd|pgpass|netrc|env|git-credentials)",
    r"\.aws[/\\]credentials",
    r"wp-config\.php",
    r"krb5\.keytab",
)
_COPIES = r"(?:~|\.(?:bak|old|orig|copy|txt|zip|gz|\d+))?"
_KEY_FILE_ENDINGS = r"\.(?:kdbx?|pem|pfx|p12|ppk|jks|keystore|keytab)"
_DUMP_ENDINGS = r"\.(?:dump|sql|bak|vhdx?|vmdk)(?:\.(?:gz|xz|zst|bz2|zip|7z))?"


def _pattern(words: Sequence[str]) -> str:
    """A word counts as a whole part of a name, with a plural s: between other signs than letters, or in camel case."""
    rules = [
        rf"(?i:(?:^|[/\\])(?:{'|'.join(_SECRET_NAMES)}){_COPIES}$)",
        rf"(?i:(?:{_KEY_FILE_ENDINGS}|{_DUMP_ENDINGS}){_COPIES}$)",
    ]
    if words:
        lower = "|".join(re.escape(word.lower()) for word in words)
        capital = "|".join(re.escape(word[:1].upper() + word[1:].lower()) for word in words)
        rules += [
            rf"(?i:(?:^|[^a-z])(?:{lower})s?(?:[^a-z]|$))",
            rf"(?:^|[^A-Za-z])(?:{lower})s?[A-Z]",
            rf"(?:[a-z]|^|[^A-Za-z])(?:{capital})s?(?:[^a-z]|$)",
        ]
    return "|".join(rules)


def sensitive_paths(paths: pl.Series, words: Sequence[str]) -> pl.Series:
    """Whether each path (String) names something sensitive; False where it is null.

    >>> names = ["customer_list.csv", "keyboard.png", "/etc/shadow", "SigningKey.pub", "id_rsa.pub", "monkeys.txt"]
    >>> sensitive_paths(pl.Series(names), ("key", "customer")).to_list()
    [True, False, True, True, False, False]
    """
    return paths.str.contains(_pattern(words)).fill_null(False)


def seed_sensitive_paths(paths: pl.Series, words: Sequence[str]) -> pl.Series:
    """The seed's rule: a word anywhere in the path, in either case; False where it is null."""
    if not words:
        return pl.Series([False] * len(paths), dtype=pl.Boolean)
    return paths.str.contains_any(list(words), ascii_case_insensitive=True).fill_null(False)
