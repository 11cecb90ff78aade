"""10 million rows in 20 files, read, checked, kept and profiled; beside pandas, NumPy and SciPy.

Each side in a process of its own, in turn; both must come to the same figures. `python -m benchmarks.flows_profile`
with `write FOLDER ROWS`, `ours FOLDER` or `pandas FOLDER` does one part.
"""

from __future__ import annotations

import json
import math
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.measure import ROOT, median
from tidemark.data import find
from tidemark.errors import Difference
from tidemark.housing.columns import BY_NAME, CATEGORY, COLUMNS, HELD_OUT, INCOME, NAMES, NUMBERS, PRICE

ROWS = 10_000_000
FILES = 20
SEED = 42
AGREE = 1e-6
BEDROOMS = "total_bedrooms"

Figures = dict[str, float]


def write_batches(folder: Path, rows: int = ROWS, seed: int = SEED) -> list[Path]:
    """`rows` rows in 20 CSV files: the real file's (or drawn ones where it is not here), drawn again with a jitter that
    keeps its precision: whole rooms, hundredths of a degree, whole hundreds of dollars. 1 row in 1,000 is bad."""
    import pyarrow as pa
    import pyarrow.csv

    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(seed)
    source, paths = _source(random), []
    for part, size in enumerate(np.diff(np.linspace(0, rows, FILES + 1).astype(int))):
        path = folder / f"batch-{part:02}.csv"
        table = pa.Table.from_pandas(_jittered(source, int(size), random), preserve_index=False)
        pyarrow.csv.write_csv(table, path, pyarrow.csv.WriteOptions(quoting_style="none"))
        paths.append(path)
    return paths


def _source(random: np.random.Generator) -> pd.DataFrame:
    found = find("california_housing.csv")
    if found is not None:
        return pd.read_csv(found)
    rows = 20_000
    income = np.minimum(random.lognormal(1.2, 0.5, rows), 15.0001).round(4)
    rooms = random.lognormal(7.6, 0.7, rows).round().clip(6, 39_000)
    bedrooms = (rooms / 5).round().clip(1)
    bedrooms[random.random(rows) < 0.01] = np.nan
    columns = [random.uniform(-124, -115, rows), random.uniform(33, 42, rows), random.integers(1, 53, rows), rooms]
    columns += [bedrooms, (rooms / 2).round().clip(3), (rooms / 5.4).round().clip(1), income]
    columns += [(income * 45_000 + random.normal(30_000, 40_000, rows)).clip(15_000, 500_001).round()]
    frame = pd.DataFrame(dict(zip(NUMBERS, columns, strict=True)), dtype=float)
    return frame.assign(**{CATEGORY: random.choice(BY_NAME[CATEGORY].categories, rows)})


def _jittered(source: pd.DataFrame, rows: int, random: np.random.Generator) -> pd.DataFrame:
    frame = source.iloc[random.integers(0, len(source), rows)].reset_index(drop=True)
    for name in ("longitude", "latitude"):
        frame[name] = (frame[name] + random.integers(-2, 3, rows) / 100).round(2)
    more = random.uniform(0.98, 1.02, rows)
    for name in ("total_rooms", BEDROOMS, "population", "households"):
        frame[name] = (frame[name] * more).round().clip(lower=1)
    for name, step in ((INCOME, 1e-4), (PRICE, 100.0)):
        moved = (frame[name] * random.uniform(0.99, 1.01, rows) / step).round() * step
        frame[name] = frame[name].where(frame[name] == BY_NAME[name].cap, moved.round(4))
    frame["latitude"] = frame["latitude"].mask(random.random(rows) < 0.001, 0.0)
    return frame


def ours(folder: Path) -> Figures:
    """As the flow does it: each batch checked and kept as Parquet, then every step but importance, on DuckDB."""
    import ibis

    from tidemark.housing import batches
    from tidemark.housing.profile import STEPS, Study

    random, kept, bad = np.random.default_rng(SEED), folder / "clean", 0
    kept.mkdir(exist_ok=True)
    for path in sorted(folder.glob("*.csv")):
        checked = batches.check(path.read_bytes())
        rows = checked.rows
        rows[HELD_OUT] = random.random(len(rows)) < 0.3
        rows.to_parquet(kept / f"{checked.sha256}.parquet", index=False)
        bad += len(checked.quarantined)
    backend = ibis.duckdb.connect(threads=2, memory_limit="2GB", temp_directory=str(folder / "spill"))
    study = Study(backend.read_parquet(str(kept / "*.parquet"), table_name="clean"))
    results: dict[str, Any] = {step.name: step.run(study) for step in STEPS if step.name != "importance"}
    found: Figures = {"quarantined": bad, "rows": results["summary"].rows}
    for of in results["summary"].numbers:
        names = ("count", "mean", "sd", "q1", "median", "q3", "skew", "distinct")
        found |= {f"{name} {of.column}": getattr(of, name) for name in names}
    for of in results["outliers"].columns:
        found |= {f"outliers {of.column}": of.below + of.above, f"at_cap {of.column}": of.at_cap}
    for of in results["normalisation"].columns:
        found[f"scaled_max {of.column}"] = of.max_after
    for pair in results["correlations"].pairs:
        key = f"{pair.a} {pair.b}"
        found[f"information {key}"] = pair.mutual_information.corrected
        if pair.b == CATEGORY:
            found[f"cramers_v {key}"] = pair.cramers_v.value
        else:
            found |= {f"pearson {key}": pair.pearson.value, f"spearman {key}": pair.spearman.value}
    for of in results["binning"].columns:
        for kind in ("quantile", "equal_width"):
            prices = [b.mean_price * b.count for b in getattr(of, kind) if b.count]
            found[f"{kind} {of.column}"] = float(np.dot(prices, np.arange(len(prices))))
    for of in results["encoding"].columns:
        found |= {f"price {of.category}": of.mean_price, f"price_high {of.category}": of.mean_price_high}
    for of in results["missing"].by_category:
        found[f"missing {of.category}"] = of.missing
    for of in results["distributions"].columns:
        found[f"histogram {of.column}"] = float(np.dot(of.counts, np.arange(len(of.counts))))
    cells = results["map"].cells
    found |= {"cells": len(cells), "medians": sum(cell.median_price for cell in cells)}
    return found


def by_pandas(folder: Path) -> Figures:
    """The same, as an analyst does it with pandas, NumPy and SciPy."""
    from scipy import stats

    from tidemark.housing.profile.bins import bar_edges  # the same bars, or histograms could not be compared

    frame, bad = _read_by_pandas(folder)
    found: Figures = {"quarantined": bad, "rows": len(frame)}
    prices, edges = frame[PRICE], {}
    for name in NUMBERS:
        values = frame[name].to_numpy()
        values = values[~np.isnan(values)]
        quantiles = np.quantile(values, [*(k / 20 for k in range(21)), 0.99])
        edges[name] = np.unique(quantiles[:21])
        q1, median, q3 = quantiles[[5, 10, 15]]
        mean, sd = values.mean(), values.std(ddof=1)
        column = {"count": len(values), "mean": mean, "sd": sd, "q1": q1, "median": median, "q3": q3}
        column |= {"skew": pd.Series(values).skew(), "distinct": pd.Series(values).nunique()}
        fence = 1.5 * (q3 - q1)
        column["outliers"] = int(((values < q1 - fence) | (values > q3 + fence)).sum())
        column["at_cap"] = int((values == BY_NAME[name].cap).sum())
        filled = frame[name].fillna(median) if name == BEDROOMS else frame[name]
        column["scaled_max"] = (quantiles[20] - filled.mean()) / filled.std()
        bars = bar_edges(_Quantiles(quantiles))  # type: ignore[arg-type]
        counts = np.bincount(np.searchsorted(bars, values, side="left") - 1, minlength=len(bars))
        column["histogram"] = np.dot(counts[: len(bars) - 1], np.arange(len(bars) - 1))
        found |= {f"{figure} {name}": float(value) for figure, value in column.items()}
    found |= _correlations_by_pandas(frame)
    codes = {name: pd.cut(frame[name], edges[name], labels=False, include_lowest=True) for name in NUMBERS}
    for name in NUMBERS:
        for kind, code in (("quantile", codes[name]), ("equal_width", pd.cut(frame[name], 20, labels=False))):
            groups = prices.groupby(code).agg(["mean", "std", "count"])
            found[f"{kind} {name}"] = float(np.dot(groups["mean"] * groups["count"], np.arange(len(groups))))
    by_category = prices.groupby(frame[CATEGORY]).agg(["mean", "sem", "count"])
    missing = frame[BEDROOMS].isna().groupby(frame[CATEGORY]).sum()
    for name, row in by_category.iterrows():
        reach = stats.t.ppf(0.975, row["count"] - 1) * row["sem"]
        found |= {
            f"price {name}": row["mean"],
            f"price_high {name}": row["mean"] + reach,
            f"missing {name}": missing[name],
        }
    coded = {name: code.fillna(-1).to_numpy().astype(np.int64) for name, code in codes.items()}
    coded[CATEGORY] = frame[CATEGORY].astype("category").cat.codes.to_numpy().astype(np.int64)
    for a, b in combinations(coded, 2):
        table = np.bincount((coded[a] + 1) * 21 + coded[b] + 1, minlength=21 * 21).reshape(21, 21)[1:, 1:]
        table = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
        n, (r, k) = table.sum(), table.shape
        p = table / n
        used = p > 0
        information = float((p[used] * np.log((p / np.outer(p.sum(axis=1), p.sum(axis=0)))[used])).sum())
        found[f"information {a} {b}"] = information + (r + k - used.sum() - 1) / (2 * n)
        chi2 = stats.chi2_contingency(table, correction=False).statistic
        if b == CATEGORY:
            phi2 = max(0.0, chi2 / n - (k - 1) * (r - 1) / (n - 1))
            found[f"cramers_v {a} {b}"] = math.sqrt(
                phi2 / (min(k - (k - 1) ** 2 / (n - 1), r - (r - 1) ** 2 / (n - 1)) - 1)
            )
    places = [np.floor(frame[name] * 10 + 0.5).astype(int) for name in ("longitude", "latitude")]
    cells = prices.groupby(places).median()
    return found | {"cells": len(cells), "medians": float(cells.sum())}


def _read_by_pandas(folder: Path) -> tuple[pd.DataFrame, int]:
    random, kept, frames, bad = np.random.default_rng(SEED), folder / "by-pandas", [], 0
    kept.mkdir(exist_ok=True)
    for path in sorted(folder.glob("*.csv")):
        frame = pd.read_csv(path)
        good = ~frame.duplicated() & ~(frame[BEDROOMS] > frame["total_rooms"])
        for column in COLUMNS:
            values = frame[column.name]
            fits = values.isin(column.categories) if column.categories else values.between(column.low, column.high)
            good &= fits | values.isna() if column.nulls else fits
        bad += int((~good).sum())
        rows = frame.loc[good, list(NAMES)]
        rows = rows.assign(block_id=pd.util.hash_pandas_object(rows, index=False).astype("int64"))
        rows = rows.assign(held_out=random.random(len(rows)) < 0.3)
        rows.to_parquet(kept / f"{path.stem}.parquet", index=False)
        frames.append(rows[list(NAMES)].astype({CATEGORY: "category"}))
    return pd.concat(frames, ignore_index=True)[list(NAMES)], bad


def _correlations_by_pandas(frame: pd.DataFrame) -> Figures:
    """Pairs with the column that has gaps are of the rows that have it; all others are ranked but once."""
    numbers = frame[list(NUMBERS)]
    found = {}
    pearson = numbers.corr()
    whole = numbers.drop(columns=BEDROOMS).rank()
    spearman = pd.DataFrame(np.corrcoef(whole.to_numpy(), rowvar=False), index=whole.columns, columns=whole.columns)
    del whole
    paired = numbers[numbers[BEDROOMS].notna()].rank()
    with_gaps = dict(zip(NUMBERS, np.corrcoef(paired.to_numpy(), rowvar=False)[NUMBERS.index(BEDROOMS)], strict=True))
    for a, b in combinations(NUMBERS, 2):
        gappy = BEDROOMS in (a, b)
        found[f"pearson {a} {b}"] = float(pearson.loc[a, b])
        found[f"spearman {a} {b}"] = with_gaps[a if b == BEDROOMS else b] if gappy else float(spearman.loc[a, b])
    return found


class _Quantiles:
    """What `bar_edges` asks for."""

    def __init__(self, values: np.ndarray) -> None:
        self._values = {0.0: values[0], 1.0: values[20], 0.99: values[21]}

    def quantile(self, p: float) -> float:
        return float(self._values[p])


SIDES: dict[str, Callable[[Path], Figures]] = {"ours": ours, "pandas": by_pandas}


def measured(side: str, folder: Path) -> dict[str, Any]:
    """One side's figures, and what they cost. Imports count: a flow's run has them too."""
    began, cpu = time.perf_counter(), time.process_time()
    figures = SIDES[side](folder)
    scale = 1024 if sys.platform == "linux" else 1
    return {
        "wall_seconds": round(time.perf_counter() - began, 2),
        "cpu_seconds": round(time.process_time() - cpu, 2),
        "peak_rss_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * scale,
        "load": round(os.getloadavg()[0], 2),
        "figures": {name: float(value) for name, value in figures.items()},
    }


def agree(one: Figures, other: Figures) -> None:
    """Raises Difference that names the figures which do not agree within 1e-6 of their size."""
    apart = sorted(set(one) ^ set(other))
    apart += [n for n in one if n in other and not math.isclose(one[n], other[n], rel_tol=AGREE, abs_tol=1e-9)]
    if apart:
        raise Difference(
            "ours and pandas differ in " + ", ".join(f"{n} ({one.get(n)}, {other.get(n)})" for n in apart[:5])
        )


def both(rows: int = ROWS, turns: int = 2) -> dict[str, dict[str, float]]:
    """What each side costs: the medians of some turns, one after the other. Raises Difference where they disagree."""
    found: dict[str, list[dict[str, Any]]] = {side: [] for side in SIDES}
    with tempfile.TemporaryDirectory() as folder:
        write_batches(Path(folder), rows)
        for _ in range(turns):
            for side, runs in found.items():
                command = [sys.executable, "-m", "benchmarks.flows_profile", side, folder]
                process = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
                runs.append(json.loads(process.stdout))
    agree(found["ours"][0]["figures"], found["pandas"][0]["figures"])
    costs = ("wall_seconds", "cpu_seconds", "peak_rss_bytes")
    return {side: {cost: median([run[cost] for run in runs]) for cost in costs} for side, runs in found.items()}


def main() -> None:
    """One part: `write FOLDER [ROWS]`, `ours FOLDER`, `pandas FOLDER`."""
    part, folder = sys.argv[1], Path(sys.argv[2])
    if part == "write":
        write_batches(folder, int(sys.argv[3]) if len(sys.argv) > 3 else ROWS)
    else:
        print(json.dumps(measured(part, folder)))


if __name__ == "__main__":
    main()
