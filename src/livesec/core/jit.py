"""The one way a function becomes compiled code: typed, cached on disk, the GIL released, no reassociated floats."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cache, update_wrapper
from pathlib import Path
from typing import NoReturn, ParamSpec, TypeVar, cast

import numba
import numba.np.linalg
from numba import types
from numba.core.dispatcher import Dispatcher

_MONTH_S = 30 * 86_400

P = ParamSpec("P")
R = TypeVar("R")


_IMPORT = re.compile(r"^from (livesec(?:\.\w+)*) import (?:\(([^)]*)\)|(.*))", re.MULTILINE)
_PACKAGE = Path(__file__).parents[1]


@cache
def _imported_by(source: Path) -> tuple[Path, ...]:
    """The sources of this package that `source` imports from."""
    found = []
    for module, several, one in _IMPORT.findall(source.read_text("utf-8")):
        place = _PACKAGE.joinpath(*module.split(".")[1:])
        names = [name.split()[0] for name in (several or one).split(",") if name.strip()]
        found += [
            path for path in (place.with_suffix(".py"), *(place / f"{name}.py" for name in names)) if path.exists()
        ]
    return tuple(found)


def _cache_folder(source: Path) -> Path:
    """Where the kernels of `source` are kept: a folder per content of it and of all that it imports, near and far.

    numba looks only at a kernel's own file, not at those it calls; a changed `touch` would leave stale callers behind.
    """
    near = {source}
    waiting = [source]
    while waiting:
        new = set(_imported_by(waiting.pop())) - near
        near |= new
        waiting += new
    digest = hashlib.sha256(numba.__version__.encode())
    for path in sorted(near):
        digest.update(path.read_bytes())
    root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return root / "livesec" / f"kernels-{digest.hexdigest()[:16]}"


def _no_linear_algebra() -> NoReturn:
    raise ImportError("kernels here use none")


# numba would load scipy.linalg before the first kernel to see whether it could multiply matrices: 0.2 s and 14 MB.
vars(numba.np.linalg)["ensure_blas"] = _no_linear_algebra

_numba_settings = cast(dict[str, str], vars(numba.config))  # made when numba is imported: no type names them
_in_use: set[Path] = set()


def _keep_in_its_folder(source: Path) -> None:
    """Let numba keep the next function's machine code where no other version of `source` finds it."""
    if not os.environ.get("NUMBA_CACHE_DIR"):
        folder = _cache_folder(source)
        _in_use.add(folder)
        _numba_settings["CACHE_DIR"] = str(folder)


def forget_old_kernels() -> None:
    """Delete compiled kernels that nobody has used for a month; called by the set-up's warm-up.

    Younger ones may belong to another checkout or version that runs now.
    """
    for folder in _in_use:
        if folder.is_dir():
            os.utime(folder)
    for root in {folder.parent for folder in _in_use}:
        for folder in root.glob("kernels-*"):
            if folder not in _in_use and time.time() - folder.stat().st_mtime > _MONTH_S:
                shutil.rmtree(folder, ignore_errors=True)


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile `function` with numba on its first call and keep the machine code on disk.

    fastmath stays off: sums must come out bit for bit alike however the rows were cut into batches. Kernels may not
    make arrays: without numba's runtime (_nrt) no reference is counted, which made `touch` ten times faster (105 to
    11 ns).
    """
    _keep_in_its_folder(Path(function.__code__.co_filename))
    compile_ = numba.njit(cache=True, nogil=True, error_model="numpy", _nrt=False, no_cfunc_wrapper=True)  # type: ignore[call-overload]  # untyped options
    return cast(Callable[P, R], _once_per_type(compile_(function)))


def inner_kernel(function: Callable[P, R]) -> Callable[P, R]:
    """As `kernel`, for a function that only kernels call; from Python it raises TypeError.

    It gets no way in from Python, which takes numba as long as the function itself, and no file: its machine code is
    a part of its callers'.
    """
    compile_ = numba.njit(error_model="numpy", _nrt=False, no_cfunc_wrapper=True, no_cpython_wrapper=True)  # type: ignore[call-overload]  # untyped options
    return cast(Callable[P, R], _InnerKernel(_once_per_type(compile_(function))))


class _InnerKernel:
    """Stands for an inner kernel in Python: numba looks through it, where a call would go to address 0."""

    def __init__(self, compiled: Dispatcher) -> None:
        self._compiled = compiled
        update_wrapper(self, compiled.py_func)

    @property
    def _numba_type_(self) -> types.Dispatcher:
        """What numba calls in place of this object."""
        return self._compiled._numba_type_

    def __call__(self, *_args: object, **_kwargs: object) -> NoReturn:
        name = self._compiled.py_func.__qualname__
        raise TypeError(f"{name} is an inner kernel: only kernels can call it; @kernel makes it callable from Python")


def _once_per_type(compiled: Dispatcher) -> Dispatcher:
    """Keep numba from compiling `compiled` anew for each constant that kernels call it with.

    It would for `push(ring, 0)` and `push(ring, 1)`, and for a counter of rows, which is the constant 0 at first.
    """
    resolve = compiled.get_call_template
    type_of = cast(Callable[[types.Type], types.Type], types.unliteral)

    def resolve_by_type(args: Sequence[types.Type], kws: Mapping[str, types.Type]) -> object:
        return resolve([type_of(arg) for arg in args], {name: type_of(arg) for name, arg in kws.items()})

    vars(compiled)["get_call_template"] = resolve_by_type
    return compiled
