"""The files of the demo organisation: names, folders and sizes by department."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from livesec.simulate.people import ROLES
from livesec.simulate.randomness import FloatArray, IntArray, generator

FILES_PER_ROLE: Final = 400

# Per department: folders, subjects, and extensions with their shares. Some subjects hold words that the
# settings call sensitive: finance and people who serve customers touch such files every day, which is what
# makes the word alone weak.
_VOCABULARY: Final[dict[str, tuple[str, str, dict[str, float]]]] = {
    "engineering": (
        "projects/atlas projects/borealis builds designs notes",
        "spec design build release benchmark module interface schema test_plan api_key_rotation review",
        {"md": 3, "py": 3, "json": 2, "pdf": 1, "zip": 1, "png": 1, "log": 2},
    ),
    "sales": (
        "offers accounts contracts sales/reports",
        "offer quote customer_list contract pipeline forecast visit_report price_list tender",
        {"docx": 3, "pdf": 4, "xlsx": 3, "pptx": 2},
    ),
    "finance": (
        "finance/invoices finance/closing finance/payroll finance/planning",
        "invoice budget forecast payroll ledger financial_report balance tax customer_balance payment_run",
        {"xlsx": 6, "pdf": 4, "csv": 2},
    ),
    "hr": (
        "hr/applications hr/contracts hr/training",
        "application cv contract confidential_review training absence onboarding salary_band",
        {"pdf": 5, "docx": 4, "xlsx": 1},
    ),
    "marketing": (
        "campaigns media events website",
        "banner clip brochure newsletter photo_set landing_page press trade_fair customer_story",
        {"png": 4, "jpg": 4, "mp4": 2, "psd": 1, "pdf": 2, "pptx": 2},
    ),
    "operations": (
        "ops/runbooks ops/inventory ops/logs ops/config",
        "runbook inventory change config security_audit firewall_export capacity incident backup_report",
        {"md": 2, "yaml": 3, "csv": 2, "log": 3, "txt": 2, "zip": 1},
    ),
    "support": (
        "tickets knowledge recordings",
        "ticket guide customer_export transcript recording checklist faq screenshot",
        {"pdf": 3, "docx": 2, "png": 4, "csv": 1, "mp3": 1},
    ),
}

# Median bytes by extension, and the spread of its logarithm.
_SIZES: Final[dict[str, tuple[float, float]]] = {
    "md": (9e3, 0.9), "py": (7e3, 0.9), "json": (3e4, 1.4), "yaml": (5e3, 0.8), "txt": (8e3, 1.2),
    "log": (9e5, 1.5), "csv": (3e5, 1.5), "xlsx": (1.2e5, 1.1), "docx": (2.2e5, 1.0), "pdf": (6e5, 1.2),
    "pptx": (4e6, 0.9), "png": (9e5, 1.1), "jpg": (2.5e6, 0.8), "psd": (7e7, 0.8), "zip": (1.8e7, 1.3),
    "mp3": (9e6, 0.6), "mp4": (1.6e8, 0.9),
}  # fmt: skip
_QUARTERS: Final = ("q1", "q2", "q3", "q4", "2024", "2025", "draft", "final", "v2", "v3")


@dataclass(frozen=True)
class FileCatalogue:
    """FILES_PER_ROLE files of each role, role after role: file i of role r is at r * FILES_PER_ROLE + i."""

    names: pl.Series
    stems: pl.Series
    """The names without their extension."""
    extensions: pl.Series
    bytes: FloatArray
    """Usual size of each file."""

    def personal(self, role: IntArray, user: IntArray, rank: IntArray) -> IntArray:
        """The index of the file that is number `rank` in the habits of each user of a role."""
        start = (user * 97 + 13) % FILES_PER_ROLE
        step = 2 * ((user * 31) % (FILES_PER_ROLE // 2 - 3)) + 1
        step = np.where(step % 5 == 0, step + 2, step)  # coprime to 400, so every rank is another file
        own: IntArray = role * FILES_PER_ROLE + (start + step * rank) % FILES_PER_ROLE
        return own


def build_files(seed: int) -> FileCatalogue:
    """The same catalogue for the same seed."""
    random = generator(seed, "files")
    stems: list[str] = []
    extensions: list[str] = []
    medians: list[float] = []
    spreads: list[float] = []
    for role in ROLES:
        folder_words, subject_words, shares = _VOCABULARY[role]
        folders, subjects = folder_words.split(), subject_words.split()
        weights = np.array(list(shares.values())) / sum(shares.values())
        for number, extension in enumerate(random.choice(list(shares), size=FILES_PER_ROLE, p=weights).tolist()):
            folder = folders[random.integers(len(folders))]
            subject = subjects[random.integers(len(subjects))]
            stems.append(f"{folder}/{subject}_{_QUARTERS[random.integers(len(_QUARTERS))]}_{number:03d}")
            extensions.append(extension)
            medians.append(_SIZES[extension][0])
            spreads.append(_SIZES[extension][1])
    sizes = np.array(medians) * np.exp(random.normal(0.0, 1.0, len(medians)) * np.array(spreads))
    return FileCatalogue(
        names=pl.Series([f"{stem}.{extension}" for stem, extension in zip(stems, extensions, strict=True)]),
        stems=pl.Series(stems),
        extensions=pl.Series(extensions),
        bytes=np.maximum(sizes, 120.0),
    )
