"""Whether drawn sales can be told from real ones, column by column and as a whole.

Column by column: Kolmogorov and Smirnov's test for numbers, chi-squared for codes. As a whole: a classifier that has to
tell which sale is real (Lopez-Paz and Oquab, 2017). How well it does by chance is not assumed but measured: on drawn
sales against others drawn from another seed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

import lightgbm
import msgspec
import numpy as np
import pandas as pd
from scipy import stats
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import cross_val_predict

from simulator.sources import Row
from tidemark.store import Store

FOLDS = 5
NUMBERS = ("unit_price", "quantity", "minute", "weekday", "rating")
CODES = ("branch", "customer_type", "gender", "product_line", "payment")


class Column(msgspec.Struct, frozen=True):
    """One column of both: the test's statistic, and how probable a larger one is where both are alike."""

    name: str
    test: Literal["Kolmogorov-Smirnov", "chi-squared"]
    statistic: float
    p: float


class ToldApart(msgspec.Struct, frozen=True):
    """`auc`: how well a classifier tells the sales from drawn ones, .5 being a coin; `by_chance`: how well it told
    drawn sales from other drawn ones, sorted; `p`: the share of chance that does as well, real ones among them."""

    auc: float
    by_chance: list[float]
    p: float


def table(rows: Sequence[Row], store: Store) -> pd.DataFrame:
    """The columns that are compared, one row a sale."""
    zone = ZoneInfo(store.zone)
    moments = [datetime.fromisoformat(row["sold_at"]).astimezone(zone) for row in rows]
    found = pd.DataFrame({name: [row[name] for row in rows] for name in CODES})
    found["unit_price"] = [float(row["unit_price"]) for row in rows]
    found["quantity"] = [float(row["quantity"]) for row in rows]
    found["rating"] = [float(row["rating"]) for row in rows]
    found["minute"] = [float(60 * moment.hour + moment.minute) for moment in moments]
    found["weekday"] = [float(moment.weekday()) for moment in moments]
    return found


def columns(real: pd.DataFrame, drawn: pd.DataFrame) -> list[Column]:
    """Each column of two tables."""
    found = []
    for name in NUMBERS:
        numbers = stats.ks_2samp(real[name], drawn[name])
        found.append(Column(name, "Kolmogorov-Smirnov", float(numbers.statistic), float(numbers.pvalue)))
    for name in CODES:
        counts = pd.concat([real[name].value_counts(), drawn[name].value_counts()], axis=1).fillna(0)
        codes = stats.chi2_contingency(counts.to_numpy())
        found.append(Column(name, "chi-squared", float(codes.statistic), float(codes.pvalue)))
    return found


def chance(drawn: Sequence[pd.DataFrame]) -> list[float]:
    """How well drawn sales are told from other drawn ones, each table from the next."""
    return sorted(_auc(one, other) for one, other in zip(drawn[::2], drawn[1::2], strict=True))


def told_apart(real: pd.DataFrame, drawn: pd.DataFrame, by_chance: list[float]) -> ToldApart:
    """How well sales are told from drawn ones, beside what chance does."""
    auc = _auc(real, drawn)
    as_well = 1 + sum(one >= auc for one in by_chance)
    return ToldApart(auc, by_chance, as_well / (1 + len(by_chance)))


def _auc(one: pd.DataFrame, other: pd.DataFrame) -> float:
    both = pd.concat([one, other], ignore_index=True).astype(dict.fromkeys(CODES, "category"))
    labels = np.repeat([0, 1], [len(one), len(other)])
    order = np.random.default_rng(0).permutation(len(both))
    learner = lightgbm.LGBMClassifier(n_estimators=40, num_leaves=8, n_jobs=1, random_state=0, verbose=-1)
    said = cross_val_predict(learner, both.iloc[order], labels[order], cv=FOLDS, method="predict_proba")[:, 1]
    return float(roc_auc_score(labels[order], said))
