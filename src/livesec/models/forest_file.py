"""The file of a packet forest: a zip of arrays as numpy writes them (.npz), read without trusting it.

    header      uint8, JSON: format, version, features, offset, unit, tail, middle, trained_on, samples,
                sklearn_version, sha256
    roots       int32 (trees,)
    feature     int8 (nodes,), threshold float64, left int32, right int32, depth float64: see models/forest.py

`sha256` is over the arrays' bytes in that order: it finds damage. Who writes the file is believed no further than its
numbers reach: no pickle is read, sizes are bounded, children stand behind their parents, so that every path ends.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from livesec.core.errors import SettingsError
from livesec.models.forest import LEAF, Forest
from livesec.models.packet_forest import FEATURES, PacketForest
from livesec.models.score_tail import ScoreTail

FORMAT: Final = "livesec packet forest"
VERSION: Final = 1
MAX_NODES: Final = 1 << 20  # 100 trees over 256 samples have 51,100 at most
MAX_HEADER_BYTES: Final = 1 << 16
_ARRAYS: Final[Mapping[str, type[np.generic]]] = {
    "roots": np.int32,
    "feature": np.int8,
    "threshold": np.float64,
    "left": np.int32,
    "right": np.int32,
    "depth": np.float64,
}
_NEXT: Final = "make it anew with `livesec lab train --model packet_forest`"


def save(model: PacketForest, path: Path) -> None:
    """Write `model`; what is at `path` is there whole or not at all. Raises OSError."""
    arrays = {name: np.ascontiguousarray(getattr(model.forest, name), dtype) for name, dtype in _ARRAYS.items()}
    head = {
        "format": FORMAT,
        "version": VERSION,
        "features": FEATURES,
        "offset": model.offset,
        "unit": model.forest.unit,
        "tail": asdict(model.tail),
        "middle": model.middle,
        "trained_on": model.trained_on,
        "samples": model.samples,
        "sklearn_version": model.sklearn_version,
        "sha256": _digest(arrays),
    }
    header = np.frombuffer(json.dumps(head).encode(), dtype=np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(path.name + ".new")
    with open(new, "wb") as file:
        np.savez_compressed(file, allow_pickle=False, header=header, **arrays)
        file.flush()
        os.fsync(file.fileno())
    os.replace(new, path)


def load(path: Path) -> PacketForest:
    """The model in `path`. Raises SettingsError that says what is wrong with the file."""
    try:
        with zipfile.ZipFile(path) as archive:
            header = _array(archive, "header", np.uint8, MAX_HEADER_BYTES)
            arrays = {name: _array(archive, name, dtype, MAX_NODES) for name, dtype in _ARRAYS.items()}
        return _model(json.loads(header.tobytes()), arrays)
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read ({error.strerror or error}); {_NEXT}") from error
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise SettingsError(f"{path}: no packet forest, or a damaged one ({error}); {_NEXT}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise SettingsError(f"{path}: no packet forest that can be used: {error}; {_NEXT}") from error


def _digest(arrays: Mapping[str, NDArray[Any]]) -> str:
    digest = hashlib.sha256()
    for name in _ARRAYS:
        digest.update(arrays[name].tobytes())
    return digest.hexdigest()


def _array(archive: zipfile.ZipFile, name: str, dtype: type[np.generic], most: int) -> NDArray[Any]:
    """The member `name`, one-dimensional, of `dtype`. Raises KeyError where it is missing, ValueError for another."""
    with archive.open(f"{name}.npy") as member:
        shape, found = _shape(member)
        if found != np.dtype(dtype) or len(shape) != 1 or not 0 < shape[0] <= most:
            raise ValueError(
                f"{name} is {found} of shape {shape}; expected {np.dtype(dtype)}, at most {most:,} of them"
            )
        size = shape[0] * found.itemsize
        content = member.read(size + 1)
    if len(content) != size:
        raise ValueError(f"{name} has {len(content):,} bytes and should have {size:,}")
    return np.frombuffer(content, dtype=dtype)


def _shape(member: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any]]:
    version = npy.read_magic(member)
    if version != (1, 0):
        raise ValueError(f"an array of .npy version {version}; expected (1, 0)")
    shape, _, found = npy.read_array_header_1_0(member)
    return shape, found


def _model(head: Any, arrays: Mapping[str, NDArray[Any]]) -> PacketForest:
    if not isinstance(head, dict) or head.get("format") != FORMAT:
        raise ValueError(f"its header does not say {FORMAT!r}")
    if head["version"] != VERSION:
        raise ValueError(f"version {head['version']}; this LiveSec reads {VERSION}")
    if tuple(head["features"]) != FEATURES:
        raise ValueError(f"it judges {head['features']}, not {list(FEATURES)}")
    if head["sha256"] != _digest(arrays):
        raise ValueError("its arrays are not those that were written")
    tail = ScoreTail(int(head["tail"]["scores"]), float(head["tail"]["limit"]), float(head["tail"]["excess"]))
    forest = Forest(**{name: arrays[name] for name in _ARRAYS}, unit=float(head["unit"]))
    middle = tuple(float(value) for value in head["middle"])
    if len(middle) != len(FEATURES):
        raise ValueError(f"it has {len(middle)} medians for {len(FEATURES)} features")
    _check_numbers(tail, float(head["offset"]), forest)
    _check_trees(forest)
    return PacketForest(
        forest=forest,
        offset=float(head["offset"]),
        tail=tail,
        middle=middle,
        trained_on=str(head["trained_on"]),
        samples=int(head["samples"]),
        sklearn_version=str(head["sklearn_version"]),
    )


def _check_numbers(tail: ScoreTail, offset: float, forest: Forest) -> None:
    is_sound = (
        -1.0 <= offset < 0.0
        and -1.0 <= tail.limit < 0.0
        and 0.0 < tail.excess <= 1.0
        and tail.scores > 0
        and 0.0 < forest.unit < math.inf
        and bool(np.isfinite(forest.threshold).all())
        and bool(np.isfinite(forest.depth).all() and (forest.depth >= 0).all())
    )
    if not is_sound:
        raise ValueError("a figure is out of its range")


def _check_trees(forest: Forest) -> None:
    """Every path from a root must end at a leaf of its tree."""
    nodes = len(forest.feature)
    if any(len(array) != nodes for array in (forest.threshold, forest.left, forest.right, forest.depth)):
        raise ValueError("its arrays are of different lengths")
    roots = forest.roots.astype(np.int64)
    if roots[0] != 0 or (np.diff(roots) <= 0).any() or roots[-1] >= nodes:
        raise ValueError("its trees do not follow each other")
    asks = forest.feature != LEAF
    if (forest.feature[asks] < 0).any() or (forest.feature[asks] >= len(FEATURES)).any():
        raise ValueError("a node asks for a feature that is not there")
    ends = np.repeat(np.append(roots[1:], nodes), np.diff(np.append(roots, nodes)))
    at = np.flatnonzero(asks)
    for children in (forest.left, forest.right):
        if (children[at] <= at).any() or (children[at] >= ends[at]).any():
            raise ValueError("a node's child is not behind it in its tree")
    _ = forest.levels  # raises ValueError where a path is too long to walk for every packet
