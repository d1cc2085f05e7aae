"""The three log streams, newest first; lines that led to an anomaly are marked."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import polars as pl
import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

from livesec.core.clock import seed_time
from livesec.core.schema import LOG_TYPES, LogType
from livesec.core.text import shown
from livesec.dashboard.desk_store import Desk
from livesec.dashboard.memo import remembered
from livesec.dashboard.severity_marks import label_of
from livesec.dashboard.wording import SOURCE_NAMES, cell, field_cell
from livesec.store.activity_queries import EventRow, marked_lines, recent_events

ROWS = 100
HEIGHT = 380

# Field of the log type: heading. The rest of a row's fields is shown together in the last column.
FIELDS: Mapping[LogType, Mapping[str, str]] = {
    LogType.LOGIN: {
        "user": "User",
        "src_ip": "From",
        "country": "Country",
        "outcome": "Outcome",
        "auth_method": "Method",
        "host": "Host",
    },
    LogType.NETWORK: {
        "src_ip": "From",
        "dst_ip": "To",
        "dst_port": "Port",
        "protocol": "Protocol",
        "bytes_out": "Bytes out",
        "bytes_in": "Bytes in",
        "action": "Action",
    },
    LogType.FILE_TRANSFER: {
        "user": "User",
        "action": "Action",
        "path": "Path",
        "bytes": "Bytes",
        "destination": "Destination",
        "src_ip": "From",
    },
}

# Where a country lies is known; the stream is for what happened.
UNSHOWN = frozenset({"lat", "lon", "geo_radius_km", "dst_lat", "dst_lon", "dst_geo_radius_km"})

Marks = Mapping[tuple[int, int], tuple[str, str]]


def mark_of(event: EventRow, marks: Marks) -> str:
    """The severity and type of the anomaly that the event's line led to; empty where it led to none."""
    found = marks.get((event.stream_id, event.offset))
    return f"{label_of(found[0])} {shown(found[1])}" if found else ""


def _rest(fields: Mapping[str, object], known: Collection[str]) -> str:
    rest = {
        name: value for name, value in fields.items() if value is not None and name not in known and name not in UNSHOWN
    }
    return ", ".join(
        f"{name}={value:g}" if isinstance(value, float) else f"{name}={value}" for name, value in rest.items()
    )


def frame_of(log_type: LogType, events: Sequence[EventRow], marks: Marks) -> pl.DataFrame:
    """One line per event; texts from logs made safe to show."""
    fields = FIELDS[log_type]
    columns: dict[str, list[str]] = {
        "Anomaly": [mark_of(event, marks) for event in events],
        "Time (UTC)": [seed_time(event.time_us) for event in events],
    }
    for name, heading in fields.items():
        columns[heading] = [field_cell(event.fields.get(name)) for event in events]
    columns["More"] = [cell(_rest(event.fields, fields)) for event in events]
    return pl.DataFrame(columns)


def _column_config(log_type: LogType) -> dict[str, ColumnConfig]:
    config = {
        "Anomaly": st.column_config.TextColumn(width=190, help="The anomaly that this line led to"),
        "Time (UTC)": st.column_config.TextColumn(width=150),
        "More": st.column_config.TextColumn(width="large"),
    }
    config |= {heading: st.column_config.TextColumn(width=120) for heading in FIELDS[log_type].values()}
    if log_type is LogType.FILE_TRANSFER:
        config["Path"] = st.column_config.TextColumn(width=320)
    return config


def _frames(desk: Desk) -> dict[LogType, pl.DataFrame]:
    with desk.reader.reading() as connection:
        marks = remembered("marks", (desk.key, desk.pulse.anomalies), lambda: marked_lines(connection))
        return {
            log_type: frame_of(log_type, recent_events(connection, log_type, ROWS), marks) for log_type in LOG_TYPES
        }


def draw_log_streams(desk: Desk) -> None:
    """The three tabs. While the switch is on, what is shown stays."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader("Log streams", anchor=False, width="stretch")
        still = st.toggle("Hold still", key="streams_still", help="Stop the lines from moving while you read")
    number = st.session_state.get("streams_number", 0) if still else desk.pulse.lines
    st.session_state["streams_number"] = number
    frames = remembered("streams", (desk.key, number), lambda: _frames(desk))
    for tab, log_type in zip(st.tabs([SOURCE_NAMES[log_type] for log_type in LOG_TYPES]), LOG_TYPES, strict=True):
        frame = frames[log_type]
        with tab:
            if frame.is_empty():
                st.caption("No line of this kind was read so far.")
                continue
            st.dataframe(
                frame,
                key=f"stream_{log_type}",
                hide_index=True,
                column_config=_column_config(log_type),
                height=HEIGHT,
                placeholder="",
                alt=f"{SOURCE_NAMES[log_type]}: the latest {len(frame):,d} events, newest first",
            )
