"""One command for all of LiveSec: history, daemon, demo feed, dashboard; kept running and ended together."""

from __future__ import annotations

import os
import select
import signal
import sys
import time
from collections.abc import Callable, Sequence

from livesec.bootstrap.file_lock import FileLock
from livesec.bootstrap.guardian import Guardian
from livesec.core.errors import LiveSecError, StoreHeldError
from livesec.runners.children import ChildPlan, Supervisor
from livesec.runners.console import BOLD, RED, has_display, open_browser, say, ssh_line
from livesec.runners.dashboard_server import HOST, answers, require_free_port
from livesec.runners.launch_plan import LaunchOptions, children
from livesec.sources.log_access import require_readable

GRACE_S = 3.0  # what the children have to end by themselves; all is over within 5
DEAD_COPY_S = 5.0  # how long the guardian of a killed copy may need to clear up after it
ASK_EVERY_S = 0.1  # how often the dashboard is asked whether it is there
SLOW_S = 60.0  # after which it is said that it is not


def launch(options: LaunchOptions, plan: Callable[[LaunchOptions], Sequence[ChildPlan]] = children) -> int:
    """Run until Ctrl-C, SIGTERM or the end of `options.minutes`; leaves no process behind.

    Args:
        options: what to run.
        plan: names the children; tests give harmless ones.

    Returns:
        0 when stopped as asked; otherwise the exit code of what prevented it, which is then said in one line.
    """
    lock = FileLock(options.root / "data" / ".run_livesec.lock")
    try:
        _require_only_copy(lock)
        for notice in require_readable(options.logs):
            say(notice)
        require_free_port(options.port)
        with _Signals() as signals:
            _run(options, plan(options), lock, signals)
    except LiveSecError as error:
        print(f"run_livesec.py: {error}", file=sys.stderr)
        return error.exit_code
    except OSError as error:
        print(f"run_livesec.py: cannot run here: {error}", file=sys.stderr)
        return 1
    finally:
        lock.release()
    return 0


def _run(options: LaunchOptions, plans: Sequence[ChildPlan], lock: FileLock, signals: _Signals) -> None:
    began = time.monotonic()
    deadline = began + (options.minutes * 60.0 if options.minutes else float("inf"))
    logs = options.root / "data" / "logs"
    say("Starting " + ", ".join(plan.name for plan in plans) + f"; their logs are in {logs}")
    guardian = Guardian(lock.fd)
    supervisor = Supervisor(plans, options.root, logs, guardian, lambda line: say(line, RED), options.backoff)
    greeted = said_slow = False
    try:
        while not signals.stop and (now := time.monotonic()) < deadline:
            wait_s = min(supervisor.step(), deadline - now)
            if not greeted:
                wait_s = min(wait_s, ASK_EVERY_S)
                greeted = answers(options.port)
                if greeted:
                    _greet(options)
                elif not said_slow and now - began > SLOW_S:
                    said_slow = True
                    say(f"The dashboard does not answer after {SLOW_S:g} s: see {logs / 'dashboard.log'}", RED)
            signals.wait(wait_s)
    finally:
        say("Stopping")
        supervisor.stop(GRACE_S)
        guardian.close()
    say("Stopped; nothing is left running")


def _greet(options: LaunchOptions) -> None:
    address = f"http://{HOST}:{options.port}"
    say(f"Dashboard: {address}   (Ctrl-C stops everything)", BOLD)
    if not has_display(os.environ):
        say(f"No display here. On your own computer run: {ssh_line(options.port, os.environ)}")
        say(f"and open {address} there")
    elif options.open_browser:
        open_browser(address)


def _require_only_copy(lock: FileLock) -> None:
    if lock.try_acquire():
        return
    # The guardian of a copy that was killed keeps the lock while it ends what that copy had started.
    if lock.holder_lives() or not lock.acquire_within(DEAD_COPY_S):
        raise StoreHeldError(
            f"LiveSec already runs from this folder (process {lock.holder_pid()}): stop that one first, "
            f"with Ctrl-C or 'kill {lock.holder_pid()}'"
        )


class _Signals:
    """Waits for time to pass, a child to end, or a signal that says stop."""

    def __init__(self) -> None:
        self.stop = False

    def __enter__(self) -> _Signals:
        self._read, self._write = os.pipe()
        os.set_blocking(self._write, False)
        os.set_blocking(self._read, False)
        signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
        for number in (signal.SIGINT, signal.SIGTERM):  # also where a shell has them ignored, as after '&'
            signal.signal(number, self._on_stop)
        if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # nohup means to stay
            signal.signal(signal.SIGHUP, self._on_stop)
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        signal.set_wakeup_fd(-1)
        os.close(self._read)
        os.close(self._write)

    def wait(self, seconds: float) -> None:
        """Return after `seconds`, or as soon as any signal has come."""
        if select.select([self._read], [], [], max(seconds, 0.0))[0]:
            os.read(self._read, 4096)

    def _on_stop(self, _number: int, _frame: object) -> None:
        self.stop = True
