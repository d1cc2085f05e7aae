"""The environment is made once, repaired when cut short, and brought up to date; nothing is fetched here."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from livesec.bootstrap import construction
from livesec.bootstrap.construction import make_venv
from livesec.bootstrap.environment import MARKER, Environment
from livesec.bootstrap.errors import SetupError
from livesec.bootstrap.file_lock import FileLock
from livesec.bootstrap.guardian import Guardian

VERSION = f"python{sys.version_info[0]}.{sys.version_info[1]}"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A root folder with lock files and one source file."""
    (tmp_path / "requirements.txt").write_text("a==1\n")
    (tmp_path / "requirements-dev.txt").write_text("a==1\nb==1\n")
    (tmp_path / "src" / "livesec").mkdir(parents=True)
    (tmp_path / "src" / "livesec" / "__init__.py").write_text("ANSWER = 42\n")
    return tmp_path


@pytest.fixture
def guardian() -> Iterator[Guardian]:
    """What ends the compilers if the test is killed."""
    made = Guardian()
    yield made
    made.close()


class Maker:
    """Makes environments of a checkout without pip and keeps count."""

    def __init__(self, checkout: Path, guardian: Guardian) -> None:
        self.installed: list[str] = []
        self.said: list[str] = []
        self.cut_short = False
        self._guardian = guardian
        self.environment = Environment(checkout, self._build, self._install)

    def run(self, *, dev: bool = False) -> None:
        self.environment.make_ready(dev=dev, guardian=self._guardian, say=self.said.append)

    def _build(self, folder: Path) -> None:
        (folder / "bin").mkdir()
        (folder / "bin" / "python").symlink_to(sys.executable)
        (folder / "lib" / VERSION / "site-packages").mkdir(parents=True)

    def _install(self, python: Path, lock_file: Path, scratch: Path, _guardian: Guardian) -> None:
        self.installed.append(lock_file.name)
        half = scratch / "lib" / VERSION / "site-packages" / "half.py"
        half.write_text("x = 1\n")
        if self.cut_short:
            raise KeyboardInterrupt
        half.rename(half.with_name("whole.py"))


@pytest.fixture
def maker(checkout: Path, guardian: Guardian) -> Maker:
    return Maker(checkout, guardian)


def test_a_second_start_has_nothing_to_do(maker: Maker, capsys: pytest.CaptureFixture[str]) -> None:
    maker.run()
    assert maker.environment.is_ready()
    assert maker.said == ["First start: making an environment in .venv (about 1.3 GB, once)"]
    assert capsys.readouterr().out.splitlines()[-1].startswith("Compiling: 1 of 1, ")
    maker.run()
    assert maker.installed == ["requirements.txt"]
    assert len(maker.said) == 1
    assert capsys.readouterr().out == ""


def test_what_was_cut_short_is_made_anew(maker: Maker) -> None:
    maker.cut_short = True
    with pytest.raises(KeyboardInterrupt):
        maker.run()
    assert not maker.environment.is_ready()
    maker.cut_short = False
    maker.run()
    assert maker.environment.is_ready()
    assert maker.said[1] == "The environment in .venv was left half made or no longer fits: making it anew"
    assert [path.name for path in maker.environment.folder.rglob("*.py")] == ["whole.py"]


def test_a_new_lock_updates_in_place(maker: Maker, checkout: Path) -> None:
    maker.run()
    (maker.environment.folder / "kept").touch()
    (checkout / "requirements.txt").write_text("a==2\n")
    assert not maker.environment.is_ready()
    maker.run()
    assert maker.environment.is_ready()
    assert (maker.environment.folder / "kept").exists()


def test_the_checks_need_the_second_lock_which_later_starts_keep(maker: Maker, checkout: Path) -> None:
    maker.run()
    assert not maker.environment.is_ready(dev=True)
    maker.run(dev=True)
    assert maker.environment.is_ready(dev=True)
    assert maker.environment.is_ready()
    (checkout / "requirements.txt").write_text("a==2\n")
    maker.run()
    assert maker.installed == ["requirements.txt", "requirements-dev.txt", "requirements-dev.txt"]


def test_changed_code_is_compiled_again_and_nothing_else_is_done(
    maker: Maker, checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    maker.run()
    source = checkout / "src" / "livesec" / "__init__.py"
    source.write_text("ANSWER = 43\n")
    assert not maker.environment.is_ready()
    maker.run()
    assert maker.installed == ["requirements.txt"]
    assert "Compiling what changed: 1 of 1, " in capsys.readouterr().out
    assert list(source.parent.glob("__pycache__/__init__*.pyc"))  # whatever PYTHONDONTWRITEBYTECODE says


@pytest.mark.parametrize("damage", ["moved", "python gone", "marker unreadable"])
def test_an_environment_that_no_longer_fits_is_made_anew(maker: Maker, damage: str) -> None:
    maker.run()
    marker = maker.environment.folder / MARKER
    if damage == "moved":
        marker.write_text(json.dumps(json.loads(marker.read_text()) | {"folder": "/elsewhere"}))
    elif damage == "python gone":
        maker.environment.python.unlink()
    else:
        marker.write_bytes(b"{\x00")
    assert not maker.environment.is_ready()
    maker.run()
    assert maker.environment.is_ready()
    assert "making it anew" in maker.said[1]


def test_an_environment_somebody_else_made_is_left_alone(maker: Maker) -> None:
    (maker.environment.folder / "bin").mkdir(parents=True)
    with pytest.raises(SetupError, match=r"was not made by run_livesec\.py: move it away"):
        maker.run()
    assert (maker.environment.folder / "bin").exists()


def test_the_package_and_its_command_are_linked_in(maker: Maker, checkout: Path) -> None:
    maker.run()
    site_packages = construction.site_packages_of(maker.environment.folder)
    assert (site_packages / "livesec.pth").read_text() == f"{checkout}/src\n"
    assert os.access(maker.environment.folder / "bin" / "livesec", os.X_OK)


def test_a_python_without_venv_names_the_package_that_has_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ensurepip", None)
    with pytest.raises(SetupError, match="sudo apt install python3-venv"):
        make_venv(tmp_path)


def test_a_lock_names_its_holder_and_outlives_nobody(tmp_path: Path) -> None:
    lock, other = FileLock(tmp_path / "lock"), FileLock(tmp_path / "lock")
    assert lock.try_acquire()
    assert not other.acquire_within(0.2)
    assert other.holder_pid() == os.getpid()
    assert other.holder_lives()
    lock.release()
    (tmp_path / "lock").write_text("not a number")
    assert other.holder_pid() is None
    assert other.acquire_within(0.0)
    other.release()
