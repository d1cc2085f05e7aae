"""A child that does as told: `stand_in_child.py WHAT FOLDER [...]`; FOLDER gets a note of each start."""

from __future__ import annotations

import http.server
import signal
import subprocess
import sys
import time
from pathlib import Path


class _Healthy(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()


def main(what: str, folder: str, *more: str) -> int:
    """Serve a health page, sleep, refuse to end, fail, or leave a mark and end."""
    with (Path(folder) / f"{what}.starts").open("a", encoding="utf-8") as starts:
        starts.write(f"{time.monotonic()}\n")
    if what == "dashboard":
        http.server.HTTPServer(("127.0.0.1", int(more[0])), _Healthy).serve_forever()
    elif what == "stubborn":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        subprocess.run([sys.executable, __file__, "grandchild", folder], check=False)
    elif what == "failing":
        print("first line\nthe disk \x1b[31mis on fire")
        return 3
    elif what == "history":
        time.sleep(0.5)
        return 0
    time.sleep(600.0)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
