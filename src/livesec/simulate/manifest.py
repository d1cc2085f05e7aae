"""`.livesec-demo.json`: which files in a folder the demo made, and of which world."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, ValidationError

from livesec.core.errors import DemoError

FILE_NAME: Final = ".livesec-demo.json"
_VERSION: Final = 1
_HEAD_BYTES: Final = 4096  # enough for the header and the first rows, which appending never changes

Head = tuple[int, str]
"""The number and the SHA-256 of a file's first bytes."""


@dataclass(frozen=True)
class Manifest:
    """The world that a folder's files belong to, and the heads by which each file is known."""

    seed: int
    users: int
    rate: float
    heads: Mapping[str, tuple[Head, ...]]


class _Document(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=False)

    version: int
    seed: int
    users: int
    rate: float
    files: dict[str, tuple[Head, ...]]


def head_of(data: bytes) -> Head:
    r"""The head by which a file that begins with `data` is known.

    >>> head_of(b"a,b\n")[0]
    4
    """
    first = data[:_HEAD_BYTES]
    return len(first), hashlib.sha256(first).hexdigest()


def read_manifest(folder: Path) -> Manifest | None:
    """The manifest of a folder, or None where there is none; DemoError where it cannot be understood."""
    path = folder / FILE_NAME
    try:
        document = _Document.model_validate_json(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except ValidationError as error:
        raise DemoError(f"{path}: not a manifest of the demo; choose another folder with --out FOLDER") from error
    if document.version != _VERSION:
        raise DemoError(f"{path}: made by another version ({document.version}); delete the demo's files in this folder")
    return Manifest(document.seed, document.users, document.rate, document.files)


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write the manifest of a folder in one step."""
    document = {
        "version": _VERSION,
        "seed": manifest.seed,
        "users": manifest.users,
        "rate": manifest.rate,
        "files": manifest.heads,
    }
    temporary = folder / f"{FILE_NAME}.new"
    temporary.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    os.replace(temporary, folder / FILE_NAME)
