"""The files: the same bytes for the same seed, whole lines, and nothing of anybody else's touched."""

from __future__ import annotations

import csv
import json
import os
from functools import lru_cache
from pathlib import Path

import pytest

from livesec.core.errors import DemoError
from livesec.simulate import CampaignOrder, DemoFolder, SimulatedLogs, Strength, World, simulate, write_logs

MONDAY_US = 1_762_128_000_000_000  # 2025-11-03 00:00:00 UTC
NAMES = ["login_logs.csv", "network_logs.csv", "file_transfer_logs.csv", "labels.csv"]


@lru_cache(maxsize=1)
def small() -> SimulatedLogs:
    order = CampaignOrder("brute_force", Strength.MEDIUM)
    return simulate(World(seed=7, users=12), MONDAY_US, days=1, campaigns=[order])


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    again = simulate(World(7, 12), MONDAY_US, 1, 1.0, [CampaignOrder("brute_force", Strength.MEDIUM)])
    write_logs(tmp_path / "one", small())
    write_logs(tmp_path / "two", again)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    other = simulate(World(8, 12), MONDAY_US, 1)
    write_logs(tmp_path / "three", other)
    assert contents(tmp_path / "three")["login_logs.csv"] != contents(tmp_path / "one")["login_logs.csv"]


def test_files_are_csv_with_the_headers_and_times_of_the_logs(tmp_path: Path) -> None:
    write_logs(tmp_path, small())
    with (tmp_path / "login_logs.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["timestamp", "username", "ip_address", "country", "success", "user_agent"]
    assert {len(row) for row in rows} == {6}
    assert {row[4] for row in rows[1:]} == {"True", "False"}
    assert any("(KHTML, like Gecko)" in row[5] for row in rows)  # commas inside a quoted cell
    assert rows[1][0].startswith("2025-11-03 0")
    assert len(rows[1][0]) == len("2025-11-03 00:00:00")
    with (tmp_path / "labels.csv").open(newline="", encoding="utf-8") as file:
        labels = list(csv.DictReader(file))
    assert [label["stage"] for label in labels] == [
        "guessing",
        "success",
        "exfiltration",
        "exfiltration_traffic",
    ]
    assert labels[0]["dst_ip"] == ""
    assert labels[0]["events"] == "45"


def test_a_second_run_replaces_its_own_files_and_says_so(tmp_path: Path) -> None:
    assert write_logs(tmp_path, small()) == []
    assert write_logs(tmp_path, small()) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_file_of_somebody_else_is_left_as_it_is(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"mine\n")
    for append in (False, True):
        with pytest.raises(DemoError, match=f"{name}: the demo did not make this file.*--out FOLDER"):
            write_logs(tmp_path, small(), append)
    assert (tmp_path / name).read_bytes() == b"mine\n"


def test_nothing_is_written_where_one_file_is_somebody_elses(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_bytes(b"mine\n")
    with pytest.raises(DemoError):
        write_logs(tmp_path, small())
    assert [path.name for path in tmp_path.iterdir()] == ["labels.csv"]


def test_a_demo_file_that_was_exchanged_for_a_real_one_is_left(tmp_path: Path) -> None:
    write_logs(tmp_path, small())
    (tmp_path / "login_logs.csv").write_bytes(b"timestamp,username\nreal,data\n")
    with pytest.raises(DemoError, match=r"login_logs\.csv"):
        write_logs(tmp_path, small())


def test_links_and_folders_are_not_followed(tmp_path: Path) -> None:
    target = tmp_path / "elsewhere.csv"
    target.write_bytes(b"mine\n")
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "login_logs.csv").symlink_to(target)
    with pytest.raises(DemoError):
        write_logs(folder, small())
    with pytest.raises(DemoError):
        write_logs(folder, small(), append=True)
    assert target.read_bytes() == b"mine\n"


def test_appending_goes_on_after_a_history_and_keeps_it_ours(tmp_path: Path) -> None:
    write_logs(tmp_path, small())
    before = (tmp_path / "login_logs.csv").read_bytes()
    write_logs(tmp_path, small(), append=True)
    after = (tmp_path / "login_logs.csv").read_bytes()
    header = before.index(b"\n") + 1
    assert after == before + before[header:]
    assert write_logs(tmp_path, small()) == NAMES


def test_appending_begins_missing_files_with_a_header(tmp_path: Path) -> None:
    folder = DemoFolder(tmp_path)
    folder.append(small())
    (tmp_path / "login_logs.csv").rename(tmp_path / "login_logs.csv.1")  # as logrotate does
    folder.append(small())
    assert (tmp_path / "login_logs.csv").read_bytes() == (tmp_path / "login_logs.csv.1").read_bytes()
    assert write_logs(tmp_path, small()) == NAMES


def test_a_file_put_in_the_place_of_ours_while_appending_is_left(tmp_path: Path) -> None:
    folder = DemoFolder(tmp_path)
    folder.append(small())
    other = tmp_path / "other"
    other.write_bytes(b"mine\n")
    os.replace(other, tmp_path / "network_logs.csv")
    with pytest.raises(DemoError, match=r"network_logs\.csv"):
        folder.append(small())
    assert (tmp_path / "network_logs.csv").read_bytes() == b"mine\n"


def test_a_crash_between_two_files_leaves_all_of_them_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_logs(tmp_path, small())
    other = simulate(World(seed=8, users=12), MONDAY_US, days=1)
    exchange = DemoFolder._exchange

    def dies_at_the_second(self: DemoFolder, name: str, data: bytes) -> None:
        if name == "network_logs.csv":
            raise KeyboardInterrupt
        exchange(self, name, data)

    monkeypatch.setattr(DemoFolder, "_exchange", dies_at_the_second)
    with pytest.raises(KeyboardInterrupt):
        write_logs(tmp_path, other)
    monkeypatch.undo()
    assert write_logs(tmp_path, other) == NAMES


def test_a_manifest_of_another_kind_or_version_is_an_error(tmp_path: Path) -> None:
    manifest = tmp_path / ".livesec-demo.json"
    manifest.write_text("[]", encoding="utf-8")
    with pytest.raises(DemoError, match="not a manifest of the demo"):
        write_logs(tmp_path, small())
    known = {"version": 99, "seed": 1, "users": 60, "rate": 1.0, "files": {}}
    manifest.write_text(json.dumps(known), encoding="utf-8")
    with pytest.raises(DemoError, match=r"another version \(99\)"):
        write_logs(tmp_path, small())


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"")
    with pytest.raises(DemoError, match="--out FOLDER"):
        write_logs(file / "data", small())
