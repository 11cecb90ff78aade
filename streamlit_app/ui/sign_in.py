"""Who may look at the pages, where people sign in."""

from __future__ import annotations

import time
from datetime import timedelta

import streamlit as st

LASTS = timedelta(hours=12)  # as the live page's; Streamlit's cookie alone would last for 30 days


def signed_in() -> bool:
    """Whether the provider has vouched for this browser's person, not too long ago."""
    since = st.user.get("iat")
    if not st.user.get("is_logged_in") or not isinstance(since, (int, float)):
        return False
    return time.time() - since < LASTS.total_seconds()


def ask() -> None:
    """Show that somebody must sign in, and how."""
    with st.container(width=540):
        st.header("Sign in")
        st.write("You are not signed in.")
        st.button("Sign in", type="primary", on_click=st.login)
        st.write("The browser stays signed in for 12 hours.")


def out() -> None:
    """Sign out, here and at the provider."""
    st.write("Signing out.")
    st.logout()
