"""The charts' look, without what draws them: `tidemark.housing.charts` imports scikit-learn and Ibis."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import tidemark


def _load() -> Any:
    path = Path(tidemark.__file__).parent / "housing" / "charts" / "looks.py"
    spec = spec_from_file_location(f"{__name__}_", path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


_looks = _load()
config: Callable[[str], dict[str, Any]] = _looks.config
money: Callable[[float], str] = _looks.money
number: Callable[..., str] = _looks.number
percent: Callable[[float], str] = _looks.percent
minus: Callable[[str], str] = _looks.minus


def dressed(spec: dict[str, Any], mode: str) -> dict[str, Any]:
    """A chart's spec in the colours of a mode, `light` or `dark`; in its own size, which Streamlit would squeeze, and
    with its title at the left edge."""
    title = spec.get("title")
    if isinstance(title, str):
        title = {"text": title}
    titled = {"title": {**title, "frame": "bounds"}} if title else {}
    return {"autosize": {"type": "pad"}, **spec, **titled, "config": config(mode)}
