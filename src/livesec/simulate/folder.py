"""The folder that the demo writes: logs, labels, and a manifest that tells its own files from others'."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Final

import polars as pl

from livesec.core.errors import DemoError
from livesec.core.schema import LOG_TYPES
from livesec.simulate import labels
from livesec.simulate.frames import FILE_NAMES
from livesec.simulate.manifest import Manifest, head_of, read_manifest, write_manifest
from livesec.simulate.timeline import SimulatedLogs

TIME_FORMAT: Final = "%Y-%m-%d %H:%M:%S"
_KEPT_HEADS: Final = 4  # of files that were rotated away and begun again


def csv_bytes(frame: pl.DataFrame, *, header: bool) -> bytes:
    """The lines of a log or of the labels, with True and False as the logs write them."""
    written = frame.with_columns(
        pl.when(pl.col(pl.Boolean)).then(pl.lit("True")).otherwise(pl.lit("False")).name.keep()
    )
    return written.write_csv(include_header=header, datetime_format=TIME_FORMAT).encode()


def _contents(logs: SimulatedLogs) -> dict[str, pl.DataFrame]:
    by_name = {FILE_NAMES[log_type]: logs.of(log_type) for log_type in LOG_TYPES}
    return {**by_name, labels.FILE_NAME: logs.labels}


class DemoFolder:
    """One folder of demo files. Nothing is written over a file that is not in the folder's manifest.

    Every method raises DemoError, naming the file and the cure, where a file is somebody else's or cannot be
    written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._inodes: dict[str, int] = {}

    def manifest(self) -> Manifest | None:
        """What was made here, or None where nothing was."""
        return read_manifest(self.path)

    def replace(self, logs: SimulatedLogs) -> list[str]:
        """Write all files anew; returns the names of those that were there before."""
        contents = {name: csv_bytes(frame, header=True) for name, frame in _contents(logs).items()}
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            old = self._checked_manifest(list(contents))
            there = [name for name in contents if (self.path / name).exists()]
            heads = {name: (head_of(data), *old.get(name, ())) for name, data in contents.items()}
            # Old and new heads count while files are being exchanged, so a crash leaves all of them ours.
            write_manifest(self.path, Manifest(logs.world.seed, logs.world.users, logs.rate, heads))
            for name, data in contents.items():
                self._exchange(name, data)
            final = {name: heads[name][:1] for name in heads}
            write_manifest(self.path, Manifest(logs.world.seed, logs.world.users, logs.rate, final))
        except OSError as error:
            raise _unwritable(self.path, error) from error
        return there

    def append(self, logs: SimulatedLogs) -> None:
        """Add the rows to the files, each with one write of whole lines; missing files are begun."""
        begun: dict[str, bytes] = {}
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            for name, frame in _contents(logs).items():
                if frame.height:
                    start = self._append_to(name, frame)
                    if start:
                        begun[name] = start
            if begun:
                known = self.manifest()
                heads = dict(known.heads) if known else {}
                for name, start in begun.items():
                    heads[name] = (head_of(start), *heads.get(name, ()))[:_KEPT_HEADS]
                write_manifest(self.path, Manifest(logs.world.seed, logs.world.users, logs.rate, heads))
        except OSError as error:
            raise _unwritable(self.path, error) from error

    def _append_to(self, name: str, frame: pl.DataFrame) -> bytes:
        """Append to one file; returns its first bytes where it was begun, else nothing."""
        path = self.path / name
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK, 0o666)
        try:
            status = os.fstat(descriptor)
            if status.st_size and self._inodes.get(name) != status.st_ino:
                self._checked_manifest([name])
            self._inodes[name] = status.st_ino
            data = csv_bytes(frame, header=status.st_size == 0)
            written = os.write(descriptor, data)
            while written < len(data):  # only on a nearly full disk; the rest must follow or the line stays torn
                written += os.write(descriptor, data[written:])
        finally:
            os.close(descriptor)
        return b"" if status.st_size else data

    def _exchange(self, name: str, data: bytes) -> None:
        """Put a new file in the place of the old one at once, so that a reader never sees half of it."""
        temporary = self.path / f".{name}.livesec-demo"
        temporary.unlink(missing_ok=True)
        with temporary.open("xb") as file:
            file.write(data)
        temporary.replace(self.path / name)

    def _checked_manifest(self, names: list[str]) -> dict[str, tuple[tuple[int, str], ...]]:
        """The known heads of our files, after making sure that every file that is there is ours."""
        known = self.manifest()
        heads = dict(known.heads) if known else {}
        for name in names:
            path = self.path / name
            if not os.path.lexists(path):
                continue
            regular = stat.S_ISREG(path.lstat().st_mode)
            if not regular or not any(_begins_with(path, head) for head in heads.get(name, ())):
                raise DemoError(
                    f"{path}: the demo did not make this file and leaves it as it is; "
                    f"choose another folder with --out FOLDER, or move the file away"
                )
        return heads


def _begins_with(path: Path, head: tuple[int, str]) -> bool:
    with path.open("rb") as file:
        return head_of(file.read(head[0])) == head


def _unwritable(path: Path, error: OSError) -> DemoError:
    where = error.filename if error.filename is not None else path
    return DemoError(f"{where}: {error.strerror}; make it writable or choose another folder with --out FOLDER")


def write_logs(folder: Path, logs: SimulatedLogs, append: bool = False) -> list[str]:
    """Write the logs and labels into a folder, anew or at the end of what is there.

    Returns the names of files that were replaced. Raises DemoError where a file is not the demo's own.
    """
    target = DemoFolder(folder)
    if append:
        target.append(logs)
        return []
    return target.replace(logs)
