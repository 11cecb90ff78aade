"""`tidemark bench scoring`: a sale scored by the committed model on LiteRT, as it serves, on Keras, on ONNX Runtime."""

from __future__ import annotations

import json
import subprocess

from benchmarks.cloud import PEER_PYTHON
from benchmarks.measure import ROOT, Result
from tidemark.errors import TidemarkError

ROUNDS = 15


def run() -> Result:
    """All four in turn in one process that has TensorFlow."""
    done = subprocess.run(
        [str(PEER_PYTHON), "-m", "benchmarks.peers.scoring", str(ROUNDS)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise TidemarkError(f"the runtimes could not be measured:\n{done.stderr[-2000:]}")
    told = json.loads(done.stdout.splitlines()[-1])
    one, many = told["seconds"]["1"], told["seconds"]["256"]
    figures: dict[str, float] = {}
    for name in one:
        figures |= {
            f"{name}_single_row_microseconds": round(one[name] * 1e6, 2),
            f"{name}_single_row_cpu_microseconds": round(told["cpu"]["1"][name] * 1e6, 2),
            f"{name}_256_rows_microseconds": round(many[name] * 1e6, 1),
            f"{name}_largest_difference": float(f"{told['difference'][name]:.2e}"),
        }
    return Result(
        "scoring",
        {
            "keras_predict.single_row": round(one["keras_predict"] / one["litert"], 1),
            "keras_call.single_row": round(one["keras_call"] / one["litert"], 1),
            "onnxruntime.single_row": round(one["onnxruntime"] / one["litert"], 2),
            "onnxruntime.256_rows": round(many["onnxruntime"] / many["litert"], 2),
        },
        figures,
        ["differences: from what Keras's predict says, relative above 1", "one thread each; medians of 15 rounds"],
    )
