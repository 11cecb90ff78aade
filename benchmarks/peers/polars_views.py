"""The views of `bench explorer` by polars: a group-by a view over the same codes. For each line in, one turn.

Called with a JSON object: `places` of the brush; `active`, the file of its codes, their type and how many times a code
is halved; `views`, each with such `columns` and the width of its bins; `out`, where a turn's counts go.
"""

from __future__ import annotations

import json
import os
import sys
import time

os.environ["POLARS_MAX_THREADS"] = "2"

import numpy as np
import polars as pl


def main() -> None:
    asked = json.loads(sys.argv[1])
    columns = {"active": asked["active"]} | {
        f"{place}.{axis}": column
        for place, view in enumerate(asked["views"])
        for axis, column in enumerate(view["columns"])
    }
    frame = pl.DataFrame({name: np.fromfile(file, kind) for name, (file, kind, _) in columns.items()})
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for _ in sys.stdin:
        wall, cpu = time.perf_counter(), time.process_time()
        found = [_grouped(frame, place, view) for place, view in enumerate(asked["views"])]
        told = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
        counts = [_dense(one, asked["places"], view["width"]) for one, view in zip(found, asked["views"], strict=True)]
        np.savez(asked["out"], *counts)
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()


def _grouped(frame: pl.DataFrame, place: int, view: dict[str, list[tuple[str, str, int]]]) -> pl.DataFrame:
    across, *up = [pl.col(f"{place}.{axis}") // (1 << column[2]) for axis, column in enumerate(view["columns"])]
    bin_ = up[0].cast(pl.UInt16) * 32 + across if up else across
    return frame.lazy().group_by([pl.col("active"), bin_.alias("bin")]).len().collect()


def _dense(found: pl.DataFrame, places: int, width: int) -> np.ndarray:
    counts = np.zeros((places, width), np.uint32)
    counts[found["active"].to_numpy().astype(np.int64), found["bin"].to_numpy().astype(np.int64)] = found["len"]
    return counts


main()
