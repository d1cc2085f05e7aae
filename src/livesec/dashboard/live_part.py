"""A part of the page that redraws itself: a fragment of its own, never inside another one."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st
from sqlalchemy.exc import SQLAlchemyError

from livesec.core.errors import LiveSecError
from livesec.core.text import shown
from livesec.dashboard.desk_store import Desk, open_desk


def live_part(db: str, draw: Callable[[Desk], None], every_s: float | None) -> None:
    """Draw now and then each `every_s` seconds; None: only when something on it is used.

    A query that fails is said so and asked again at the next turn; a store that is gone redraws the whole page.
    """

    def part() -> None:
        try:
            draw(open_desk(db))
        except SQLAlchemyError as error:
            st.warning("The store cannot be read just now; trying again.", icon=":material/sync_problem:")
            st.text(shown(str(error)))
        except LiveSecError:
            st.rerun()

    st.fragment(part, run_every=every_s)()
