"""The literal reading of brief 001: a Flask route, Keras `predict` for each sale, SQLite, one broadcast a sale.

`python -m benchmarks.peers.seed_baseline PORT`, in the benchmarks' own environment.
"""

from __future__ import annotations

import os
import sqlite3
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import msgspec
import numpy as np
from flask import Flask, Response, jsonify, request
from flask_socketio import SocketIO

from tidemark.batch import tabulate
from tidemark.features import Featurizer
from tidemark.sale import Sale
from tidemark.store import Store
from training import network as network  # registers the layers of the saved model

MODEL = Path(__file__).resolve().parent.parent.parent / "models" / "sales" / "model.keras"


def create() -> tuple[Flask, SocketIO]:
    """The application."""
    app = Flask(__name__)
    sockets = SocketIO(app, async_mode="threading")
    model = keras.models.load_model(MODEL)
    featurize = Featurizer(Store())
    path = Path(tempfile.mkdtemp()) / "sales.db"
    database = sqlite3.connect(path, check_same_thread=False)
    database.execute("CREATE TABLE sales (invoice_id TEXT PRIMARY KEY, document TEXT, score REAL)")

    @app.post("/sales")
    def sales() -> Response:
        for row in request.get_json()["sales"]:
            features = featurize(tabulate([msgspec.convert(row, Sale)], Store()))
            inputs = {"sale": features.sale, "context": features.context}
            score = float(np.asarray(model.predict(inputs, verbose=0)["anomaly"])[0, 0])
            database.execute(
                "INSERT OR IGNORE INTO sales VALUES (?, ?, ?)",
                (row["invoice_id"], msgspec.json.encode(row).decode(), score),
            )
            database.commit()
            sockets.emit("sale", {**row, "score": score})
        return jsonify(status="ok")

    @app.get("/healthz")
    def healthz() -> Response:
        return jsonify(status="ok")

    return app, sockets


if __name__ == "__main__":
    application, sockets = create()
    sockets.run(application, host="127.0.0.1", port=int(sys.argv[1]), allow_unsafe_werkzeug=True)
