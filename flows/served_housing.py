"""The price model as MLflow keeps it: `mlflow.pyfunc.load_model("models:/housing-price@champion")` gives it back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
from mlflow.models import ModelSignature, set_model
from mlflow.pyfunc.model import PythonModel
from mlflow.types import ColSpec, DataType, Schema

from tidemark.housing.columns import CATEGORY, NAMES, PRICE
from tidemark.housing.dataset import blocks_of
from tidemark.housing.price_model import PriceModel

SIGNATURE = ModelSignature(
    inputs=Schema(
        [
            ColSpec(DataType.string if name == CATEGORY else DataType.double, name, required=name != "total_bedrooms")
            for name in NAMES
            if name != PRICE
        ]
    ),
    outputs=Schema([ColSpec(DataType.double, name) for name in ("price", "low", "high")]),
)


class ServedModel(PythonModel):
    """Takes a frame with the census file's columns, gives price and interval of each block in dollars of 1990."""

    def load_context(self, context: Any) -> None:
        """Read the arrays."""
        self._model = PriceModel.loads(Path(context.artifacts["model"]).read_bytes())

    def predict(self, context: Any, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        """Price, `low` and `high` of each row."""
        found = self._model.estimates(blocks_of(model_input))
        return pd.DataFrame({"price": found.price, "low": found.low, "high": found.high}, index=model_input.index)


set_model(ServedModel())
