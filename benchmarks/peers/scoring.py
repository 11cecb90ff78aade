"""The sales model in four runtimes, in turn, in one process: prints seconds and CPU seconds a call as JSON.

Run with the benchmarks' own packages: `python -m benchmarks.peers.scoring ROUNDS`.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import keras
import numpy as np
import onnxruntime
from ai_edge_litert.interpreter import Interpreter

from tidemark.adapters.litert_model import Network
from tidemark.models import sales_model
from training import network, served

CALLS = {"litert": 2_000, "onnxruntime": 2_000, "keras_call": 100, "keras_predict": 10}
SIZES = (1, 256)
Outputs = dict[str, np.ndarray]


def runtimes(content: bytes, folder: Path) -> dict[str, Callable[[np.ndarray, np.ndarray], Outputs]]:
    """Each takes `sale` and `context`, and gives the three outputs by name."""
    model = keras.models.load_model(folder / "model.keras")
    card = sales_model.loads(content)
    ours = Network(Interpreter(model_content=card.network, num_threads=1))
    network.run_keras(model, np.array(card.probe.sale, np.float32), np.array(card.probe.context, np.float32))
    with tempfile.TemporaryDirectory() as scratch:
        path = str(Path(scratch) / "sales.onnx")
        model.export(path, format="onnx", verbose=False)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    names = [one.name for one in session.get_outputs()]
    inputs = {kind: next(one.name for one in session.get_inputs() if kind in one.name) for kind in ("sale", "context")}

    def onnx(sale: np.ndarray, context: np.ndarray) -> Outputs:
        return dict(zip(names, session.run(None, {inputs["sale"]: sale, inputs["context"]: context}), strict=True))

    def predict(sale: np.ndarray, context: np.ndarray) -> Outputs:
        found: Outputs = model.predict({"sale": sale, "context": context}, verbose=0)
        return found

    return {
        "litert": ours,
        "onnxruntime": onnx,
        "keras_call": lambda sale, context: network.run_keras(model, sale, context),
        "keras_predict": predict,
    }


def largest_difference(found: Outputs, expected: Outputs) -> float:
    """Relative above 1; an ONNX output may have another name, so outputs are told by their width and order."""
    worst = 0.0
    for (_, one), (_, other) in zip(sorted(found.items()), sorted(expected.items()), strict=True):
        worst = max(worst, float(np.max(np.abs(one - other) / np.maximum(1, np.abs(other)))))
    return worst


def main() -> None:
    """Measure, print."""
    rounds = int(sys.argv[1])
    content = (served.FOLDER / "sales.model").read_bytes()
    runs = runtimes(content, served.FOLDER)
    card = sales_model.loads(content)
    draw = np.random.default_rng(1)
    probe = np.array(card.probe.sale, np.float32), np.array(card.probe.context, np.float32)
    expected = runs["keras_predict"](*probe)
    told: dict[str, Any] = {
        "difference": {name: largest_difference(run(*probe), expected) for name, run in runs.items()},
        "seconds": {},
        "cpu": {},
    }
    for size in SIZES:
        rows = draw.integers(0, len(probe[0]), size)
        sale, context = probe[0][rows], probe[1][rows]
        wall: dict[str, list[float]] = {name: [] for name in runs}
        cpu: dict[str, list[float]] = {name: [] for name in runs}
        for number in range(rounds + 1):
            for name, run in runs.items():
                began, began_cpu = time.perf_counter(), time.process_time()
                for _ in range(CALLS[name]):
                    run(sale, context)
                took = time.perf_counter() - began, time.process_time() - began_cpu
                if number:  # the first warms up
                    wall[name].append(took[0] / CALLS[name])
                    cpu[name].append(took[1] / CALLS[name])
        told["seconds"][size] = {name: statistics.median(one) for name, one in wall.items()}
        told["cpu"][size] = {name: statistics.median(one) for name, one in cpu.items()}
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main()
