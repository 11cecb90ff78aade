"""The browser and the page of `tests/browser`."""

from __future__ import annotations

from tests.browser.conftest import chromium, context, open_page

__all__ = ["chromium", "context", "open_page"]
