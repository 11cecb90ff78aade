"""The usual live dashboard: a Streamlit page that asks the API once a second. `streamlit run` starts it."""

from __future__ import annotations

import json
import os
import urllib.request

import streamlit as st


@st.fragment(run_every=1)
def live() -> None:
    """Ask, and show."""
    request = urllib.request.Request(  # the benchmark's own local address
        f"{os.environ['PEER_API']}/v1/kpis", headers={"Authorization": f"Bearer {os.environ['PEER_TOKEN']}"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        kpis = json.load(answer)
    st.html(f"<p id='tickets'>{kpis['tickets']}</p>")
    st.metric("Total sales", kpis["sales"])
    st.metric("Tickets", kpis["tickets"])


live()
