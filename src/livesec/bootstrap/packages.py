"""Installs what a lock file pins, with pip and visible progress, and says in one line why it could not."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from livesec.bootstrap.construction import site_packages_of
from livesec.bootstrap.errors import SetupError
from livesec.bootstrap.guardian import Guardian, end_groups
from livesec.bootstrap.progress import Progress

PIP_PROCESSES = 2  # pip unpacks on one core: two took 13 s where one took 17 to 22 (70 packages, two cores)
SOURCE_ONLY = frozenset({"geoip2fast"})  # the registry has no wheel; built with the setuptools that the lock pins
POLL_S = 0.1
END_S = 3.0  # how long a pip that is told to stop may take

PIP_OPTIONS = (
    "--require-hashes",
    "--no-deps",  # the lock is complete, so nothing needs resolving
    "--no-compile",  # compiled afterwards, on every core
    "--no-input",
    "--disable-pip-version-check",
    "--no-warn-script-location",
    "--progress-bar=off",
)


@dataclass(frozen=True)
class Pin:
    """One package of a lock file: its name and its lines, hashes included."""

    name: str
    text: str


def read_lock(text: str) -> list[Pin]:
    r"""Split a lock file into its packages.

    >>> text = "# by a tool\na==1 \\\n    --hash=sha256:0\nb-c==2 ; os_name == 'nt' \\\n    --hash=sha256:1\n"
    >>> [pin.name for pin in read_lock(text)]
    ['a', 'b-c']
    """
    starts = [match.start() for match in re.finditer(r"^[A-Za-z0-9][^\n]*==", text, flags=re.MULTILINE)]
    blocks = [text[start:end] for start, end in zip(starts, [*starts[1:], len(text)], strict=True)]
    return [Pin(block.split("==", 1)[0].split("[", 1)[0].strip(), block) for block in blocks]


def install_locked(python: Path, lock_file: Path, scratch: Path, guardian: Guardian) -> None:
    """Install every package of `lock_file` into the environment of `python`.

    Args:
        python: the environment's interpreter.
        lock_file: pinned requirements with hashes.
        scratch: a folder for pip's logs and its shares of the lock.
        guardian: ends pip should this process be killed.

    Raises:
        SetupError: a package could not be fetched, checked or unpacked.
    """
    pins = read_lock(lock_file.read_text(encoding="utf-8"))
    wheels = [pin for pin in pins if pin.name not in SOURCE_ONLY]
    sources = [pin for pin in pins if pin.name in SOURCE_ONLY]
    site_packages = site_packages_of(python.parent.parent)
    with Progress("Installing packages", len(pins)) as progress:
        watch = _Watch(progress, site_packages)
        shares = [wheels[start::PIP_PROCESSES] for start in range(PIP_PROCESSES)]
        runs = [
            _PipRun(python, share, scratch / f"pip-{number}", ("--only-binary=:all:",), guardian)
            for number, share in enumerate(shares, start=1)
        ]
        watch.until_done(runs)
        building = ("--no-build-isolation", "--use-pep517")
        watch.until_done([_PipRun(python, sources, scratch / "pip-source", building, guardian)])


class _PipRun:
    """One pip process over a share of the lock, its output in a file that is read as it grows."""

    def __init__(
        self, python: Path, pins: Sequence[Pin], stem: Path, options: Iterable[str], guardian: Guardian
    ) -> None:
        requirements = stem.with_suffix(".txt")
        requirements.write_text("".join(pin.text for pin in pins), encoding="utf-8")
        self.log = stem.with_suffix(".log")
        self._offset = 0
        # -I: neither PYTHONPATH nor the folder we stand in may change what pip imports.
        command = [str(python), "-I", "-u", "-m", "pip", "install", *PIP_OPTIONS, *options]
        with self.log.open("wb") as output:
            self.process = guardian.start(
                [*command, "-r", str(requirements)],
                stem.parent,
                output,
                {"PIP_USER": "0"},  # a user's "user = true" would install elsewhere
            )
        self._guardian = guardian

    def new_lines(self) -> list[str]:
        """The whole lines that pip wrote since the last call."""
        with self.log.open("rb") as log:
            log.seek(self._offset)
            chunk = log.read()
        whole = chunk[: chunk.rfind(b"\n") + 1]
        self._offset += len(whole)
        return whole.decode("utf-8", "replace").splitlines()

    def end(self) -> None:
        """Stop the process if it still runs."""
        if self.process.poll() is None:
            end_groups({self.process.pid}, END_S, reap=self.process.poll)
            self.process.wait()
        self._guardian.forget(self.process.pid)


class _Watch:
    """Turns pip's output into progress: a package counts half when it is here, half when unpacked."""

    def __init__(self, progress: Progress, site_packages: Path) -> None:
        self._progress = progress
        self._site_packages = site_packages
        self._at_first = self._unpacked()
        self._here = 0
        self._skipped = 0
        self._what = "asking the package registry"

    def until_done(self, runs: Sequence[_PipRun]) -> None:
        """Follow `runs` to their end; if one fails, or this process is told to stop, end the others."""
        try:
            while True:
                ended = [run.process.poll() for run in runs]
                for run in runs:
                    for line in run.new_lines():
                        self._take(line)
                new = self._unpacked() - self._at_first
                self._progress.update((self._here + new + self._skipped) // 2, self._what)
                if any(ended):
                    failed = next(run for run, code in zip(runs, ended, strict=True) if code)
                    raise SetupError(explain_failure(failed.log.read_text("utf-8", "replace"), failed.log))
                if None not in ended:
                    return
                time.sleep(POLL_S)
        finally:
            for run in runs:
                run.end()

    def _unpacked(self) -> int:
        return sum(1 for _ in self._site_packages.glob("*.dist-info"))

    def _take(self, line: str) -> None:
        words = line.split()
        if line.startswith("Collecting "):
            self._here += 1
            self._what = words[1].split("==")[0]
        elif line.startswith(("Requirement already satisfied", "Ignoring ")):
            self._here += 1
            self._skipped += 1
        elif words[:1] == ["Downloading"] and line.endswith(")"):
            self._what = f"fetching {words[1].split('-')[0]} {line[line.rfind('(') :]}"
        elif line.startswith("Installing collected packages"):
            self._what = "unpacking"
        elif "Retrying (Retry(" in line:
            self._what = "the package registry does not answer, asking again"


def explain_failure(output: str, log: Path) -> str:
    """Say in one line why pip failed and what to do, from what it wrote.

    >>> explain_failure("ERROR: Could not find x==1 (from versions: none)", Path("pip.log"))[:41]
    'the package registry could not be reached'
    """
    if "No space left on device" in output:
        return "the disk is full; LiveSec needs about 1.3 GB: free some space and start again"
    if "DO NOT MATCH THE HASHES" in output:
        return f"a package is not the one that was locked, so nothing of it was installed: see {log}"
    unreachable = (
        "Retrying (Retry(",
        "from versions: none",
        "ProxyError",
        "SSLError",
        "Max retries exceeded",
    )
    if any(sign in output for sign in unreachable):
        return (
            "the package registry could not be reached: check the connection (or HTTPS_PROXY), or name a "
            f"mirror with 'pip config set global.index-url URL', then start again; pip's words are in {log}"
        )
    errors = [line.strip() for line in output.splitlines() if line.lstrip().startswith(("ERROR", "error"))]
    reason = errors[-1].removeprefix("ERROR: ") if errors else "it gave no reason"
    return f"pip could not install the packages ({reason}): see {log}"
