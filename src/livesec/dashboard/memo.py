"""Answers of the store kept per browser session until the numbers they depend on change."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TypeVar, cast

import streamlit as st

T = TypeVar("T")


def remembered(name: str, key: Hashable, compute: Callable[[], T]) -> T:
    """What `compute` gave when `name` was last asked for with an equal `key`; one answer is kept per name."""
    slot = f"memo:{name}"
    kept = st.session_state.get(slot)
    if kept is None or kept[0] != key:
        kept = (key, compute())
        st.session_state[slot] = kept
    return cast(T, kept[1])
