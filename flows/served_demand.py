"""The demand model as MLflow keeps it: `mlflow.pyfunc.load_model("models:/demand@champion")` gives it back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pandas as pd
from mlflow.models import ModelSignature, set_model
from mlflow.pyfunc.model import PythonModel
from mlflow.types import ColSpec, DataType, ParamSchema, ParamSpec, Schema

from tidemark.adapters.litert_demand import LiteRtDemand
from tidemark.models import demand_model
from tidemark.models.demand import Series

SIGNATURE = ModelSignature(
    inputs=Schema(
        [
            ColSpec(DataType.string, "day"),
            ColSpec(DataType.long, "hour"),
            ColSpec(DataType.string, "series"),
            ColSpec(DataType.double, "items"),
        ]
    ),
    outputs=Schema(
        [
            ColSpec(DataType.string, "series"),
            *(ColSpec(DataType.long, name) for name in ("hour", "lead")),
            *(ColSpec(DataType.double, name) for name in ("mean", "low", "median", "high")),
        ]
    ),
    params=ParamSchema([ParamSpec("at", DataType.long, 24)]),
)


class ServedModel(PythonModel):
    """Takes the items of each day, hour and series, today's among them; gives those of the hours after `at`."""

    def load_context(self, context: Any) -> None:
        """Read the model."""
        self._model = LiteRtDemand(demand_model.loads(Path(context.artifacts["model"]).read_bytes()))

    def predict(self, context: Any, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        """Mean, median and interval of the items of each hour to come."""
        model = self._model.model
        table = model_input.pivot_table("items", "day", ["hour", "series"], "sum", fill_value=0.0).sort_index()
        wanted = pd.MultiIndex.from_product([model.hours, model.series])
        counts = table.reindex(columns=wanted, fill_value=0.0).to_numpy(np.float64)
        found = Series(
            table.index.to_numpy("datetime64[D]"),
            np.array(model.hours, np.int64),
            model.series,
            counts.reshape(len(table), len(model.hours), len(model.series)),
        )
        said = self._model.forecast(found, int((params or {}).get("at", 24)))
        return pd.DataFrame([msgspec.structs.asdict(one) for one in said.coming])


set_model(ServedModel())
