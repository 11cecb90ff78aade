"""Where the Streamlit app starts: its pages, and what they all wear."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from streamlit_app.explorer import first_look, groups, linked_views, prediction, report
from streamlit_app.housing import page as housing
from streamlit_app.pipelines import page as pipelines
from streamlit_app.ui import session
from tidemark.errors import SettingsError

HERE = Path(__file__).resolve().parent


def main() -> None:
    """Draw the page that the address names."""
    st.set_page_config(page_title="Tidemark", page_icon=str(HERE / "mark.svg"), layout="wide")
    st.logo(str(HERE / "name.svg"), size="large")
    st.html(HERE / "chrome.css")
    pages = [
        st.Page(pipelines.page, title="Pipelines", url_path="pipelines", default=True),
        st.Page(housing.page, title="Housing prices", url_path="housing"),
        st.Page(first_look.page, title="First look", url_path="first-look"),
        st.Page(linked_views.page, title="Explorer", url_path="explorer"),
        st.Page(groups.page, title="Groups", url_path="groups"),
        st.Page(prediction.page, title="Prediction", url_path="prediction"),
        st.Page(report.page, title="Report", url_path="report"),
    ]
    page = st.navigation(pages, position="top")
    try:
        session.configured()
    except SettingsError as error:
        st.error(f"This app has not been told where the API is; `tidemark up` does. {error}")
        return
    page.run()


main()
