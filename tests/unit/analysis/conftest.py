"""Tables with what is known to be in them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pytest

from tidemark.analysis.frame import Frame, read
from tidemark.tables.sources import Source

MakeFrame: TypeAlias = Callable[..., Frame]


@pytest.fixture(scope="module")
def make(tmp_path_factory: pytest.TempPathFactory) -> MakeFrame:
    """A frame of a table of these columns."""
    folder = tmp_path_factory.mktemp("read")

    def made(*, most: int = 100_000, **columns: Any) -> Frame:
        held = pa.table({name: pa.array(values) for name, values in columns.items()})
        source = Source("made", "Made", "Made here", "'made'", "1", lambda to: to.from_arrow(held))
        return read(source, folder, most)

    return made


@pytest.fixture
def random() -> np.random.Generator:
    """Random numbers, the same each time."""
    return np.random.default_rng(7)
