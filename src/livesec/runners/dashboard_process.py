"""`streamlit run` with the page's modules imported while the server starts, not when the first visitor waits.

The imports take 1.3 s, and the server is up before. The page's module is named, not imported: it is a sibling of the
runners, and it is `dashboard.py` that puts it on the page.
"""

from __future__ import annotations

import importlib
import sys
import threading

from streamlit.web.cli import main

PAGE = "livesec.dashboard.app"


def serve() -> None:
    """Run Streamlit's command line with this process's words; returns when the server has ended.

    Should the page fail to import, its traceback goes to the log here and again when somebody opens it.
    """
    threading.Thread(target=importlib.import_module, args=(PAGE,), name="page import", daemon=True).start()
    sys.exit(main(prog_name="streamlit"))


if __name__ == "__main__":
    serve()
