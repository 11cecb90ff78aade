"""Examples of what the routes of the sales model answer, as a run on the real supermarket file gave them."""

from __future__ import annotations

from typing import Any

_FINGERPRINT = "e11995c83da516eb"
_CHAMPION: dict[str, Any] = {
    "model": "sales",
    "fingerprint": _FINGERPRINT,
    "algorithm": "keras",
    "key": f"models/sales/{_FINGERPRINT}/",
    "run": "1795850460000-5a1be2f0c3d4",
    "at": 1795850691204,
    "version": "1",
    "previous": None,
}
_REASON = "promoted: better than the champion by 0.0198 of cross entropy (95 % interval +0.0162 to +0.0235)"
SALES_MODEL: dict[str, Any] = {
    "champion": _CHAMPION,
    "shadow": None,
    "at": 1795850882119,
    "seen": {
        "model": "sales-20261128-072228",
        "fingerprint": _FINGERPRINT,
        "champion": _CHAMPION,
        "shadow": None,
        "sales": 1000,
        "judged": True,
        "first": "2026-11-28T08:12:00+00:00",
        "last": "2026-11-28T09:58:00+00:00",
        "status": "ok",
        "findings": [
            {"name": "prices", "title": "Prices", "status": "ok", "words": "Prices are what they were."},
            {"name": "latency", "title": "Speed", "status": "ok", "words": "One sale is scored in 20 µs."},
        ],
        "worth": [{"part": "Basket value", "better": False, "words": "no better than constant quantiles"}],
        "training": "nothing calls for a training",
    },
    "decisions": [
        {
            "at": 1795850691204,
            "model": "sales",
            "run": "1795850460000-5a1be2f0c3d4",
            "challenger": _FINGERPRINT,
            "champion": None,
            "promoted": True,
            "reason": _REASON,
            "rows": 9600,
            "over_baseline": {"value": 0.0932, "low": 0.0865, "high": 0.1},
            "over_champion": {"value": 0.0198, "low": 0.0162, "high": 0.0235},
        }
    ],
}
FORECAST: dict[str, Any] = {
    "at": 1795850882119,
    "outlook": {
        "forecasts": {
            "version": "demand-20261128-082900",
            "day": "2026-11-28",
            "coming": [
                {
                    "series": "all",
                    "hour": 14,
                    "lead": 1,
                    "mean": 6.1,
                    "low": 0.9,
                    "median": 5.5,
                    "high": 12.4,
                }
            ],
            "today": "2026-11-28",
            "past": [
                {
                    "forecast": {
                        "series": "all",
                        "hour": 13,
                        "lead": 1,
                        "mean": 5.8,
                        "low": 0.7,
                        "median": 5.1,
                        "high": 12.0,
                    },
                    "sold": 7.0,
                }
            ],
            "unknown": [],
        },
        "why": None,
        "champion": _CHAMPION | {"model": "demand", "key": f"models/demand/{_FINGERPRINT}/"},
        "worth": [{"part": "Demand", "better": False, "words": "no better than the mean"}],
    },
    "decisions": [],
}
CARD = "# Model card: sales-20261128-072228\n\nLearnt from 24,000 sales.\n"
KEPT = {"kept": 1, "unknown": []}
