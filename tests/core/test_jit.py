"""What the marks of kernels promise."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numba
import numpy as np
import pytest
from numpy.typing import NDArray

from livesec.core import jit
from livesec.core.jit import inner_kernel


@inner_kernel
def put_square(out: NDArray[np.int64], place: int, number: int) -> None:
    """Write number^2."""
    out[place] = number * number


@numba.njit()
def squares(out: NDArray[np.int64]) -> None:
    """Not a kernel, since those are found compiled on disk."""
    place = 0
    for number in range(len(out) - 2):
        put_square(out, place, number)
        place += 1
    put_square(out, place, 10)
    put_square(out, place + 1, 20)


def test_an_inner_kernel_is_compiled_once_whatever_constants_it_is_called_with() -> None:
    out = np.zeros(5, dtype=np.int64)
    squares(out)
    assert out.tolist() == [0, 1, 4, 100, 400]
    assert len(numba.typeof(put_square).dispatcher.signatures) == 1  # type: ignore[no-untyped-call]  # has no types


def test_an_inner_kernel_called_from_python_says_so() -> None:
    with pytest.raises(TypeError, match="put_square is an inner kernel: only kernels can call it"):
        put_square(np.zeros(1, dtype=np.int64), 0, 1)
    assert put_square.__doc__ == "Write number^2."


def test_compiled_code_is_kept_by_the_content_of_all_that_it_is_made_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jit, "_PACKAGE", tmp_path)
    (tmp_path / "near").mkdir()
    far, middle, source, other = (tmp_path / name for name in ("far.py", "near/middle.py", "source.py", "other.py"))
    far.write_text("from livesec.near import (\n    middle,\n)\n")  # in a circle
    middle.write_text("from livesec.far import b, c\n")
    source.write_text("from livesec.near import middle\n")
    other.write_text("nothing = 1\n")

    def folder() -> Path:
        jit._imported_by.cache_clear()
        return jit._cache_folder(source)

    before = folder()
    other.write_text("nothing = 2\n")
    assert folder() == before
    far.write_text(far.read_text() + "b = c = 1\n")
    assert folder() != before


def test_no_kernel_loads_linear_algebra() -> None:
    code = (
        "import sys, numpy as np; from livesec.models.forest import _to_scores; "
        "_to_scores(1.0, np.ones(3)); assert 'scipy.linalg' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)})
