"""What a firewall did, told by the words that administrators put into the log prefixes of its rules."""

from __future__ import annotations

from typing import Final

import polars as pl

from livesec.core.schema import VERDICT

_DENIES: Final = r"(?i)block|drop|reject|den(?:y|ied)"
_ALLOWS: Final = r"(?i)accept|allow|pass"


def verdict(prefixes: pl.Series) -> pl.Series:
    """What each prefix says that happened, null where it does not say; of two contrary words the denial.

    >>> verdict(pl.Series(["[UFW BLOCK] ", "ACCEPT-ssh", "fw: ", "allow, else drop"])).to_list()
    ['deny', 'allow', None, 'deny']
    """
    distinct = prefixes.unique()
    meant = pl.select(
        pl.when(distinct.str.contains(_DENIES))
        .then(pl.lit("deny"))
        .when(distinct.str.contains(_ALLOWS))
        .then(pl.lit("allow"))
    ).to_series()
    return prefixes.replace_strict(distinct, meant, default=None, return_dtype=pl.String).cast(VERDICT)
