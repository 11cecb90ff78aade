"""The obvious Lambda, as a peer: FastAPI, Mangum, pydantic, boto3's botocore and TensorFlow with the Keras model."""

from __future__ import annotations

from pathlib import Path

import keras
import tensorflow as tf
from fastapi import FastAPI
from mangum import Mangum
from pydantic import BaseModel

from training import network

MODEL = Path(__file__).resolve().parent.parent.parent / "models" / "sales" / "model.keras"


class Sale(BaseModel):
    """Enough of a sale for a route."""

    invoice_id: str
    unit_price: float
    quantity: int


app = FastAPI()
model = keras.models.load_model(MODEL)


@app.post("/sales")
def sales(sold: list[Sale]) -> dict[str, int]:
    """A route that scores."""
    return {
        "quantiles": len(network.QUANTILES),
        "sales": len(sold),
        "threads": tf.config.threading.get_intra_op_parallelism_threads(),
    }


handler = Mangum(app)
