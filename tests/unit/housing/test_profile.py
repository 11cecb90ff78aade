"""Every figure of the profile, against pandas, NumPy and SciPy, which compute it otherwise."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

import ibis
import ibis.expr.types as ir
import msgspec
import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from scipy import stats

from tests.unit.housing.samples import clean, csv, drawn, real_file
from tidemark.errors import NotFound
from tidemark.housing.columns import BY_NAME, CATEGORY, HELD_OUT, INCOME, NAMES, NUMBERS, PRICE
from tidemark.housing.profile import STEPS, Study, importance, prepared
from tidemark.housing.profile.bins import Binning, Distributions, PriceMap, round_width
from tidemark.housing.profile.categories import Encoding
from tidemark.housing.profile.importance import Importance
from tidemark.housing.profile.relations import Correlations
from tidemark.housing.profile.study import TWENTIETHS
from tidemark.housing.profile.univariate import (
    Imputation,
    MissingValues,
    Normalisation,
    Outliers,
    Summary,
    Types,
)
from tidemark.models.significance import (
    chi_squared,
    correlation_p,
    cramers_v,
    holm,
    mean_interval,
    mutual_information,
)

# Ibis 12 still calls DuckDB by a name that DuckDB 2 is giving up.
pytestmark = pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")

BEDROOMS = "total_bedrooms"
ATHENA_LIMIT = 262_144
"""Bytes of a query string that Athena takes."""


class Recorded(Study):
    """Remembers what it ran."""

    def __init__(self, table: ir.Table, *, keep: bool = True) -> None:
        super().__init__(table, keep=keep)
        self.ran: list[ir.Table] = []

    def run(self, expression: ir.Table) -> list[dict[str, Any]]:
        self.ran.append(expression)
        return super().run(expression)


class Subject(NamedTuple):
    """A table, once as pandas has it and once as DuckDB."""

    frame: pd.DataFrame
    table: ir.Table
    results: dict[str, Any]


def stored(frame: pd.DataFrame, folder: Path, parts: int = 3) -> ir.Table:
    for part in range(parts):
        frame.iloc[part::parts].to_parquet(folder / f"{part}.parquet")
    return ibis.duckdb.connect().read_parquet(str(folder / "*.parquet"), table_name="clean")


@pytest.fixture(scope="module", params=["drawn", "real"])
def subject(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Subject]:
    content = csv(drawn(3_000)) if request.param == "drawn" else real_file().read_bytes()
    frame = clean(content)
    table = stored(frame, tmp_path_factory.mktemp("clean"))
    study = Study(table)
    yield Subject(frame, table, {step.name: step.run(study) for step in STEPS})
    table.get_backend().disconnect()


def near(value: float | None, expected: float, tolerance: float = 1e-9) -> bool:
    assert value is not None
    return math.isclose(value, float(expected), rel_tol=tolerance, abs_tol=tolerance)


def test_summary(subject: Subject) -> None:
    result: Summary = subject.results["summary"]
    assert result.rows == len(subject.frame)
    for of in result.numbers:
        values = subject.frame[of.column]
        assert (of.count, of.distinct) == (values.count(), values.nunique())
        expected = [values.mean(), values.std(), values.min(), *values.quantile([0.25, 0.5, 0.75]), values.max()]
        found = [of.mean, of.sd, of.min, of.q1, of.median, of.q3, of.max]
        assert all(near(one, other) for one, other in zip(found, expected, strict=True)), of
        assert near(of.skew, values.skew())
    counts = subject.frame[CATEGORY].value_counts()
    assert result.category.most_frequent == counts.index[0]
    assert near(result.category.most_frequent_share, counts.iloc[0] / len(subject.frame))


def test_the_real_figures(subject: Subject) -> None:
    if len(subject.frame) != 20_640:
        pytest.skip("these are the real file's")
    caps = {of.column: of.at_cap for of in subject.results["outliers"].columns}
    assert caps[PRICE] == 965
    assert subject.results["missing"].columns[4].count == 207
    assert {of.category: of.count for of in subject.results["encoding"].columns}["ISLAND"] == 5


def test_types(subject: Subject) -> None:
    result: Types = subject.results["types"]
    assert [of.column for of in result.columns] == [*NAMES, "block_id", HELD_OUT]
    assert all(of.fits for of in result.columns)
    assert {of.column for of in result.columns if of.whole} >= {"total_rooms", "population"}
    assert not next(of for of in result.columns if of.column == INCOME).whole


def test_missing(subject: Subject) -> None:
    result: MissingValues = subject.results["missing"]
    assert {of.column: of.count for of in result.columns} == subject.frame[list(NAMES)].isna().sum().to_dict()
    gaps = subject.frame[BEDROOMS].isna()
    by_category = {of.category: of.missing for of in result.by_category}
    assert by_category == gaps.groupby(subject.frame[CATEGORY]).sum().to_dict()
    table = pd.crosstab(gaps, subject.frame[CATEGORY])
    assert near(result.p, stats.chi2_contingency(table, correction=False).pvalue)


def test_imputation_and_normalisation(subject: Subject) -> None:
    result: Imputation = subject.results["imputation"]
    (of,) = result.columns
    before = subject.frame[BEDROOMS]
    after = before.fillna(before.median())
    assert (of.column, of.imputed) == (BEDROOMS, before.isna().sum())
    expected = [before.median(), before.mean(), after.mean(), before.std(), after.std()]
    found = [of.value, of.mean_before, of.mean_after, of.sd_before, of.sd_after]
    assert all(near(one, other) for one, other in zip(found, expected, strict=True))
    normal: Normalisation = subject.results["normalisation"]
    whole = subject.frame.assign(**{BEDROOMS: after})
    for column in normal.columns:
        values = whole[column.column]
        scaled = (values - values.mean()) / values.std()
        assert near(column.mean, values.mean())
        assert near(column.sd, values.std())
        assert near(column.min_after, scaled.min())
        assert near(column.max_after, scaled.max())


def test_the_prepared_table(subject: Subject) -> None:
    found = prepared(subject.table).to_pyarrow().to_pandas().sort_values("block_id", ignore_index=True)
    frame = subject.frame.sort_values("block_id", ignore_index=True)
    whole = frame.assign(**{BEDROOMS: frame[BEDROOMS].fillna(frame[BEDROOMS].median())})
    for name in NUMBERS:
        np.testing.assert_allclose(found[name], (whole[name] - whole[name].mean()) / whole[name].std(), atol=1e-9)
    ones = [name for name in found if name.startswith("is_")]
    assert len(ones) == len(BY_NAME[CATEGORY].categories)
    assert (found[ones].sum(axis=1) == 1).all()
    assert (found["is_1h_ocean"] == (frame[CATEGORY] == "<1H OCEAN")).all()
    assert (found[HELD_OUT] == frame[HELD_OUT]).all()


def test_outliers(subject: Subject) -> None:
    result: Outliers = subject.results["outliers"]
    for of in result.columns:
        values = subject.frame[of.column].dropna()
        q1, q3 = values.quantile([0.25, 0.75])
        low, high = q1 - 1.5 * (q3 - q1), q3 + 1.5 * (q3 - q1)
        assert near(of.low_fence, low)
        assert near(of.high_fence, high)
        assert (of.below, of.above) == ((values < low).sum(), (values > high).sum())
        cap = BY_NAME[of.column].cap
        assert of.at_cap == (0 if cap is None else (values == cap).sum())


def quantile_bins(values: pd.Series) -> pd.Series:
    return pd.qcut(values, 20, labels=False, duplicates="drop")


def test_correlations(subject: Subject) -> None:
    result: Correlations = subject.results["correlations"]
    pairs = {(pair.a, pair.b): pair for pair in result.pairs}
    assert set(pairs) == set(combinations((*NUMBERS, CATEGORY), 2))
    binned = {name: quantile_bins(subject.frame[name]) for name in NUMBERS} | {CATEGORY: subject.frame[CATEGORY]}
    for (a, b), pair in pairs.items():
        both = subject.frame[[a, b]].dropna()
        assert pair.rows == len(both)
        table = pd.crosstab(binned[a], binned[b]).to_numpy(float)
        shared = pair.mutual_information
        assert shared is not None
        assert near(shared.plug_in, plug_in(table))
        assert near(shared.corrected, plug_in(table) + (sum(table.shape) - (table > 0).sum() - 1) / 2 / table.sum())
        if b == CATEGORY:
            assert pair.cramers_v is not None
            assert near(pair.cramers_v.value, bergsma(table))
            assert near(pair.cramers_v.p, stats.chi2_contingency(table, correction=False).pvalue)
            assert pair.pearson is pair.spearman is None
        else:
            assert pair.pearson is not None
            assert pair.spearman is not None
            for found, expected in (
                (pair.pearson, stats.pearsonr(both[a], both[b])),
                (pair.spearman, stats.spearmanr(both[a], both[b])),
            ):
                assert near(found.value, expected.statistic)
                assert found.p is not None
                assert math.isclose(found.p, expected.pvalue, rel_tol=1e-6, abs_tol=1e-300)
                assert found.p_holm is not None
                assert found.p_holm >= found.p


def plug_in(table: npt.NDArray[np.float64]) -> float:
    p = table / table.sum()
    return float(np.nansum(p * np.log(np.where(p > 0, p, np.nan) / np.outer(p.sum(1), p.sum(0)))))


def bergsma(table: npt.NDArray[np.float64]) -> float:
    n, (r, k) = table.sum(), table.shape
    phi2 = max(
        0,
        stats.contingency.association(table.astype(int), method="cramer") ** 2 * (min(r, k) - 1)
        - (r - 1) * (k - 1) / (n - 1),
    )
    return math.sqrt(phi2 / min(r - (r - 1) ** 2 / (n - 1) - 1, k - (k - 1) ** 2 / (n - 1) - 1))


def test_binning(subject: Subject) -> None:
    result: Binning = subject.results["binning"]
    prices = subject.frame[PRICE]
    for of in result.columns:
        values = subject.frame[of.column]
        codes, edges = quantile_bins(values), np.unique(np.quantile(values.dropna(), TWENTIETHS)).tolist()
        assert [b.low for b in of.quantile] == edges[:-1]
        assert [b.high for b in of.quantile] == edges[1:]
        for code, b in enumerate(of.quantile):
            inside = prices[codes == code]
            assert b.count == len(inside)
            assert near(b.mean_price, inside.mean())
            assert near(b.sd_price, inside.std(), 1e-6)
            assert b.mean_price_low is not None
            assert b.mean_price_high is not None
            reach = stats.t.ppf(0.975, len(inside) - 1) * inside.std() / math.sqrt(len(inside))
            assert near((b.mean_price_high - b.mean_price_low) / 2, reach, 1e-6)
        assert [b.count for b in of.equal_width] == pd.cut(values, 20, labels=False).value_counts(sort=False).reindex(
            range(20), fill_value=0
        ).tolist()


def test_distributions(subject: Subject) -> None:
    result: Distributions = subject.results["distributions"]
    for of in result.columns:
        values = subject.frame[of.column].dropna()
        assert sum(of.counts) + of.beyond == len(values)
        assert of.counts == pd.cut(values, of.edges).value_counts(sort=False).tolist()
        assert len(of.counts) <= 62
        assert of.beyond <= 0.01 * len(values)


def test_encoding(subject: Subject) -> None:
    result: Encoding = subject.results["encoding"]
    assert [of.category for of in result.columns] == list(BY_NAME[CATEGORY].categories)
    for of in result.columns:
        prices = subject.frame[PRICE][subject.frame[CATEGORY] == of.category]
        low, high = stats.t.interval(0.95, len(prices) - 1, prices.mean(), stats.sem(prices))
        assert of.count == len(prices)
        assert near(of.mean_price, prices.mean())
        assert near(of.mean_price_low, low)
        assert near(of.mean_price_high, high)


def test_price_map(subject: Subject) -> None:
    result: PriceMap = subject.results["map"]
    cells = [np.floor(subject.frame[name] * 10 + 0.5) / 10 for name in ("longitude", "latitude")]
    expected = subject.frame[PRICE].groupby(cells).agg(["count", "median"])
    assert [(c.longitude, c.latitude, c.count, c.median_price) for c in result.cells] == [
        (*place, row["count"], row["median"]) for place, row in expected.sort_index().iterrows()
    ]


def test_importance_is_of_training_rows_only_and_always_the_same(subject: Subject) -> None:
    result: Importance = subject.results["importance"]
    training = subject.frame[~subject.frame[HELD_OUT]]
    assert result.trained_on + result.judged_on == min(len(training), 20_000)
    assert [of.mean for of in result.features] == sorted((of.mean for of in result.features), reverse=True)
    assert {of.column for of in result.features} == set(NAMES) - {PRICE}
    assert "longitude" not in {result.features[-1].column, result.features[-2].column} or len(subject.frame) < 20_640
    taken = importance.sample(Study(subject.table), most=500)
    expected = training.sort_values("block_id").head(500)
    assert taken["block_id"].tolist() == expected["block_id"].tolist()
    assert importance.importance(Study(subject.table)) == result


def test_results_are_json_without_gaps(subject: Subject) -> None:
    for name, result in subject.results.items():
        text = msgspec.json.encode(result)
        assert msgspec.json.decode(text, type=type(result)) == result, name
        assert not any(
            isinstance(leaf, float) and not math.isfinite(leaf) for leaf in leaves(msgspec.to_builtins(result))
        )


def leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from leaves(item)
    else:
        yield value


def test_every_expression_runs_without_temporary_tables_and_compiles_for_athena(tmp_path: Path) -> None:
    table = stored(clean(csv(drawn(400))), tmp_path)
    kept, study = Study(table), Recorded(table, keep=False)
    for step in STEPS:
        one, other = (list(leaves(msgspec.to_builtins(step.run(of)))) for of in (kept, study))
        assert len(one) == len(other)
        for a, b in zip(one, other, strict=True):
            assert near(a, b) if isinstance(a, float) and isinstance(b, float) else a == b, step.name
    assert len(study.ran) >= 10
    for expression in [*study.ran, prepared(table)]:
        query = ibis.to_sql(expression, dialect="athena")
        assert len(query.encode()) < ATHENA_LIMIT
        for foreign in ("QUANTILE", "MEDIAN(", "::", "LIST"):
            assert foreign not in query.upper()


@pytest.mark.parametrize("rows", [1, 2, 3])
def test_few_rows_are_no_error(rows: int, tmp_path: Path) -> None:
    frame = clean(csv(drawn(40))).head(rows).assign(total_bedrooms=math.nan, population=7.0)
    study = Study(stored(frame, tmp_path, parts=1))
    results: dict[str, Any] = {step.name: step.run(study) for step in STEPS}
    test_results_are_json_without_gaps(Subject(frame, study.table, results))
    assert results["summary"].numbers[4].mean is None
    assert results["importance"].features == []
    pair = next(p for p in results["correlations"].pairs if (p.a, p.b) == ("total_rooms", "population"))
    assert pair.pearson is None


def test_no_rows_say_so(tmp_path: Path) -> None:
    study = Study(stored(clean(csv(drawn(40))).head(0), tmp_path, parts=1))
    with pytest.raises(NotFound, match="no clean row yet"):
        STEPS[0].run(study)


def test_cramers_v_by_hand() -> None:
    # n = 100, chi-squared = 100 (60·40 - 0·0)² / (60·40·60·40) = 100 for [[60, 0], [0, 40]]
    assert chi_squared(np.array([[60.0, 0.0], [0.0, 40.0]])).statistic == pytest.approx(100)
    # phi² - 1/99 = 98/99, and each side's corrected number of categories less one is 1 - 1/99 = 98/99
    assert cramers_v(np.array([[60.0, 0.0], [0.0, 40.0]])) == pytest.approx(1)
    # [[30, 20], [20, 30]]: chi-squared = 4, phi² = 0.04; sqrt((0.04 - 1/99) / (98/99)) = sqrt(2.96/98)
    assert cramers_v(np.array([[30.0, 20.0, 0.0], [20.0, 30.0, 0.0]])) == pytest.approx(math.sqrt(2.96 / 98))
    assert cramers_v(np.array([[25.0, 25.0], [25.0, 25.0]])) == 0
    assert cramers_v(np.array([[5.0, 5.0]])) is None


def test_mutual_information_by_hand() -> None:
    found = mutual_information(np.array([[50.0, 0.0], [0.0, 50.0]]))
    assert found.plug_in == pytest.approx(math.log(2))
    assert found.corrected == pytest.approx(math.log(2) + (2 + 2 - 2 - 1) / 200)
    assert mutual_information(np.zeros((2, 2))) == (0.0, 0.0, None)


def test_holm_by_hand() -> None:
    assert holm([0.01, None, 0.04, 0.03]) == pytest.approx([0.03, None, 0.06, 0.06])
    assert holm([0.5, 0.6]) == [1.0, 1.0]
    assert correlation_p(1.0, 10) == 0
    assert correlation_p(0.5, 2) is None


def test_the_spread_of_equal_prices_is_nothing() -> None:
    assert mean_interval(1000, 1000 * 500_001.0, 1000 * 500_001.0**2) == (0.0, 500_001.0, 500_001.0)
    assert mean_interval(1, 5.0, 25.0) == (None, None, None)


def test_widths_are_round() -> None:
    assert [round_width(least) for least in (0, 0.17, 0.2, 0.86, 187, 8_083)] == [1, 0.2, 0.2, 1, 200, 10_000]
    assert TWENTIETHS[5] == 0.25
