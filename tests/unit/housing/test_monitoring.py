from __future__ import annotations

import msgspec
import numpy as np
import pytest
from scipy import stats

from tests.unit.housing.samples import drawn
from tidemark.housing import monitoring
from tidemark.housing.columns import BY_NAME, COLUMNS, NUMBERS
from tidemark.housing.monitoring import drift, freshness, quality, sketch, volume
from tidemark.models.shift import ColumnDrift, Drift, Sketch, grid, merge, worst
from tidemark.runs import Batch

INCOME = "median_income"


def of(result: Drift, column: str) -> ColumnDrift:
    return next(found for found in result.columns if found.column == column)


@pytest.mark.parametrize(
    ("age", "status", "words"),
    [
        (30, "ok", "30 s ago"),
        (239, "ok", "4 min ago"),
        (240, "warn", "4 min ago; one is expected every 2 min"),
        (599, "warn", "10 min ago"),
        (600, "alert", "10 min ago"),
        (3 * 86_400, "alert", "3 d ago"),
        (-5, "ok", "0 s ago"),
    ],
)
def test_freshness(age: float, status: str, words: str) -> None:
    found = freshness(1_000_000 - age, 1_000_000, 120)
    assert found.status == status
    assert words in found.words
    assert found.age_seconds == max(age, 0)


def test_no_batch_at_all_is_an_alert() -> None:
    assert freshness(None, 0, 120) == monitoring.Freshness("alert", "No batch has been taken yet.", None, 120)


def test_batches_that_cannot_be_taken_are_told_of() -> None:
    found = freshness(1_000, 1_010, 120, stuck=2)
    assert (found.status, found.words.endswith(" 2 that came cannot be taken just now, and wait.")) == ("warn", True)
    found = freshness(None, 1_010, 120, stuck=1)
    assert found.words == "No batch has been taken yet. 1 that came cannot be taken just now, and waits."


@pytest.mark.parametrize(
    ("rows", "status"),
    [(1000, "ok"), (1200, "ok"), (1201, "warn"), (800, "ok"), (1500, "warn"), (1501, "alert"), (0, "alert")],
)
def test_volume_against_batches_of_one_size(rows: int, status: str) -> None:
    found = volume(rows, [5] * 100 + [1000] * 20)
    assert (found.status, found.median, found.low, found.high, found.batches) == (status, 1000, 800, 1200, 20)


def test_volume_bounds_are_robust() -> None:
    before = [900, 1000, 1100, 1000, 900, 1100, 1000, 50_000]
    found = volume(1400, before)
    assert (found.status, found.median) == ("ok", 1000)
    assert found.high == pytest.approx(1000 + 3 * 1.4826 * 100)
    assert volume(1890, before).status == "alert"


def batch(rows: int = 500, *, bad: int = 0, refused: bool = False) -> Batch:
    bad = rows if refused else bad
    return Batch("b", "b.csv", "0" * 64, 0, "r", rows, rows - bad, bad, 0, "cut off" if refused else None)


@pytest.mark.parametrize(
    ("newest", "status", "words"),
    [
        ([batch()], "ok", "Nothing of the newest batch is in quarantine."),
        ([batch()] * 30, "ok", "Nothing of the newest 20 batches is in quarantine."),
        ([batch()] * 20 + [batch(refused=True)] * 9, "ok", "Nothing"),
        ([batch(refused=True)], "alert", "Of the newest batch 1 is in quarantine whole."),
        (
            [batch()] * 19 + [batch(refused=True)],
            "warn",
            "Of the newest 20 batches 1 is in quarantine whole, of the others' 9,500 rows 0.",
        ),
        ([batch()] * 7 + [batch(refused=True)] * 3, "alert", "3 are in quarantine whole"),
        ([batch(bad=4)] * 9, "ok", "none are in quarantine whole, of the others' 4,500 rows 36."),
        ([batch(bad=5)] * 9, "warn", "rows 45."),
        ([batch(bad=50)] * 9, "alert", "rows 450."),
    ],
)
def test_quality(newest: list[Batch], status: str, words: str) -> None:
    found = quality(newest)
    assert found.status == status
    assert words in found.words


def test_few_batches_say_nothing_of_volume() -> None:
    found = volume(3, [1000] * 4)
    assert (found.status, found.low, found.batches) == ("ok", None, 4)
    assert "too few to say" in found.words


def test_sketches_count_every_row_and_add_up() -> None:
    frame = drawn(2_000)
    whole = sketch(frame)
    assert all(sum(counts) == whole.rows == len(frame) for counts in whole.counts.values())
    assert whole.counts["total_bedrooms"][-1] == frame["total_bedrooms"].isna().sum()
    parts = [sketch(frame.iloc[start : start + 300]) for start in range(0, len(frame), 300)]
    assert merge(parts, COLUMNS) == whole
    assert merge([], COLUMNS).rows == 0
    assert msgspec.json.decode(msgspec.json.encode(whole), type=Sketch) == whole


def test_values_at_and_beyond_the_ends_of_the_grid_are_counted() -> None:
    frame = drawn(40)
    for column in COLUMNS:
        if column.kind == "number":
            frame[column.name] = np.resize([column.low, column.high, column.high * 2, -1e9], len(frame))
    assert all(sum(counts) == len(frame) for counts in sketch(frame).counts.values())


def test_a_batch_of_the_same_kind_has_not_moved() -> None:
    reference = [sketch(drawn(2_000, seed)) for seed in range(5)]
    for seed in range(10, 20):
        for rows in (60, 500):
            found = drift(reference, sketch(drawn(rows, seed)))
            assert found.status == "ok", found.words
            assert len(found.columns) == 10


def test_a_batch_of_another_kind_has_moved() -> None:
    reference, frame = [sketch(drawn(2_000, seed)) for seed in range(5)], drawn(1_000, 9)
    richer = drift(reference, sketch(frame.assign(median_income=(frame[INCOME] * 1.5).clip(upper=15))))
    assert (richer.status, richer.columns[0].column) == ("alert", INCOME)
    assert richer.words.startswith("Median income: moved far (PSI ")
    emptier = frame.assign(total_bedrooms=frame["total_bedrooms"].where(np.arange(len(frame)) % 10 > 0))
    assert of(drift(reference, sketch(emptier)), "total_bedrooms").status != "ok"
    inland = frame.assign(ocean_proximity="INLAND")
    assert of(drift(reference, sketch(inland)), "ocean_proximity").status == "alert"
    assert of(drift(reference, sketch(inland)), "ocean_proximity").ks is None


def test_ks_is_that_of_the_values_up_to_the_grid() -> None:
    one, other = drawn(3_000, 1), drawn(2_000, 2)
    other[INCOME] = (other[INCOME] * 1.2).clip(upper=15)
    found = drift([sketch(one)], sketch(other))
    for name in NUMBERS:
        exact = stats.ks_2samp(one[name].dropna(), other[name].dropna()).statistic
        width = np.diff(grid(BY_NAME[name])).max()
        ks = of(found, name).ks
        assert ks is not None
        assert exact - 0.03 <= ks <= exact + 1e-12, (name, width)


def test_psi_by_hand() -> None:
    # 50 % and 50 % against 80 % and 20 %: 0.3 ln(0.8/0.5) + (-0.3) ln(0.2/0.5)
    old, new = (drawn(100).assign(ocean_proximity=["INLAND"] * n + ["ISLAND"] * (100 - n)) for n in (50, 80))
    found = of(drift([sketch(old)], sketch(new)), "ocean_proximity")
    assert found.psi == pytest.approx(0.3 * np.log(1.6) - 0.3 * np.log(0.4))


def test_few_rows_say_nothing_of_drift() -> None:
    found = drift([sketch(drawn(1_000))], sketch(drawn(20).assign(median_income=15.0)))
    assert (found.status, found.columns) == ("ok", [])
    assert "20 rows are too few" in found.words


def test_the_worst_status_counts() -> None:
    assert (worst([]), worst(["ok", "warn"]), worst(["warn", "alert", "ok"])) == ("ok", "warn", "alert")
