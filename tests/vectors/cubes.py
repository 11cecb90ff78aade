"""Writes cubes.json: brushes and estimates that tidemark/cubes and web/explorer/src/cube.ts must tell alike."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from tidemark.cubes.cube import Cube, summed
from tidemark.cubes.sampling import estimate
from tidemark.cubes.views import Question, Span, View

PATH = Path(__file__).with_name("cubes.json")


def vectors() -> dict[str, Any]:
    """Drawn once, from a seed."""
    draw = np.random.default_rng(1)
    cases = []
    for active, places, brushes in (
        (View("x"), 12, [[(0, 12)], [(3, 5)], [(4, 4)], [(1, 3), (7, 12)]]),
        (View("x", "y"), 32 * 32, [[(0, 32), (0, 32)], [(3, 9), (30, 32)], [(5, 5), (0, 32)]]),
    ):
        counts = draw.integers(0, 1_000_000, (places, 3), dtype=np.uint32)
        cube = Cube(Question(active, ()), summed(counts, active), (), 1, 1)
        found = []
        for spans in brushes:
            pieces = [spans] if active.y else [[span] for span in spans]
            bins = sum(cube.brush(*(Span(*span) for span in piece)).astype(int) for piece in pieces)
            found.append({"spans": spans, "bins": np.asarray(bins).tolist()})
        cases.append({"shape": list(cube.sums.shape), "sums": cube.sums.ravel().tolist(), "brushes": found})
    estimates = []
    for rows, counted in ((100_000_000, 1_000_000), (1_000_000, 1_000_000), (20_000, 1_000)):
        hits = np.array([0, 1, 17, counted // 3, counted], np.uint32)
        told = estimate(hits, counted, rows)
        estimates += [
            {"found": int(hit), "counted": counted, "rows": rows, "told": [float(part[place]) for part in told]}
            for place, hit in enumerate(hits)
        ]
    return {"cubes": cases, "estimates": estimates}


if __name__ == "__main__":
    PATH.write_text(json.dumps(vectors()) + "\n")
