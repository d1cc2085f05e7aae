"""A small chart without axes under a number.

`st.metric` has its own, which the browser makes anew whenever a value changes; this one is updated in place.
"""

from __future__ import annotations

from functools import lru_cache

import altair as alt
import polars as pl

HEIGHT = 44
# All four sides: without a bottom Streamlit puts 20 pixels there.
NO_PADDING = {"left": 0, "top": 0, "right": 0, "bottom": 0}


@lru_cache(maxsize=64)  # building one takes longer than all else about its card
def sparkline(values: tuple[int, ...], color: str, *, bars: bool) -> alt.Chart:
    """`values`, oldest first, as bars or as a line over a filled area, from zero up."""
    frame = pl.DataFrame({"at": range(len(values)), "value": values}, schema={"at": pl.Int64, "value": pl.Int64})
    base = alt.Chart(frame, height=HEIGHT, padding=NO_PADDING)
    if bars:
        marked: alt.Chart = base.mark_bar(color=color, size=5, cornerRadiusEnd=1, tooltip=None)
        # By its key a bar is known again when the data change, and stays in the page.
        marked = marked.encode(key="at:O")
    else:
        marked = base.mark_area(color=color, opacity=0.25, line={"color": color, "strokeWidth": 1.5}, tooltip=None)
    return marked.encode(
        x=alt.X("at:Q", axis=None, scale=alt.Scale(nice=False, padding=4)),
        y=alt.Y("value:Q", axis=None, scale=alt.Scale(zero=True, nice=False)),
    )
