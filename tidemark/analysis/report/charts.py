"""Charts as pictures."""

from __future__ import annotations

from typing import Any

import vl_convert

from tidemark.looks import config

VEGA_LITE = "6.1"


def svg(spec: dict[str, Any]) -> str:
    """Light, on no ground; text stays text."""
    return vl_convert.vegalite_to_svg({**spec, "config": config("light")}, vl_version=VEGA_LITE)


def png(spec: dict[str, Any], scale: float = 2.5) -> bytes:
    """Light, on no ground."""
    return vl_convert.vegalite_to_png({**spec, "config": config("light")}, vl_version=VEGA_LITE, scale=scale)
