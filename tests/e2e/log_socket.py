"""Gives one process a /dev/log of its own, so that a real sshd writes to the syslog daemon of the test.

syslog(3) knows only /dev/log. In a mount namespace of its own the process sees a small /dev and /run in which /dev/log
is the test's socket; the machine's own is neither used nor changed.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.e2e.requirements import missing, program

_ENTER = """
set -e
mount -t tmpfs -o mode=755 tmpfs /dev
mknod -m 666 /dev/null c 1 3
mknod -m 666 /dev/zero c 1 5
mknod -m 666 /dev/random c 1 8
mknod -m 666 /dev/urandom c 1 9
mknod -m 666 /dev/tty c 5 0
mkdir /dev/logs
mount --bind "$1" /dev/logs
ln -s "logs/$2" /dev/log
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -m 755 /run/sshd
shift 2
exec "$@"
"""


def require_mount_namespaces() -> None:
    """Go on only where this process may make mount namespaces."""
    tried = subprocess.run(
        [program("unshare", "util-linux"), "-m", "--", "mount", "-t", "tmpfs", "tmpfs", "/mnt"],
        capture_output=True,
        text=True,
        check=False,
    )
    if tried.returncode != 0:
        missing(f"mount namespaces are not allowed here ({tried.stderr.strip()}); in a container: --cap-add SYS_ADMIN")


def seeing_log_socket(socket: Path, command: Sequence[str]) -> list[str]:
    """`command` so that it, and it alone, has `socket` as its /dev/log."""
    enter = [program("unshare", "util-linux"), "-m", "--", "sh", "-c", _ENTER, "sh"]
    return [*enter, str(socket.parent), socket.name, *command]
