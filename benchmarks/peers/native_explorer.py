"""The same views in stock Streamlit: a slider for the brush, eight native charts, all numbers from the same cube."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import streamlit as st

from benchmarks.explorer import ACTIVE, QUESTION
from tidemark.cubes.cube import Cube
from tidemark.cubes.engine import Engine
from tidemark.cubes.views import Span
from tidemark.tables.sources import of_path, opened


@st.cache_resource
def cube() -> Cube:
    """Counted once."""
    return Engine(opened(of_path(os.environ["TIDEMARK_BENCH_PATH"]), Path(os.environ["TIDEMARK_TABLES"]))).exact(
        QUESTION
    )


held = cube()
last = len(held.sums) - 1
end = st.slider("Up to", 0, last, last // 3)
bins = held.brush(Span(0, end))
charts = st.columns(4)
charts[0].bar_chart(pd.DataFrame({ACTIVE.x: np.diff(held.sums[:, 0].astype(int))}), height=200)
for place, part in enumerate(held.parts, 1):
    counts = pd.DataFrame({part.view.x: bins[part.first : part.end]})
    charts[place % 4].bar_chart(counts, height=200)
with st.container(key="run"):
    st.write(f"{bins[0]:,} rows up to {end}")
