"""The health of what feeds the desk: the daemon, its sources, rejected lines, gaps, what each detector could judge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl
import streamlit as st

from livesec.core.clock import US_PER_S, seed_time
from livesec.core.settings import Settings
from livesec.core.text import shown
from livesec.dashboard.banners import is_silent
from livesec.dashboard.copilot_health import draw_copilot_health
from livesec.dashboard.desk_store import Desk
from livesec.dashboard.wording import age, amount, byte_amount, cell, shown_bytes, utc
from livesec.store import health_queries as queries
from livesec.store.activity_queries import alerts_per_day_by_type, latest_event_us

_TEXT_WIDE = st.column_config.TextColumn(width="large")


def draw_health(desk: Desk, settings: Settings) -> None:
    """The whole section."""
    st.subheader("Health", anchor=False)
    with desk.reader.reading() as connection:
        daemon = queries.daemon_health(connection)
        streams = queries.stream_health(connection)
        rejects = queries.reject_counts(connection)
        gaps = queries.gap_rows(connection)
        gaps_in_all = queries.gap_count(connection)
        sources_in_all = queries.stream_count(connection)
        coverage = queries.coverage_rows(connection)
        lost = queries.learned_anew(connection)
        alerts = alerts_per_day_by_type(connection, latest_event_us(connection) or desk.wall_us)
    _draw_daemon(desk, daemon, lost)
    # No numbers in the names: a tab that changes its name loses the reader's place.
    sources_tab, rejects_tab, gaps_tab, detectors_tab, copilot_tab = st.tabs(
        ["Sources", "Rejected lines", "Gaps", "Detectors", "Co-pilot"], key="health_tabs"
    )
    with sources_tab:
        _draw_sources(streams, sources_in_all, desk.wall_us)
    with rejects_tab:
        _draw_rejects(desk, rejects)
    with gaps_tab:
        _draw_gaps(gaps, gaps_in_all)
    with detectors_tab:
        _draw_detectors(coverage, alerts)
    with copilot_tab:
        draw_copilot_health(desk, settings)


def _draw_daemon(desk: Desk, daemon: queries.DaemonHealth | None, lost: Sequence[queries.LearnedAnew]) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        if daemon is None:
            st.badge("No daemon", color="gray", icon=":material/power_off:")
            st.text("This store was filled by a replay.")
            return
        if daemon.stopped:
            st.badge("Stopped", color="gray", icon=":material/stop_circle:")
        elif is_silent(daemon, desk.wall_us):
            st.badge("Silent", color="red", icon=":material/heart_broken:")
        else:
            st.badge("Alive", color="green", icon=":material/monitor_heart:")
        commit = "none yet" if daemon.last_commit_us is None else utc(daemon.last_commit_us)
        watching = f"watching {daemon.sources:,d} sources by {shown(daemon.watcher)}"
        if not daemon.is_alive(desk.wall_us):
            watching = "watching nothing"
        st.text(
            f"process {daemon.pid} · version {shown(daemon.version)} · {watching} · "
            f"up since {utc(daemon.started_us)} · last commit {commit}",
            width="stretch",
        )
    if daemon.lookup_data:
        st.text(f"Addresses are placed by {shown(daemon.lookup_data)}.")
    for problem in [*problems(daemon), *losses(lost)]:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.badge("Problem", color="orange", icon=":material/warning:")
            st.text(problem, width="stretch")


def problems(daemon: queries.DaemonHealth) -> list[str]:
    """What hinders the daemon, in words that are safe to show as text."""
    found = []
    if daemon.commit_problem:
        found.append(
            f"The store cannot be written: {shown(daemon.commit_problem)}. Nothing is lost; it is tried again."
        )
    if daemon.settings_problem:
        found.append(f"Changed settings: {shown(daemon.settings_problem)}")
    if daemon.wal_held_since_us is not None:
        since = utc(daemon.wal_held_since_us)
        found.append(f"A reader holds the store's write-ahead log since {since}: it grows until that reader ends.")
    if daemon.watcher_overflows:
        found.append(f"File events were lost {daemon.watcher_overflows:,d} times; every file was looked at instead.")
    if daemon.watcher_rebuilt:
        found.append(f"Threads for file events died and were started again {daemon.watcher_rebuilt:,d} times.")
    return found


def losses(lost: Sequence[queries.LearnedAnew]) -> list[str]:
    """Saved state that could not be used, in words that are safe to show as text."""
    return [
        f"{shown(item.component)}: its saved state could not be used ({shown(item.reason)}); "
        f"what it had learned before {utc(item.since_us)} is learned anew."
        for item in lost
    ]


def sources_frame(streams: Sequence[queries.StreamHealth], wall_us: int) -> pl.DataFrame:
    """One line per stream."""
    return pl.DataFrame(
        {
            "Source": [cell(stream.path) for stream in streams],
            "State": [cell(stream.state) for stream in streams],
            "Format": [cell(stream.format or "") for stream in streams],
            "Read": [byte_amount(stream.offset) for stream in streams],
            "Behind": [byte_amount(stream.behind_bytes) if stream.size is not None else "" for stream in streams],
            "Unread for": [
                "" if stream.oldest_unread_us is None else age((wall_us - stream.oldest_unread_us) / US_PER_S)
                for stream in streams
            ],
            "Problem": [cell(stream.error or "") for stream in streams],
        }
    )


def _draw_sources(streams: Sequence[queries.StreamHealth], in_all: int, wall_us: int) -> None:
    if not streams:
        st.caption("Nothing is watched yet.")
        return
    st.dataframe(
        sources_frame(streams, wall_us),
        key="sources",
        hide_index=True,
        column_config={"Source": _TEXT_WIDE, "Problem": _TEXT_WIDE},
        alt="The sources and how far each was read",
    )
    if in_all > len(streams):
        st.caption(f"Of {in_all:,d} sources, those that are behind first.")


def _draw_rejects(desk: Desk, rejects: Sequence[queries.RejectCount]) -> None:
    if not rejects:
        st.caption("Every line read so far was understood, or known to be of no concern.")
        return
    st.dataframe(
        pl.DataFrame(
            {
                "Source": [cell(count.path) for count in rejects],
                "Reason": [cell(count.reason) for count in rejects],
                "Lines": [count.lines for count in rejects],
            }
        ),
        key="rejects",
        hide_index=True,
        column_config={"Source": _TEXT_WIDE, "Reason": _TEXT_WIDE},
        alt="Rejected lines by source and reason",
    )
    with desk.reader.reading() as connection:
        samples = queries.reject_samples(connection)
    if samples:
        st.text("Some of them:")
    for sample in samples[:5]:
        st.text(f"{shown(sample.path)} · byte {sample.offset:,d} · {shown(sample.reason)}")
        st.code(shown_bytes(sample.line, 400), language=None, wrap_lines=True)


def _draw_gaps(gaps: Sequence[queries.GapRow], in_all: int) -> None:
    if not gaps:
        st.caption("No byte was lost.")
        return
    st.dataframe(
        pl.DataFrame(
            {
                "Source": [cell(gap.path) for gap in gaps],
                "From byte": ["" if gap.start_offset is None else f"{gap.start_offset:,d}" for gap in gaps],
                "To byte": ["" if gap.end_offset is None else f"{gap.end_offset:,d}" for gap in gaps],
                "Why": [cell(gap.reason) for gap in gaps],
                "Noticed (UTC)": [seed_time(gap.committed_us) for gap in gaps],
            }
        ),
        key="gaps",
        hide_index=True,
        column_config={"Source": _TEXT_WIDE, "Why": _TEXT_WIDE},
        alt="Bytes that may have been lost",
    )
    if in_all > len(gaps):
        st.caption(f"The latest of {in_all:,d} gaps.")


def _percent(share: float | None) -> float | None:
    return None if share is None else round(100 * share, 1)


def coverage_frame(coverage: Sequence[queries.DetectorCoverage], alerts: Mapping[str, float]) -> pl.DataFrame:
    """One line per detector; `alerts` a day by detector, of medium or higher."""
    return pl.DataFrame(
        {
            "Detector": [cell(detector.detector) for detector in coverage],
            "Could judge": [round(100 * detector.share, 1) for detector in coverage],
            "Rows": [amount(detector.rows) for detector in coverage],
            "Findings": [detector.findings for detector in coverage],
            "Entities known": [detector.entities for detector in coverage],
            "Of them, known well": [_percent(detector.mature_share) for detector in coverage],
            "Alerts a day": [round(alerts.get(detector.detector, 0.0), 2) for detector in coverage],
        }
    )


def _draw_detectors(coverage: Sequence[queries.DetectorCoverage], alerts: Mapping[str, float]) -> None:
    if not coverage:
        st.caption("No detector has seen a row yet.")
        return
    st.dataframe(
        coverage_frame(coverage, alerts),
        key="detectors",
        hide_index=True,
        column_config={
            "Could judge": st.column_config.ProgressColumn(
                min_value=0, max_value=100, format="%.1f %%", help="Share of the rows that had what it needs"
            ),
            "Findings": st.column_config.NumberColumn(format="localized"),
            "Entities known": st.column_config.NumberColumn(format="localized"),
            "Of them, known well": st.column_config.NumberColumn(
                format="%.1f %%", help="With the history that it asks for before it judges by it; rules ask for none"
            ),
            "Alerts a day": st.column_config.NumberColumn(format="%.2f", help="Medium or higher, over the last week"),
        },
        alt="What share of its rows each detector could judge",
    )
