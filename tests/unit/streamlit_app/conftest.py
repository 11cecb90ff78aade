"""The real routes and a real small model, in memory, as the app finds them behind its client."""

from __future__ import annotations

import pytest

from streamlit_app.ui.api import Api
from tests.explorer import Behind, Bridge


@pytest.fixture
def behind() -> Behind:
    return Behind()


@pytest.fixture
def bridge(behind: Behind) -> Bridge:
    return Bridge(behind.app)


@pytest.fixture
def api(bridge: Bridge) -> Api:
    return Api("http://api", "a token", bridge)
