"""Examples for the API's description: figures of real runs on the census file of 1990."""

from __future__ import annotations

from typing import Any

ML_RUN = "1795231860412-4d0c8f1e2b7a"
DATA_RUN = "1795231740105-9b1f6a3c5d20"
SHA256 = "8a3727f4cf54ac1a327f69b1d5b4db54c5834ea81c6e4efc0d163300022a685e"
FINGERPRINT = "30bc313401c9fd04"

_FIGURES = {
    "rows": 20640.0,
    "rmse": 39950.011944,
    "mae": 24334.722734,
    "r2": 0.878403,
    "mape": 0.129981,
    "coverage": 0.906008,
    "accuracy": 0.797319,
    "precision": 0.799892,
    "recall": 0.797585,
    "f1": 0.79854,
    "roc_auc": 0.954631,
    "spatial_rmse": 60888.808228,
    "spatial_r2": 0.721569,
    "spatial_coverage": 0.878537,
    "forest_rmse": 43567.036786,
    "forest_r2": 0.855388,
    "ridge_rmse": 67812.910789,
    "ridge_r2": 0.649642,
    "mean_rmse": 114566.367987,
    "mean_r2": -0.000004,
}
_REASON = "promoted: better than the champion by $3,210 of RMSE (95 % interval +$2,621 to +$3,847)"
_ML_STEPS = [
    {"name": "read", "title": "Read and split 70/30", "seconds": 0.295, "reused_from": None},
    {"name": "judge", "title": "Judge on rows and regions held out", "seconds": 1.482, "reused_from": None},
]
_ML: dict[str, Any] = {
    "id": ML_RUN,
    "flow": "housing-ml",
    "flow_run": "4d0c8f1e-2b7a-4f60-9a53-0c1d7e88b1f4",
    "status": "completed",
    "started_at": 1795231860412,
    "ended_at": 1795231920871,
    "headline": "lightgbm won with an RMSE of $39,950 (R² 0.878) on 6,192 blocks held out, R² 0.722 in regions it had"
    f" not seen; {_REASON}",
    "fingerprint": "d3497879b1635a17-5e1c07aa",
    "reused_from": None,
    "figures": _FIGURES,
    "steps": _ML_STEPS,
}
_BATCH: dict[str, Any] = {
    "id": "1795231733020-52c1d90b7e44ab10",
    "name": "california_housing.csv",
    "sha256": SHA256,
    "arrived_at": 1795231733020,
    "run": DATA_RUN,
    "rows": 20640,
    "accepted": 20640,
    "quarantined": 0,
    "known": 0,
    "refused": None,
    "reasons": {},
}
_DATA: dict[str, Any] = {
    "id": DATA_RUN,
    "flow": "housing-data",
    "flow_run": "9b1f6a3c-5d20-4c9e-8a41-7d7c52b0a3e6",
    "status": "completed",
    "started_at": 1795231740105,
    "ended_at": 1795231746310,
    "headline": "20,640 blocks known; 1 batch came with 20,640 new blocks",
    "fingerprint": "0c1f6a93be77d245-0.1.0",
    "reused_from": None,
    "figures": {
        "rows": 20640.0,
        "batches": 1.0,
        "quarantined": 0.0,
        "refused": 0.0,
        "freshness_minutes": 0.12,
        "drift": 0.0,
    },
    "steps": [{"name": "summary", "title": "Summary statistics", "seconds": 0.412, "reused_from": None}],
}
_CHAMPION: dict[str, Any] = {
    "model": "housing",
    "fingerprint": FINGERPRINT,
    "algorithm": "lightgbm",
    "key": f"models/housing/{FINGERPRINT}.npz",
    "run": ML_RUN,
    "at": 1795231860412,
    "version": "2",
    "previous": "b5f02c7d91e64a38",
}
_DECISION: dict[str, Any] = {
    "at": 1795231860412,
    "model": "housing",
    "run": ML_RUN,
    "challenger": FINGERPRINT,
    "champion": "b5f02c7d91e64a38",
    "promoted": True,
    "reason": _REASON,
    "rows": 14448,
    "over_baseline": {"value": 26589.17, "low": 25573.76, "high": 27648.70},
    "over_champion": {"value": 3210.29, "low": 2620.65, "high": 3847.43},
}
_FRESH = {
    "status": "ok",
    "words": "The newest batch came 13 s ago; one is expected every 2 min.",
    "age_seconds": 13.3,
    "expected_seconds": 120.0,
}

FLOWS = {
    "flows": [
        {"name": "housing-data", "seconds": 120, "at_work": None, "newest": _DATA},
        {"name": "housing-ml", "seconds": 120, "at_work": None, "newest": _ML},
    ]
}
RUNS = {"runs": [_ML], "cursor": None}
REPORT = {"run": _ML, "report": {"winner": "lightgbm", "data": {"rows": 20640, "training": 14448, "held_out": 6192}}}
REPORT_TEXT = f"# Housing prices, run {ML_RUN}\n\n2026-11-21 03:31:00 UTC, 60.5 s. **{_ML['headline']}.**\n"
LOG = {
    "run": ML_RUN,
    "status": "completed",
    "headline": _ML["headline"],
    "steps": _ML_STEPS,
    "log": [
        "03:31:00 Read and split 70/30: 0.30 s",
        "03:31:00 20,640 blocks: 14,448 to learn from, 6,192 held out",
        f"03:31:59 {_REASON}",
    ],
}
FILES = {
    "run": ML_RUN,
    "results_of": ML_RUN,
    "files": ["report.json", "report.md", "charts/errors.vl.json"],
}
FILE = {"$schema": "https://vega.github.io/schema/vega-lite/v6.json", "mark": "bar", "data": {"values": []}}
TABLE = {"rows": 20640, "numbers": [{"column": "median_income", "count": 20640, "mean": 3.87067, "median": 3.5348}]}
SUMMARY = {
    "run": DATA_RUN,
    "at": 1795231746310,
    "results_of": DATA_RUN,
    "headline": _DATA["headline"],
    "rows": 20640,
    "batches": 1,
    "quarantined": 0,
    "refused": 0,
    "freshness_minutes": 0.2,
    "drift": 0.0,
    "newest_batch": _BATCH,
    "monitoring": {"freshness": _FRESH, "quality": None, "volume": None, "drift": None},
}
EDA = {
    "run": DATA_RUN,
    "results_of": DATA_RUN,
    "at": 1795231746310,
    "tables": [{"name": "summary.json", "title": "Summary statistics"}],
    "charts": [{"name": "map.vl.json", "title": "Prices by place"}],
}
BATCHES = {"batches": [_BATCH]}
METRICS = {"metrics": [{"run": ML_RUN, "at": 1795231860412, "figures": _FIGURES}]}
MODELS = {"champion": _CHAMPION, "decisions": [_DECISION]}

# The first row of the census file.
BLOCK = {
    "longitude": -122.23,
    "latitude": 37.88,
    "housing_median_age": 41,
    "total_rooms": 880,
    "total_bedrooms": 129,
    "population": 322,
    "households": 126,
    "median_income": 8.3252,
    "ocean_proximity": "NEAR BAY",
}
PREDICT = {"blocks": [BLOCK], "explain": True}
_BANDS = [
    {"name": "up to $119,300", "low": 0, "high": 119300, "probability": 0.0},
    {"name": "$119,300 to $179,300", "low": 119300, "high": 179300, "probability": 0.001},
    {"name": "$179,300 to $264,600", "low": 179300, "high": 264600, "probability": 0.0045},
    {"name": "over $264,600", "low": 264600, "high": None, "probability": 0.9945},
]
PREDICTED = {
    "model": {"fingerprint": FINGERPRINT, "algorithm": "lightgbm", "version": "2", "since": 1795231860412},
    "predictions": [
        {
            "price": 440737,
            "low": 338428,
            "high": 500001,
            "coverage": 0.9,
            "band": _BANDS[3],
            "bands": _BANDS,
            "comparables": 61.5,
            "typical_price": 247725,
            "reasons": [
                {"reason": "income", "dollars": 105213},
                {"reason": "dwellings", "dollars": 51237},
                {"reason": "location", "dollars": 43783},
                {"reason": "age", "dollars": -7221},
            ],
        }
    ],
}
