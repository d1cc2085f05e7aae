"""The single steps of making an environment: an empty one, LiveSec linked into it, code compiled."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from livesec.bootstrap.errors import SetupError
from livesec.bootstrap.guardian import Guardian, end_groups
from livesec.bootstrap.progress import Progress

POLL_S = 0.05
WARM_UP = "livesec.runners.warmup"  # compiles the numba kernels

_COMMAND = """\
#!/bin/sh
'''exec' {python} "$0" "$@"
' '''
import sys

from livesec.cli.main import main

sys.argv[0] = "livesec"
sys.exit(main())
"""


def make_venv(folder: Path) -> None:
    """Fill `folder` with a virtual environment of this interpreter, pip in it.

    Raises:
        SetupError: this Python came without the venv or ensurepip module, as Debian's and Ubuntu's does.
    """
    cure = "install it with 'sudo apt install python3-venv', then start again"
    try:
        import ensurepip  # noqa: F401, PLC0415  # only asked whether it is there
        import venv  # noqa: PLC0415  # may be missing, and is not needed once .venv is there
    except ImportError:
        raise SetupError(f"this Python has no venv module: {cure}") from None
    try:
        venv.EnvBuilder(with_pip=True, symlinks=True).create(folder)
    except subprocess.CalledProcessError as error:
        raise SetupError(f"this Python's venv module does not work ({error}): {cure}") from None


def empty(folder: Path) -> None:
    """Remove all that is in `folder`. The folder itself stays: it may be a link to a roomier disk."""
    for entry in folder.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def site_packages_of(folder: Path) -> Path:
    """Where the environment in `folder` keeps its packages."""
    return next(folder.glob("lib/python3.*/site-packages"))


def link_package(folder: Path, root: Path) -> None:
    """Make `import livesec` and the command `livesec` work in the environment, from the checkout's own files.

    A .pth line and a small script do what `pip install --editable` would, without fetching a build tool for it.
    """
    pointer = site_packages_of(folder) / "livesec.pth"
    pointer.write_text(f"{root / 'src'}\n", encoding="utf-8")
    # The shell line works with spaces and long paths, where #! does not; to Python it is a string.
    command = folder / "bin" / "livesec"
    python = shlex.quote(str(folder / "bin" / "python"))
    command.write_text(_COMMAND.format(python=python), encoding="utf-8")
    command.chmod(0o755)


def compile_code(folder: Path, root: Path, guardian: Guardian, say: Callable[[str], None], *, packages: bool) -> None:
    """Compile LiveSec to byte code and machine code at once, so that later starts need not.

    Byte code is asked for by name because PYTHONDONTWRITEBYTECODE, common in containers, would have every
    start parse the packages again (measured: 1.5 s more for the dashboard alone).

    Args:
        folder: the environment's.
        root: the checkout.
        guardian: ends the compilers should this process be killed.
        say: prints one line; used if the kernels fail, which only makes the first run slower.
        packages: the installed packages too.
    """
    sources = [str(root / "src"), *([str(site_packages_of(folder))] if packages else [])]
    jobs = {"byte code": ["-I", "-m", "compileall", "-q", "-j", "0", "-x", r"/tests?/", *sources]}
    if (root / "src" / Path(*WARM_UP.split("."))).with_suffix(".py").exists():
        jobs["kernels, a minute at first"] = ["-m", WARM_UP]
    log = folder / "compile.log"
    processes: list[subprocess.Popen[bytes]] = []
    try:
        with log.open("wb") as output:
            for arguments in jobs.values():
                processes.append(guardian.start([str(folder / "bin/python"), *arguments], root, output))
        codes = _wait(processes, list(jobs), "Compiling" if packages else "Compiling what changed")
        if any(codes[1:]):
            say(f"The kernels could not be compiled ahead, so the first run is slower: see {log}")
    finally:
        end_groups({process.pid for process in processes}, 0.0)
        for process in processes:
            process.wait()
            guardian.forget(process.pid)


def _wait(processes: list[subprocess.Popen[bytes]], names: list[str], label: str) -> list[int]:
    """The exit codes of `processes`, with progress until the last has ended."""
    with Progress(label, len(processes)) as progress:
        while None in (codes := [process.poll() for process in processes]):
            left = [name for name, code in zip(names, codes, strict=True) if code is None]
            progress.update(len(codes) - len(left), " and ".join(left))
            time.sleep(POLL_S)
        return [process.wait() for process in processes]
