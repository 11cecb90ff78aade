"""What `streamlit_app.serve` lets Streamlit run: the app, and what stands in front of its own sign-in."""

from __future__ import annotations

import logging
from pathlib import Path

from starlette.middleware import Middleware
from streamlit.starlette import App

from streamlit_app.front import Front
from tidemark import settings

# It would log what the provider says of a failed sign-in, persons' names and all.
logging.getLogger("streamlit.web.server.starlette.starlette_auth_routes").disabled = True

app = App(
    Path(__file__).resolve().parent / "app.py",
    middleware=[Middleware(Front, settings=settings.load(settings.ExplorerSettings))],
)
