"""numba tells the tuples that kernels are given apart by the names of class and fields only."""

from __future__ import annotations

from collections import defaultdict
from importlib import import_module
from pkgutil import iter_modules

import livesec.baselines


def test_no_two_classes_of_tuples_look_alike() -> None:
    homes = defaultdict(set)
    for module in iter_modules(livesec.baselines.__path__, "livesec.baselines."):
        for value in vars(import_module(module.name)).values():
            if isinstance(value, type) and issubclass(value, tuple) and hasattr(value, "_fields"):
                homes[value.__name__, value._fields].add(value.__module__)
    assert "livesec.baselines.kernel_rows" in homes["AmountRows", ("keys", "times_us", "amounts", "addresses")]
    assert {name: modules for name, modules in homes.items() if len(modules) > 1} == {}
