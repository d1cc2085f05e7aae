"""A real systemd-journald in a journal namespace of its own, and the journalctl that reads it."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import TracebackType
from uuid import uuid4

from tests.e2e.requirements import missing, program, require_root_on_linux
from tests.e2e.service import Service

_MACHINE_ID = Path("/etc/machine-id")


class JournaldServer(Service):
    """journald that listens on `socket` (as /dev/log) and writes to its own folder of the machine's journals.

    A namespace's paths are fixed by systemd; all of them are removed at the end.
    """

    def __init__(self, folder: Path) -> None:
        require_root_on_linux("systemd-journald")
        journald = program("systemd-journald", "systemd")
        self._journalctl = program("journalctl", "systemd")
        if not _MACHINE_ID.is_file() or not _MACHINE_ID.read_text().strip():
            missing("this machine has no /etc/machine-id (systemd-machine-id-setup makes it)")
        folder.mkdir()
        self.namespace = f"livesec{uuid4().hex[:12]}"
        run = Path(f"/run/systemd/journal.{self.namespace}")
        self.socket = run / "dev-log"
        named = f"{_MACHINE_ID.read_text().strip()}.{self.namespace}"
        self._made = [run, *(Path(parent) / "log/journal" / named for parent in ("/run", "/var"))]
        super().__init__([journald, self.namespace], folder, self.socket.exists)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        super().__exit__(kind, error, trace)
        for path in self._made:
            shutil.rmtree(path, ignore_errors=True)

    def put_journalctl(self, folder: Path) -> None:
        """Make `folder` hold a journalctl that reads this journal, to be put first on PATH."""
        folder.mkdir(exist_ok=True)
        wrapper = folder / "journalctl"
        wrapper.write_text(f'#!/bin/sh\nexec {self._journalctl} --namespace={self.namespace} "$@"\n')
        wrapper.chmod(0o755)
