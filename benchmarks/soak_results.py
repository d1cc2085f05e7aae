"""What a soak found, as a table and as a record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.table import Table
from rich.text import Text

from benchmarks.soak_accounts import Accounts
from benchmarks.soak_anomalies import Comparison

SHOWN = 3
"""Examples of each kind of difference."""


@dataclass(frozen=True)
class Results:
    """Accounts and comparisons, and what was done to the daemon and its files meanwhile."""

    accounts: Accounts
    comparisons: Sequence[Comparison]
    events: Mapping[str, int]
    kills: int
    catch_up_s: float
    exit_code: int
    unplaced: int
    """Anomalies of the soaked store that belong to no file."""

    @property
    def compared(self) -> list[Comparison]:
        """Those of files that no gap touched."""
        touched = {account.name for account in self.accounts.files if account.gaps}
        return [item for item in self.comparisons if item.name not in touched]

    @property
    def is_kept(self) -> bool:
        """Whether every promise was kept, and the daemon ended well."""
        return not self.problems()

    def problems(self) -> list[str]:
        """What is wrong, in sentences with examples."""
        accounts = self.accounts
        found = [
            f"{account.name}: {account.written:,} lines written, {account.stored:,} stored, {account.in_gaps:,} in gaps"
            for account in accounts.files
            if not account.is_balanced
        ]
        stored = sum(account.stored for account in accounts.files)
        if stored != accounts.store_total:
            found.append(f"the store counted {accounts.store_total:,} lines, its offsets say {stored:,}")
        if self.unplaced:
            found.append(f"{self.unplaced:,} anomalies have no evidence that tells their file")
        found += [f"a gap of no generation that was written: {text}" for text in accounts.strangers]
        for item in self.compared:
            for word, which in (("missing", item.missing), ("extra", item.extra), ("evidence of", item.other_evidence)):
                if which:
                    examples = "; ".join(" ".join(one[:4]) for one in which[:SHOWN])
                    found.append(f"{item.name}: {word} {len(which)} anomalies ({examples})")
        if self.exit_code:
            found.append(f"the daemon ended with {self.exit_code}")
        return found

    def figures(self) -> dict[str, float]:
        """The numbers by name."""
        files = self.accounts.files
        return {
            "files": len(files),
            "lines written": sum(account.written for account in files),
            "lines stored": self.accounts.store_total,
            "lines in gaps": sum(account.in_gaps for account in files),
            "gap rows": sum(len(account.gaps) for account in files) + len(self.accounts.strangers),
            "kills": self.kills,
            **self.events,
            "seconds to catch up": round(self.catch_up_s, 1),
            "files compared with a replay": len(self.compared),
            "anomalies equal": sum(item.equal for item in self.compared),
            "anomalies missing": sum(len(item.missing) for item in self.compared),
            "anomalies extra": sum(len(item.extra) for item in self.compared),
            "anomalies with other evidence": sum(len(item.other_evidence) for item in self.compared),
        }

    def as_record(self) -> dict[str, Any]:
        """For --json."""
        gaps = {account.name: account.gaps for account in self.accounts.files if account.gaps}
        return {"is_kept": self.is_kept, "figures": self.figures(), "problems": self.problems(), "gaps": gaps}


def table_of(results: Results) -> Table:
    """The figures, then what is wrong."""
    verdict = "[green]every promise kept" if results.is_kept else "[red]a promise is broken"
    table = Table(title=f"Soak: {verdict}", title_justify="left")
    table.add_column("")
    table.add_column("", justify="right")
    for name, value in results.figures().items():
        table.add_row(name, f"{value:,}")
    for text in results.problems():
        table.add_row(Text(text, style="red"), "")
    for account in results.accounts.files:
        for gap in account.gaps:
            table.add_row(Text(f"gap in {account.name}: {gap}", style="yellow"), "")
    return table
