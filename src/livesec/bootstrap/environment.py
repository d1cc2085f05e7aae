"""The environment in `.venv`: made once, repaired when left half made, brought up to date with the lock."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from livesec.bootstrap.construction import compile_code, empty, link_package, make_venv
from livesec.bootstrap.errors import SetupError
from livesec.bootstrap.guardian import Guardian
from livesec.bootstrap.packages import install_locked

Builder = Callable[[Path], None]
Installer = Callable[[Path, Path, Path, Guardian], None]

MARKER = "livesec-setup.json"


@dataclass(frozen=True)
class SetupState:
    """What the marker in `.venv` says. It is written before anything is touched and again when it is done.

    `ready` false means a set-up was cut short. The rest is what the environment was made from: digests of
    the lock files and of LiveSec's own code, the interpreter's real path, and the folder, for an environment
    cannot be moved.
    """

    ready: bool
    folder: str = ""
    interpreter: str = ""
    runtime_lock: str = ""
    dev_lock: str = ""
    code: str = ""


class Environment:
    """The `.venv` of the checkout at `root`.

    Args:
        root: the checkout.
        builder: fills an empty folder with a virtual environment; tests give a quick one.
        installer: installs a lock file's packages; tests give one that fetches nothing.
    """

    def __init__(self, root: Path, builder: Builder = make_venv, installer: Installer = install_locked) -> None:
        self.root = root
        self.folder = root / ".venv"
        self.python = self.folder / "bin" / "python"
        self._builder = builder
        self._installer = installer

    def is_running_this(self) -> bool:
        """Whether this very process runs in the environment."""
        return Path(sys.prefix).resolve() == self.folder.resolve()

    def is_ready(self, *, dev: bool = False) -> bool:
        """Whether nothing at all needs doing before LiveSec (with `dev`, its checks) can start."""
        state = self.state()
        return self._has_packages(state, dev=dev) and state.code == self._code_digest()

    def can_be_kept(self) -> bool:
        """Whether the environment is whole and belongs to this folder and interpreter, be its lock older."""
        state = self.state()
        return (
            state.ready
            and state.folder == str(self.root)
            and self.python.exists()
            and state.interpreter == os.path.realpath(self.python)
        )

    def state(self) -> SetupState:
        """What the marker says; not ready if there is none, or none that can be read."""
        try:
            fields = json.loads((self.folder / MARKER).read_text(encoding="utf-8"))
            return SetupState(**fields)
        except (OSError, ValueError, TypeError):
            return SetupState(ready=False)

    def make_ready(self, *, dev: bool, guardian: Guardian, say: Callable[[str], None]) -> None:
        """Do what is missing: the environment, its packages, compiled code.

        Args:
            dev: also what the checks and tests need.
            guardian: ends what is started here should this process be killed; it holds the set-up lock.
            say: prints one line to the person who waits.

        Raises:
            SetupError: it cannot be done; the text says what to do about it.
            OSError: the folder cannot be written.
        """
        if not self._has_packages(self.state(), dev=dev):
            self._install(dev=dev or bool(self.state().dev_lock), guardian=guardian, say=say)
        state, code = self.state(), self._code_digest()
        if state.code != code:
            compile_code(self.folder, self.root, guardian, say, packages=not state.code)
            self._write(replace(state, code=code))

    def _install(self, *, dev: bool, guardian: Guardian, say: Callable[[str], None]) -> None:
        if self.can_be_kept():
            say("The lock file changed: bringing the environment in .venv up to date")
        else:
            self._begin_anew(say)
        self._write(replace(self.state(), ready=False))
        lock = "requirements-dev.txt" if dev else "requirements.txt"
        self._installer(self.python, self.root / lock, self.folder, guardian)
        link_package(self.folder, self.root)
        self._write(
            SetupState(
                ready=True,
                folder=str(self.root),
                interpreter=os.path.realpath(self.python),
                runtime_lock=_digest(self.root / "requirements.txt"),
                dev_lock=_digest(self.root / "requirements-dev.txt") if dev else "",
            )
        )

    def _begin_anew(self, say: Callable[[str], None]) -> None:
        if self.folder.exists():
            # A package that was being unpacked when a set-up was cut short may look installed, so all goes.
            if not (self.folder / MARKER).exists() and any(self.folder.iterdir()):
                raise SetupError(f"{self.folder} was not made by run_livesec.py: move it away and start again")
            say("The environment in .venv was left half made or no longer fits: making it anew")
            empty(self.folder)
        else:
            say("First start: making an environment in .venv (about 1.3 GB, once)")
            self.folder.mkdir()
        self._write(SetupState(ready=False))  # first of all, so that a folder cut short here is known as ours
        self._builder(self.folder)

    def _has_packages(self, state: SetupState, *, dev: bool) -> bool:
        return (
            self.can_be_kept()
            and state.runtime_lock == _digest(self.root / "requirements.txt")
            and (not dev or state.dev_lock == _digest(self.root / "requirements-dev.txt"))
        )

    def _code_digest(self) -> str:
        digest = hashlib.sha256()
        for path in sorted((self.root / "src" / "livesec").rglob("*.py")):
            digest.update(str(path).encode() + b"\0" + path.read_bytes() + b"\0")
        return digest.hexdigest()

    def _write(self, state: SetupState) -> None:
        temporary = self.folder / (MARKER + ".new")
        temporary.write_text(json.dumps(asdict(state), indent=1) + "\n", encoding="utf-8")
        temporary.replace(self.folder / MARKER)


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
