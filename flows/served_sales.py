"""The sales model as MLflow keeps it: `mlflow.pyfunc.load_model("models:/sales@champion")` gives it back."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import msgspec
import pandas as pd
from mlflow.models import ModelSignature, set_model
from mlflow.pyfunc.model import PythonModel
from mlflow.types import ColSpec, DataType, Schema

from tidemark import settings
from tidemark.adapters.litert_model import LiteRtScorer
from tidemark.errors import BadRequest
from tidemark.ingest import Examined, candidates_of, examine
from tidemark.models import sales_model
from tidemark.sale import MAX_SALES
from tidemark.settings import StoreSettings

TEXT = ("invoice_id", "sold_at", "branch", "customer_type", "product_line", "unit_price", "payment")
OPTIONAL = ("tax", "total")
SIGNATURE = ModelSignature(
    inputs=Schema(
        [
            *(ColSpec(DataType.string, name) for name in TEXT),
            ColSpec(DataType.long, "quantity"),
            *(ColSpec(DataType.string, name, required=False) for name in OPTIONAL),
            ColSpec(DataType.double, "rating", required=False),
        ]
    ),
    outputs=Schema(
        [
            *(ColSpec(DataType.double, name) for name in ("score", "low", "median", "high")),
            ColSpec(DataType.string, "segment"),
            ColSpec(DataType.boolean, "anomaly"),
        ]
    ),
)


class ServedModel(PythonModel):
    """Takes a frame of sales as tills send them, money as decimal strings; gives what the ingest Lambda would."""

    def load_context(self, context: Any) -> None:
        """Read the model."""
        store = settings.load(StoreSettings).store()
        content = Path(context.artifacts["model"]).read_bytes()
        self._store, self._scorer = store, LiteRtScorer(sales_model.loads(content), store)

    def predict(self, context: Any, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        """Score, quantiles 10, 50 and 90 of the basket, segment, anomaly. Raises BadRequest for what is no sale."""
        rows = [_row(row) for row in model_input.to_dict("records")]
        found = [one for start in range(0, len(rows), MAX_SALES) for one in self._said(rows[start : start + MAX_SALES])]
        return pd.DataFrame(found, index=model_input.index)

    def _said(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        examined = examine(msgspec.json.encode({"sales": rows}), self._store, self._scorer)
        if not isinstance(examined, Examined) or len(examined.batch) < len(rows):
            refused = examined.rows if isinstance(examined, Examined) else examined
            raise BadRequest("; ".join(f"{row.invoice_id}: {row.reason}" for row in refused if hasattr(row, "reason")))
        entries = (candidate.entry for candidate in candidates_of(examined, 0))
        return [
            {
                "score": entry.score,
                **dict(zip(("low", "median", "high"), entry.basket_quantiles or (), strict=True)),
                "segment": entry.segment,
                "anomaly": entry.anomaly,
            }
            for entry in entries
        ]


def _row(row: dict[Any, Any]) -> dict[str, Any]:
    absent = (None, "")
    return {
        str(name): value
        for name, value in row.items()
        if value not in absent and not (isinstance(value, float) and math.isnan(value))
    }


set_model(ServedModel())
