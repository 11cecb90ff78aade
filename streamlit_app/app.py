"""Where the Streamlit app starts: its pages, and what they all wear."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from streamlit_app.ui import session, sign_in
from tidemark.errors import SettingsError

HERE = Path(__file__).resolve().parent


def _page(title: str, path: str, module: str, *, default: bool = False) -> StreamlitPage:
    """A page whose module is loaded when it is first looked at: each waits for its own libraries only."""

    def draw() -> None:
        import_module(module).page()

    return st.Page(draw, title=title, url_path=path, default=default)


def main() -> None:
    """Draw the page that the address names."""
    st.set_page_config(page_title="Tidemark", page_icon=str(HERE / "mark.svg"), layout="wide")
    st.logo(str(HERE / "name.svg"), size="large")
    st.html(HERE / "chrome.css")
    pages = [
        _page("Pipelines", "pipelines", "streamlit_app.pipelines.page", default=True),
        _page("Housing prices", "housing", "streamlit_app.housing.page"),
        _page("First look", "first-look", "streamlit_app.explorer.first_look"),
        _page("Explorer", "explorer", "streamlit_app.explorer.linked_views"),
        _page("Groups", "groups", "streamlit_app.explorer.groups"),
        _page("Prediction", "prediction", "streamlit_app.explorer.prediction"),
        _page("Report", "report", "streamlit_app.explorer.report"),
    ]
    try:
        offers_sign_in = session.configured().offers_sign_in()
    except SettingsError as error:
        st.navigation(pages, position="top")
        st.error(f"This app has not been told where the API is; `tidemark up` does. {error}")
        return
    if offers_sign_in and not sign_in.signed_in():
        st.navigation(pages, position="hidden")
        sign_in.ask()
        return
    if offers_sign_in:
        pages.append(st.Page(sign_in.out, title="Sign out", url_path="sign-out"))
    st.navigation(pages, position="top").run()


main()
