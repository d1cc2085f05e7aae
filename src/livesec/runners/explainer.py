"""The worker beside the daemon: words what was found, one question to the model after the other.

`python -m livesec.runners.explainer --db FILE`, with the settings as one line of JSON on standard input, which then
stays open: when it closes, whoever started this is gone, and so is this, at once and in the middle of whatever it
does. That is safe: the store knows what was being worked on.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import threading
from typing import BinaryIO

from livesec.core.errors import LiveSecError
from livesec.core.settings import Settings
from livesec.explain.endpoint import endpoint_of, where_text_goes

_log = logging.getLogger("livesec.explainer")
_NICE = 5  # detection goes first where processors are short


def _end_with(stdin: BinaryIO) -> None:
    """Wait until the other end of `stdin` closes, then end this process."""
    while stdin.read(1024):
        pass
    os._exit(0)


def main(argv: list[str] | None = None) -> int:
    """Run the worker; 0 where it was stopped or has nothing to do, else the exit code of the error."""
    words = argparse.ArgumentParser(prog="livesec explainer", description="Words explanations with a model.")
    words.add_argument("--db", required=True, help="the store")
    db = str(words.parse_args(argv).db)
    logging.basicConfig(
        stream=sys.stderr, level=logging.WARNING, format="%(asctime)s %(levelname)s co-pilot: %(message)s",
        datefmt="%H:%M:%S",
    )  # fmt: skip
    _log.setLevel(logging.INFO)
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # meant for the daemon
    settings = Settings.model_validate_json(sys.stdin.buffer.readline() or b"{}")
    threading.Thread(target=_end_with, args=(sys.stdin.buffer,), name="end", daemon=True).start()
    endpoint = endpoint_of(settings)
    _log.info("text goes %s", where_text_goes(settings, os.environ))
    if endpoint is None:
        return 0
    os.nice(_NICE)  # before the imports, which take a second of a processor that the daemon's start needs
    from livesec.runners.explaining_loop import Worker  # noqa: PLC0415
    from livesec.store.second_writer import SecondWriter, worker_lock  # noqa: PLC0415

    try:
        store = SecondWriter(db)
        with worker_lock(store.path):
            Worker(store, endpoint, settings).run()
    except LiveSecError as error:
        _log.error("%s", error)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
