"""A real vsftpd on loopback that takes anonymous uploads and writes both of its logs."""

from __future__ import annotations

import ftplib
import os
import pwd
from pathlib import Path

from tests.e2e.requirements import missing, program, require_root_on_linux
from tests.e2e.service import Service, free_port, listens

_CONFIG = """
listen=YES
listen_address=127.0.0.1
listen_port={port}
background=NO
anonymous_enable=YES
no_anon_password=YES
local_enable=NO
write_enable=YES
anon_upload_enable=YES
anon_mkdir_write_enable=YES
anon_umask=077
ftp_username=ftp
nopriv_user=nobody
anon_root={root}
secure_chroot_dir={empty}
xferlog_enable=YES
dual_log_enable=YES
vsftpd_log_file={vsftpd_log}
xferlog_file={xferlog}
log_ftp_protocol=NO
use_localtime=NO
seccomp_sandbox=NO
isolate_network=NO
isolate=NO
"""


class VsftpdServer(Service):
    """vsftpd whose folder `incoming` anyone may upload to."""

    def __init__(self, folder: Path) -> None:
        require_root_on_linux("vsftpd")
        vsftpd = program("vsftpd", "vsftpd")
        try:
            ftp_user = pwd.getpwnam("ftp")
        except KeyError:
            missing("there is no user ftp (Debian's vsftpd makes it)")
        folder.mkdir(mode=0o755)
        self.port = free_port()
        self.vsftpd_log = folder / "vsftpd.log"
        self.xferlog = folder / "xferlog"
        root, empty = folder / "root", folder / "empty"
        root.mkdir(mode=0o755)
        empty.mkdir(mode=0o755)
        incoming = root / "incoming"
        incoming.mkdir(mode=0o755)
        os.chown(incoming, ftp_user.pw_uid, ftp_user.pw_gid)
        config = folder / "vsftpd.conf"
        config.write_text(
            _CONFIG.format(
                port=self.port, root=root, empty=empty, vsftpd_log=self.vsftpd_log, xferlog=self.xferlog
            ).lstrip()
        )
        super().__init__([vsftpd, str(config)], folder, lambda: listens(self.port))

    def upload(self, file: Path, name: str) -> None:
        """Put `file` as incoming/`name`, as user anonymous."""
        with ftplib.FTP(timeout=60) as client:
            client.connect("127.0.0.1", self.port)
            client.login()
            client.cwd("incoming")
            with file.open("rb") as content:
                client.storbinary(f"STOR {name}", content, blocksize=1 << 20)
