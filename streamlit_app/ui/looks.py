"""Stored charts in the colours of the page."""

from __future__ import annotations

from typing import Any

from tidemark.looks import Mode, config


def dressed(spec: dict[str, Any], mode: Mode) -> dict[str, Any]:
    """A chart's spec in the colours of a mode, `light` or `dark`; in its own size, which Streamlit would squeeze, and
    with its title at the left edge."""
    title = spec.get("title")
    if isinstance(title, str):
        title = {"text": title}
    titled = {"title": {**title, "frame": "bounds"}} if title else {}
    return {"autosize": {"type": "pad"}, **spec, **titled, "config": config(mode)}
