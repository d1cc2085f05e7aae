"""Finds formats, detectors and the like: every module of a package that exports the agreed name."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from functools import cache
from types import ModuleType

from livesec.core.errors import ContractError


def _modules(package_name: str) -> Iterator[ModuleType]:
    package = importlib.import_module(package_name)
    for info in sorted(pkgutil.walk_packages(package.__path__, package_name + "."), key=lambda item: item.name):
        if not info.ispkg:
            yield importlib.import_module(info.name)


@cache
def exported(package_name: str, attribute: str) -> dict[str, object]:
    """Name to exported object for each module under `package_name` that has `attribute`, sorted by name.

    The object's own `name` must be its module's name, so that file, fixture and reason code
    agree. Raises ContractError.
    """
    found: dict[str, object] = {}
    for module in _modules(package_name):
        thing = getattr(module, attribute, None)
        if thing is None:
            continue
        name, stem = getattr(thing, "name", None), module.__name__.rpartition(".")[2]
        if name != stem:
            raise ContractError(f"{module.__name__} exports {attribute} named {name!r}; it must be named {stem!r}")
        if name in found:
            raise ContractError(f"two modules under {package_name} export {attribute} {name!r}")
        found[name] = thing
    return dict(sorted(found.items()))
