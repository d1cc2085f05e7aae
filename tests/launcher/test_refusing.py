"""What the launcher will not start with: each gets one clear line and its exit code."""

from __future__ import annotations

import getpass
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.launcher.launched import Launched, child

from livesec.core.errors import InputUnreadableError
from livesec.runners.console import has_display, ssh_line
from livesec.runners.launch_plan import LaunchOptions
from livesec.runners.launcher import launch
from livesec.sources import log_access
from livesec.sources.log_access import cure, require_readable

NOBODY = 65_534


@contextmanager
def without_root() -> Iterator[None]:
    """Root may read everything, so a test that runs as root steps down for a while."""
    was = os.geteuid()
    if was == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(was)


@pytest.fixture
def open_folder(tmp_path: Path) -> Path:
    """A folder that others may enter too, up to the root."""
    for folder in (tmp_path, *tmp_path.parents):
        if folder.stat().st_uid == os.geteuid() and folder != Path("/"):
            folder.chmod(folder.stat().st_mode | 0o011)
    return tmp_path


def test_a_taken_port_names_a_free_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert launch(LaunchOptions(root=tmp_path, port=port), lambda _options: []) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"run_livesec.py: port {port} is taken by another program: choose another, say --port ")
    assert error.count("\n") == 1


def test_a_second_copy_says_which_process_is_the_first(tmp_path: Path) -> None:
    with Launched(tmp_path, [child("worker", tmp_path)]) as first:
        first.wait_for("Dashboard: ")
        second = Launched(tmp_path)
        assert second.process.wait(10.0) == 4
        assert second.text() == (
            f"run_livesec.py: LiveSec already runs from this folder (process {first.process.pid}): "
            f"stop that one first, with Ctrl-C or 'kill {first.process.pid}'\n"
        )
        assert first.process.poll() is None


def test_a_log_that_may_not_be_read_stops_the_start(open_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = open_folder / "auth.log"
    log.touch(mode=0o000)
    (open_folder / "data").mkdir(mode=0o777)
    (open_folder / "data").chmod(0o777)
    with without_root():
        code = launch(LaunchOptions(root=open_folder, logs=(str(log),)), lambda _options: [])
    assert code == 3
    assert capsys.readouterr().err.startswith(f"run_livesec.py: {log} may not be read; ")


def test_the_cure_is_the_group_where_the_group_may_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = tmp_path / "auth.log"
    log.touch()
    log.chmod(0o640)
    monkeypatch.setattr(log_access, "_group_name", lambda _number: "adm")
    monkeypatch.setattr(log_access, "_user_name", lambda: "ada")
    monkeypatch.setattr(os, "geteuid", lambda: NOBODY)
    monkeypatch.setattr(log_access, "ROOT_GROUP", -1)  # the test's own group may be root's
    assert cure(log) == "join its group, then log in again: sudo usermod -aG adm ada"
    monkeypatch.setattr(log_access, "_members", lambda _number: ["ada"])
    assert cure(log) == "you are in its group adm, but this session is older: log out and in again"
    log.chmod(0o600)
    assert cure(log) == f"allow it: sudo setfacl -m u:ada:r {log}"


def test_one_owns_what_one_may_not_read(tmp_path: Path) -> None:
    log = tmp_path / "mine.log"
    log.touch()
    log.chmod(0o000)
    assert cure(log) == f"it is yours: chmod u+r {log}"


def test_a_log_that_is_not_there_yet_is_only_noticed(tmp_path: Path) -> None:
    (notice,) = require_readable([str(tmp_path / "later.log")])
    assert notice == f"{tmp_path / 'later.log'} does not exist yet; it is watched as soon as it does"


def test_a_pattern_goes_on_with_what_may_be_read(open_folder: Path) -> None:
    (open_folder / "a.log").touch(mode=0o644)
    (open_folder / "b.log").touch(mode=0o000)
    open_folder.chmod(0o755)
    with without_root():
        (notice,) = require_readable([str(open_folder / "*.log")])
    assert notice.startswith(f"{open_folder}/*.log: 1 of 2 may not be read; ")


def test_a_log_in_a_closed_folder_is_told_apart_from_one_that_is_not_there(open_folder: Path) -> None:
    closed = open_folder / "closed"
    closed.mkdir()
    closed.chmod(0o000)
    with without_root(), pytest.raises(InputUnreadableError, match="closed may not be entered; "):
        require_readable([str(closed / "auth.log")])
    closed.chmod(0o700)


def test_a_server_without_a_display_gets_the_ssh_line() -> None:
    environment = {"SSH_CONNECTION": "198.51.100.7 50000 192.0.2.1 22"}
    assert not has_display(environment, "linux")
    assert ssh_line(8600, environment) == f"ssh -L 8600:127.0.0.1:8600 {getpass.getuser()}@192.0.2.1"


def test_the_greeting_has_the_ssh_line_and_no_colour_in_a_file(tmp_path: Path) -> None:
    with Launched(tmp_path) as launched:
        text = launched.wait_for("there\n")
    assert f"ssh -L {launched.port}:127.0.0.1:{launched.port} " in text
    assert "\x1b" not in text
