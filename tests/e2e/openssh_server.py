"""A real sshd on loopback that logs through a syslog socket of the test, and clients that guess at it."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.e2e.log_socket import require_mount_namespaces, seeing_log_socket
from tests.e2e.requirements import program, require_root_on_linux
from tests.e2e.service import Service, free_port, listens

CLIENT_S = 40.0
"""PAM answers a wrong password after some 2 s; a loaded machine may take a multiple."""

_CONFIG = """
ListenAddress 127.0.0.1
Port {port}
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/authorized_keys
StrictModes no
PidFile none
UsePAM {pam}
PasswordAuthentication yes
KbdInteractiveAuthentication no
PermitRootLogin yes
ForceCommand true
MaxStartups 100:30:200
UseDNS no
"""
_CLIENT = (
    "-F", "none",
    "-o", "UserKnownHostsFile=/dev/null",
    "-o", "StrictHostKeyChecking=no",
    "-o", "LogLevel=ERROR",
)  # fmt: skip
_GUESSING = ("-o", "PubkeyAuthentication=no", "-o", "PreferredAuthentications=password")


class OpenSshServer(Service):
    """sshd with a host key, a client key and a configuration of its own; every password is wrong.

    Parameters
    ----------
    pam : ask PAM, as Debian does; it makes the client wait some 2 s for each wrong password
    """

    def __init__(self, folder: Path, log_socket: Path, *, pam: bool = True) -> None:
        require_root_on_linux("sshd")
        require_mount_namespaces()
        folder.mkdir(mode=0o755)
        sshd = program("sshd", "openssh-server")
        self._ssh = program("ssh", "openssh-client")
        self._folder = folder
        self.port = free_port()
        for name in ("host_key", "client_key"):
            keygen = [
                program("ssh-keygen", "openssh-client"),
                "-q",
                "-t",
                "ed25519",
                "-N",
                "",
                "-f",
                str(folder / name),
            ]
            subprocess.run(keygen, check=True, timeout=20)
        (folder / "authorized_keys").write_bytes((folder / "client_key.pub").read_bytes())
        config = folder / "sshd_config"
        config.write_text(_CONFIG.format(port=self.port, folder=folder, pam="yes" if pam else "no"))
        command = seeing_log_socket(log_socket, [sshd, "-D", "-f", str(config)])
        super().__init__(command, folder, lambda: listens(self.port))

    @contextlib.contextmanager
    def guessing(self, users: Sequence[str]) -> Iterator[None]:
        """One wrong password for each of `users`, all at the same time, from 127.0.0.1; at the end all have failed."""
        sshpass = program("sshpass", "sshpass")
        clients = [
            subprocess.Popen(
                [sshpass, "-p", "not-the-password", self._ssh, *_CLIENT, *_GUESSING, "-o", "NumberOfPasswordPrompts=1",
                 "-p", str(self.port), f"{user}@127.0.0.1", "true"],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )
            for user in users
        ]  # fmt: skip
        try:
            yield
            assert all(client.wait(CLIENT_S) != 0 for client in clients), "a wrong password was accepted"
        finally:
            for client in clients:
                client.kill()
                client.wait()

    def guess_in_one_connection(self, user: str, times: int) -> None:
        """`times` wrong passwords in one connection, one after the other."""
        answer = self._folder / "wrong_password"
        answer.write_text("#!/bin/sh\necho not-the-password\n")
        answer.chmod(0o755)
        environment = os.environ | {"SSH_ASKPASS": str(answer), "SSH_ASKPASS_REQUIRE": "force"}
        done = subprocess.run(
            [self._ssh, *_CLIENT, *_GUESSING, "-o", f"NumberOfPasswordPrompts={times}", "-p", str(self.port),
             f"{user}@127.0.0.1", "true"],
            env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=CLIENT_S, check=False,
        )  # fmt: skip
        assert done.returncode != 0, "a wrong password was accepted"

    def log_in_with_key(self, user: str) -> None:
        """An honest login with the client's key."""
        key = ("-o", "IdentitiesOnly=yes", "-i", str(self._folder / "client_key"))
        subprocess.run(
            [self._ssh, *_CLIENT, *key, "-p", str(self.port), f"{user}@127.0.0.1", "true"],
            stdin=subprocess.DEVNULL, capture_output=True, timeout=CLIENT_S, check=True,
        )  # fmt: skip
