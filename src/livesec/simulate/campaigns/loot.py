"""Files as thieves take them: names, sizes and moments of a victim's own or of sensitive files."""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from livesec.simulate.files import FILES_PER_ROLE
from livesec.simulate.randomness import FloatArray
from livesec.simulate.stage import Person, Setting

_SENSITIVE: Final = (
    "finance/payroll/salary_all.xlsx",
    "finance/closing/financial_report_confidential.pdf",
    "crm/customer_full_export.csv",
    "crm/customer_contracts.zip",
    "hr/contracts/confidential_reviews.zip",
    "ops/security/firewall_rules.csv",
    "ops/security/password_vault.kdbx",
    "projects/atlas/secret_roadmap.pptx",
    "projects/borealis/signing_key.pem",
    "backup/db01_customer.dump",
)


def own_files(setting: Setting, person: Person, count: int) -> pl.Series:
    """Names of `count` files that this person works with every day, most used first."""
    files = setting.world.files
    one = np.zeros(count, dtype=np.int64)
    return files.names.gather(files.personal(one + person.role, one + person.number, np.arange(count) % FILES_PER_ROLE))


def sensitive_files(count: int) -> pl.Series:
    """`count` names that would make anyone look twice; numbered after the first round."""
    rounds, subject = np.divmod(np.arange(count), len(_SENSITIVE))
    names = [
        _SENSITIVE[s] if r == 0 else f"{_SENSITIVE[s]}.{r:03d}"
        for r, s in zip(rounds.tolist(), subject.tolist(), strict=True)
    ]
    return pl.Series(names, dtype=pl.String)


def sizes(setting: Setting, count: int, median_bytes: float, spread: float = 0.5) -> pl.Series:
    """`count` sizes around a median."""
    drawn: FloatArray = setting.random.lognormal(np.log(median_bytes), spread, count)
    return pl.Series(drawn.astype(np.int64))
