"""What is written is read again; files that are damaged, foreign or hostile are refused with a reason."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.models.made import by_hand, packets, trained

from livesec.core.errors import SettingsError
from livesec.models.forest import LEAF, Forest
from livesec.models.forest_file import load, save
from livesec.models.packet_forest import PacketForest


def _saved(model: PacketForest, folder: Path) -> Path:
    path = folder / "new" / "forest.npz"
    save(model, path)
    return path


def _rewritten(path: Path, name: str, content: bytes | None) -> Path:
    """The file with the member `name` replaced, or left out."""
    with zipfile.ZipFile(path) as archive:
        members = {item: archive.read(item) for item in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for item, old in members.items():
            if item != name:
                archive.writestr(item, old)
        if content is not None:
            archive.writestr(name, content)
    return path


def _with_header(path: Path, **changes: Any) -> Path:
    with np.load(path) as arrays:
        head = json.loads(arrays["header"].tobytes()) | changes
    return _rewritten(path, "header.npy", _npy(np.frombuffer(json.dumps(head).encode(), dtype=np.uint8)))


def _npy(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    model = trained()
    again = load(_saved(model, tmp_path))
    assert (again.offset, again.tail, again.trained_on) == (model.offset, model.tail, "a test's packets")
    assert again.sklearn_version == model.sklearn_version and again.samples == 1000
    assert np.array_equal(again.scores(packets(500, 7)), model.scores(packets(500, 7)))
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["forest.npz"]


def test_the_same_model_is_the_same_file(tmp_path: Path) -> None:
    assert _saved(by_hand(), tmp_path / "a").read_bytes() == _saved(by_hand(), tmp_path / "b").read_bytes()


def test_a_file_that_is_not_there_or_no_archive(tmp_path: Path) -> None:
    path = tmp_path / "forest.npz"
    with pytest.raises(SettingsError, match=r"forest\.npz: cannot be read \(No such file or directory\); make it anew"):
        load(path)
    for content in (b"", b"PK\x03\x04", b"\x80\x04pickle"):
        path.write_bytes(content)
        with pytest.raises(SettingsError, match="no packet forest, or a damaged one"):
            load(path)


@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_damage_never_goes_unnoticed_or_wrong(data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("damaged")
    whole = _saved(by_hand(), folder)
    content = bytearray(whole.read_bytes())
    if data.draw(st.booleans()):
        content = content[: data.draw(st.integers(0, len(content) - 1))]
    else:
        content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    damaged = folder / "damaged.npz"
    damaged.write_bytes(content)
    try:
        model = load(damaged)
    except SettingsError as error:
        assert str(damaged) in str(error)
    else:  # a time stamp or a flag that nothing reads
        assert np.array_equal(model.scores(packets(50, 1)), by_hand().scores(packets(50, 1)))


@pytest.mark.parametrize(
    ("member", "content", "says"),
    [
        ("left.npy", None, "no item named 'left.npy'"),
        ("left.npy", _npy(np.zeros(5, dtype=np.int64)), "left is int64"),
        ("left.npy", _npy(np.zeros((5, 1), dtype=np.int32)), r"of shape \(5, 1\)"),
        ("left.npy", _npy(np.zeros(0, dtype=np.int32)), "at most"),
        ("depth.npy", _npy(np.zeros((1 << 20) + 1)), "at most 1,048,576"),
        ("depth.npy", _npy(np.zeros(5))[:-8] + b"", "has 32 bytes and should have 40"),
        ("depth.npy", b"\x93NUMPY\x07\x00", "no packet forest that can be used"),
        ("depth.npy", _npy(np.array([0.0, 4.0, 0.0, 1.0, 3.0])), "not those that were written"),
        ("header.npy", _npy(np.frombuffer(b"[]", dtype=np.uint8)), "does not say"),
        ("header.npy", _npy(np.frombuffer(b"{", dtype=np.uint8)), "no packet forest that can be used"),
    ],
)
def test_a_foreign_member_is_refused(tmp_path: Path, member: str, content: bytes | None, says: str) -> None:
    path = _rewritten(_saved(by_hand(), tmp_path), member, content)
    with pytest.raises(SettingsError, match=says) as caught:
        load(path)
    assert "livesec lab train" in str(caught.value)


def test_a_pickle_in_it_is_not_read(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    np.save(buffer, np.array([{"never": "read"}], dtype=object), allow_pickle=True)
    path = _rewritten(_saved(by_hand(), tmp_path), "left.npy", buffer.getvalue())
    with pytest.raises(SettingsError, match="left is object"):
        load(path)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"format": "other"}, "does not say 'livesec packet forest'"),
        ({"version": 2}, "version 2; this LiveSec reads 1"),
        ({"features": ["src_port"]}, "it judges"),
        ({"offset": 0.5}, "out of its range"),
        ({"unit": 0.0}, "out of its range"),
        ({"unit": float("nan")}, "out of its range"),
        ({"tail": {"scores": 10, "limit": -0.6, "excess": 0.0}}, "out of its range"),
        ({"tail": {}}, "scores"),
        ({"samples": "many"}, "many"),
        ({"middle": [1.0]}, "1 medians for 5 features"),
    ],
)
def test_a_header_that_does_not_fit_is_refused(tmp_path: Path, changes: dict[str, Any], says: str) -> None:
    with pytest.raises(SettingsError, match=says):
        load(_with_header(_saved(by_hand(), tmp_path), **changes))


@pytest.mark.parametrize(
    ("name", "values", "says"),
    [
        ("left", [0, 0, 3, 0, 0], "is not behind it"),  # a path without an end
        ("right", [2, 0, 5, 0, 0], "is not behind it"),
        ("feature", [2, -1, 5, -1, -1], "not there"),
        ("feature", [2, -1, -2, -1, -1], "not there"),
        ("roots", [1], "do not follow"),
        ("roots", [0, 0], "do not follow"),
        ("threshold", [np.inf, 0, 0, 0, 0], "out of its range"),
        ("depth", [0, -1, 0, 0, 0], "out of its range"),
        ("depth", [0, 1, 2], "different lengths"),
    ],
)
def test_trees_that_lead_nowhere_are_refused(tmp_path: Path, name: str, values: list[float], says: str) -> None:
    model = by_hand()
    array: Any = np.array(values, dtype=getattr(model.forest, name).dtype)
    changed: dict[str, Any] = {name: array}
    with pytest.raises(SettingsError, match=says):
        load(_saved(replace(model, forest=replace(model.forest, **changed)), tmp_path))


def test_a_tree_too_deep_to_walk_is_refused(tmp_path: Path) -> None:
    asks = 65  # each node's right child is the next that asks
    nodes = np.arange(2 * asks + 1, dtype=np.int32)
    is_leaf = (nodes % 2 == 1) | (nodes == 2 * asks)
    forest = Forest(
        roots=np.array([0], dtype=np.int32),
        feature=np.where(is_leaf, LEAF, 0).astype(np.int8),
        threshold=np.zeros(len(nodes)),
        left=np.where(is_leaf, 0, nodes + 1).astype(np.int32),
        right=np.where(is_leaf, 0, nodes + 2).astype(np.int32),
        depth=np.where(is_leaf, 1.0, 0.0),
        unit=4.0,
    )
    with pytest.raises(SettingsError, match="more than 64 levels"):
        load(_saved(replace(by_hand(), forest=forest), tmp_path))
