"""The one way a function becomes compiled code: typed, cached on disk, the GIL released, no reassociated floats."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec, TypeVar, cast

import numba

P = ParamSpec("P")
R = TypeVar("R")


def _cache_folder() -> Path:
    """Where compiled kernels are kept: a folder per content of the kernels' sources.

    numba looks only at a kernel's own file, not at those it calls; a changed `touch` would leave stale callers behind.
    """
    package = Path(__file__).parents[1]
    digest = hashlib.sha256(numba.__version__.encode())
    for folder in ("core", "baselines", "enrich", "formats"):
        for source in sorted((package / folder).glob("*.py")):
            digest.update(source.read_bytes())
    root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return root / "livesec" / f"kernels-{digest.hexdigest()[:16]}"


_numba_settings = cast(dict[str, str], vars(numba.config))  # made when numba is imported: no type names them
if not os.environ.get("NUMBA_CACHE_DIR"):
    _numba_settings["CACHE_DIR"] = str(_cache_folder())


def forget_old_kernels() -> None:
    """Delete the compiled kernels of other versions; called by the set-up's warm-up."""
    current = Path(_numba_settings["CACHE_DIR"])
    for folder in current.parent.glob("kernels-*"):
        if folder != current:
            shutil.rmtree(folder, ignore_errors=True)


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile `function` with numba on its first call and keep the machine code on disk.

    fastmath stays off: sums must come out bit for bit alike however the rows were cut into batches. Kernels may not
    make arrays: without numba's runtime (_nrt) no reference is counted, which made `touch` ten times faster (105 to
    11 ns).
    """
    compile_ = numba.njit(cache=True, nogil=True, error_model="numpy", _nrt=False)  # type: ignore[call-overload]  # _nrt is untyped
    return cast(Callable[P, R], compile_(function))
