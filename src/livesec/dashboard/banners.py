"""What must be seen before anything else: demo data, a silent daemon, a store that is not there."""

from __future__ import annotations

import shlex
from pathlib import Path

import streamlit as st

from livesec.core.clock import US_PER_S
from livesec.core.errors import LiveSecError
from livesec.core.text import shown
from livesec.dashboard.desk_store import Desk
from livesec.dashboard.memo import remembered
from livesec.dashboard.wording import age, utc
from livesec.store.health_queries import DaemonHealth, daemon_health

START_ALL = "python3 run_livesec.py"


def is_silent(daemon: DaemonHealth | None, wall_us: int) -> bool:
    """Whether no daemon is feeding the store."""
    return daemon is None or not daemon.is_alive(wall_us)


def start_command(db: str, *, demo: bool) -> str:
    """The command that starts what feeds store `db`."""
    return f"python3 main.py --db {shlex.quote(db)}" + (" --demo" if demo else "")


def silence_text(daemon: DaemonHealth, wall_us: int) -> str:
    """Since when nothing was heard, in words."""
    since = f"since {utc(daemon.beat_us)} ({age(daemon.silent_for_s(wall_us))} ago)"
    if daemon.stopped:
        return f"It was stopped: new log lines are not read {since}. To start it again, run:"
    return f"Nothing was heard {since}: new log lines may not be read. To start it again, run:"


def draw_status(desk: Desk) -> None:
    """One line: is it live, of when is what is shown, and of which store."""
    with desk.reader.reading() as connection:
        daemon = daemon_health(connection)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if daemon is None:
            st.badge("Replayed", color="gray", icon=":material/history:")
        elif is_silent(daemon, desk.wall_us):
            st.badge("Not live", color="red", icon=":material/heart_broken:")
        else:
            st.badge("Live", color="green", icon=":material/sensors:")
        st.text(f"{utc(desk.wall_us)} · {shown(desk.db)}", width="stretch")


def draw_banners(desk: Desk) -> None:
    """The banners that apply now."""
    with desk.reader.reading() as connection:
        daemon = daemon_health(connection)
    demo = remembered("demo", desk.key, desk.reader.is_demo)
    if demo:
        st.warning(
            "**DEMO** The data on this page are invented. Nothing here comes from your machine.",
            icon=":material/science:",
        )
    if daemon is None:
        st.info("What is shown was stored by a replay; no daemon has run on this store.", icon=":material/history:")
    elif is_silent(daemon, desk.wall_us):
        with st.container(border=True):
            st.error("The daemon is silent.", icon=":material/heart_broken:")
            st.text(silence_text(daemon, desk.wall_us))
            st.code(start_command(shown(desk.db), demo=demo), language=None)
    if desk.looks_back:
        st.text(
            f"The newest event is of {utc(desk.now_us - 60 * US_PER_S)}: "
            "the last hour, day and week on this page end there."
        )


def draw_no_store(db: str, problem: LiveSecError) -> None:
    """The page while there is no store, or none that can be opened."""
    if Path(db).exists():
        st.error("The store cannot be opened.", icon=":material/database_off:")
        st.text(shown(str(problem)))
        return
    st.info("There is nothing to show yet.", icon=":material/hourglass_empty:")
    st.text(f"{shown(str(problem))}. This page looks for it every two seconds.")
    st.text("To see LiveSec at work on invented data:")
    st.code(START_ALL, language=None)
    st.text("To watch this machine's own logs; the first command says which of them it may read:")
    st.code(f"livesec check\n{start_command(shown(db), demo=False)}", language=None)
