"""What the pages of one server share, and what one browser has chosen."""

from __future__ import annotations

from typing import Any

import httpx
import streamlit as st

from streamlit_app.ui.api import Api, RunFiles, RunLog, RunReport
from tidemark import settings
from tidemark.looks import Mode
from tidemark.runs import HOUSING_DATA
from tidemark.settings import ExplorerSettings

KEPT_S = 600


@st.cache_resource(show_spinner=False)
def configured() -> ExplorerSettings:
    """The settings. Raises SettingsError."""
    return settings.load(ExplorerSettings)


@st.cache_resource(show_spinner=False)
def api() -> Api:
    """The API."""
    found = configured()
    return Api(found.api_url, found.api_token, token_now=_token_now if found.reader_token else None)


def _token_now() -> str:
    from tidemark.adapters import aws  # only where a token was refused

    return aws.secret(configured().reader_token)


def mode() -> Mode:
    """`dark` or `light`, as the browser shows the page."""
    return "dark" if st.context.theme.type == "dark" else "light"


# What a run has left behind never changes.


@st.cache_data(show_spinner=False, ttl=KEPT_S, max_entries=200)
def run(flow: str, identity: str) -> RunReport:
    """A run with its report."""
    return api().run(flow, identity)


@st.cache_data(show_spinner=False, ttl=KEPT_S, max_entries=200)
def report(flow: str, identity: str) -> str:
    """A run's report."""
    return api().report(flow, identity)


@st.cache_data(show_spinner=False, ttl=KEPT_S, max_entries=200)
def log(flow: str, identity: str) -> RunLog:
    """What a run did."""
    return api().log(flow, identity)


@st.cache_data(show_spinner=False, ttl=KEPT_S, max_entries=200)
def files(flow: str, identity: str) -> RunFiles:
    """The names of a run's files."""
    return api().files(flow, identity)


@st.cache_data(show_spinner=False, ttl=KEPT_S, max_entries=200)
def file(flow: str, identity: str, name: str) -> dict[str, Any]:
    """A table or chart of a run."""
    return api().file(flow, identity, name)


@st.cache_data(show_spinner=False, ttl=KEPT_S, max_entries=60)
def eda_file(made_by: str, name: str) -> dict[str, Any]:
    """A table or chart of the profile that the run `made_by` has made."""
    folder = "charts" if name.endswith(".vl.json") else "steps"
    return api().file(HOUSING_DATA, made_by, f"{folder}/{name}")


@st.cache_data(show_spinner=False, ttl=KEPT_S)
def experiment(mlflow_url: str, name: str) -> str | None:
    """The id of an experiment in MLflow; None where that cannot be asked."""
    try:
        answer = httpx.get(
            f"{mlflow_url.rstrip('/')}/api/2.0/mlflow/experiments/get-by-name",
            params={"experiment_name": name},
            timeout=5,
        )
        return str(answer.json()["experiment"]["experiment_id"])
    except (httpx.HTTPError, ValueError, KeyError, TypeError):
        return None
