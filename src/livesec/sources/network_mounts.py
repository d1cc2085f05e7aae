"""File systems that raise no events for what other machines, or a host outside this one, write to them."""

from __future__ import annotations

import os
from pathlib import Path

_MOUNTS = Path("/proc/self/mountinfo")
_REMOTE = frozenset(
    {"9p", "afs", "beegfs", "ceph", "cifs", "coda", "davfs", "fuse", "gfs2", "glusterfs", "gpfs", "lustre", "ncpfs"}
    | {"nfs", "nfs4", "ocfs2", "orangefs", "prl_fs", "smb3", "smbfs", "vboxsf", "virtiofs", "vmhgfs"}
)


def is_remote(kind: str) -> bool:
    """Whether a type of file system, as mountinfo names it, may change without an event here.

    >>> [is_remote(kind) for kind in ("nfs4", "fuse.sshfs", "ext4", "overlay", "fuseblk")]
    [True, True, False, False, False]
    """
    return kind in _REMOTE or kind.startswith("fuse.")


def remote_devices(mounts: Path = _MOUNTS) -> dict[int, str]:
    """Device number (as `os.stat` gives it) to type of each remote file system that is mounted.

    Empty where the system has no such list.
    """
    try:
        lines = mounts.read_bytes().splitlines()
    except OSError:
        return {}
    found = {}
    for line in lines:  # 36 35 98:0 /root /mount/point options [optional fields] - type source options
        before, _, after = line.partition(b" - ")
        fields, kind = before.split(), after.split(b" ", 1)[0].decode("ascii", "replace")
        if len(fields) > 2 and is_remote(kind):  # noqa: PLR2004 - the third field is the device
            major, _, minor = fields[2].partition(b":")
            found[os.makedev(int(major), int(minor))] = kind
    return found
