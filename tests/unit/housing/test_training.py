"""Training: nothing of the rows held out chooses anything; and what is judged is judged right."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields, replace

import numpy as np
import pytest
from sklearn.metrics import mean_absolute_error, mean_absolute_percentage_error, r2_score, root_mean_squared_error

from tests.unit.housing.blocks import dataset, frame
from tidemark.adapters.memory_runs import MemoryObjects
from tidemark.errors import TidemarkError
from tidemark.housing import candidates, champions, evaluation
from tidemark.housing.dataset import FOLDS_FILE, SPATIAL_FOLDS, Dataset, from_frame, regions, split
from tidemark.housing.features import Blocks
from tidemark.housing.training import (
    BASELINES,
    MAKERS,
    Contender,
    advantages,
    choose,
    contend,
    elsewhere,
    folds_of,
    joined,
    judge,
    serving,
)
from tidemark.models.champion import Champion


@pytest.fixture(scope="module", autouse=True)
def few_trees() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(candidates.LIGHTGBM, "n_estimators", 40)
        patch.setitem(candidates.FOREST, "n_estimators", 20)
        yield


def garbled(whole: Dataset) -> Dataset:
    """The same training rows, with rubbish in the rows held out."""
    random = np.random.default_rng(9)
    figures = {
        field.name: np.where(whole.held_out, random.permutation(getattr(whole.blocks, field.name)), value)
        for field in fields(Blocks)
        for value in [getattr(whole.blocks, field.name)]
    }
    price = np.where(whole.held_out, random.uniform(1e4, 5e5, len(whole)), whole.price)
    return replace(whole, blocks=Blocks(**figures), price=price)


def everything_chosen(whole: Dataset) -> tuple[str, bytes, str]:
    contenders = {name: contend(name, whole) for name in MAKERS}
    winner = choose(contenders, whole.training)
    verdict = champions.challenge(MemoryObjects(), None, contenders[winner], contenders, whole.training)
    return winner, serving(contenders[winner], whole, {}).dumps(), verdict.reason


def test_the_rows_held_out_choose_nothing() -> None:
    """Whatever stands in the test set: the same winner, the same model to the last bit, the same decision."""
    whole = dataset(700)
    assert everything_chosen(whole) == everything_chosen(garbled(whole))


def test_the_rows_held_out_do_judge() -> None:
    whole = dataset(700)
    one, other = contend("ridge", whole), contend("ridge", garbled(whole))
    spatial = joined([elsewhere("ridge", fold, whole, one) for fold in range(SPATIAL_FOLDS)], whole)
    assert judge(one, whole, spatial).random != judge(other, garbled(whole), spatial).random


def test_a_region_is_predicted_by_models_that_never_saw_it() -> None:
    whole = dataset(700)
    contender = contend("random forest", whole)
    _, folds = regions(whole.blocks)
    there = folds == 2
    changed = replace(whole, price=np.where(there, 1e6, whole.price))
    assert (
        elsewhere("random forest", 2, whole, contender).price == elsewhere("random forest", 2, changed, contender).price
    ).all()


def test_folds_join_in_the_order_of_the_rows() -> None:
    whole = dataset(300)
    contender = contend("mean", whole)
    parts = [elsewhere("mean", fold, whole, contender) for fold in range(SPATIAL_FOLDS)]
    _, folds = regions(whole.blocks)
    found = joined(parts, whole)
    for fold, part in enumerate(parts):
        assert (found.price[folds == fold] == part.price).all()


def test_blocks_of_few_parts_of_the_state_are_judged_in_those() -> None:
    whole = dataset(900)
    _, folds = regions(whole.blocks)
    two, one = whole.take((folds == 1) | (folds == 3)), whole.take(folds == 3)
    assert folds_of(two) == [1, 3]
    contender = contend("ridge", two)
    spatial = joined([elsewhere("ridge", fold, two, contender) for fold in folds_of(two)], two)
    assert judge(contender, two, spatial).spatial.everything.rows == len(two)
    with pytest.raises(TidemarkError, match="lie in one part of the state"):
        folds_of(one)


def test_a_price_above_the_cap_counts_as_it_is_served() -> None:
    whole = dataset(400)
    contenders = {name: contend(name, whole) for name in ("mean", "ridge", "random forest")}
    high = np.log(np.where(whole.training.price == whole.training.price.max(), 9e6, whole.training.price))
    perfect = replace(contenders["random forest"], out_of_fold=high)
    verdict = champions.challenge(MemoryObjects(), None, perfect, contenders, whole.training)
    assert verdict.promoted
    assert verdict.over_baseline.value == pytest.approx(
        min(
            evaluation.regression(whole.training.price, np.exp(contenders[name].out_of_fold)).rmse for name in BASELINES
        ),
        rel=0.05,
    )


def test_a_champion_whose_files_are_gone_is_said_to_have_none() -> None:
    whole = dataset(400)
    contenders = {name: contend(name, whole) for name in ("mean", "ridge", "random forest")}
    gone = Champion("housing", "gone", "random forest", champions.model_key("gone"), "run", 1)
    perfect = replace(contenders["random forest"], out_of_fold=np.log(whole.training.price))
    verdict = champions.challenge(MemoryObjects(), gone, perfect, contenders, whole.training)
    assert "the champion's files are gone or broken, so that it cannot serve, and it is" in verdict.reason


def test_the_regions_are_a_file_of_60_in_5_groups() -> None:
    lines = FOLDS_FILE.read_text().splitlines()
    assert lines[0] == "latitude,longitude,fold"
    assert len(lines) == 61
    assert {line.split(",")[2] for line in lines[1:]} == set("01234")


def test_figures_are_scikit_learn_s() -> None:
    random = np.random.default_rng(3)
    price = random.uniform(5e4, 5e5, 400)
    said = price * random.uniform(0.7, 1.3, 400)
    found = evaluation.regression(price, said)
    assert found.rmse == pytest.approx(root_mean_squared_error(price, said))
    assert found.mae == pytest.approx(mean_absolute_error(price, said))
    assert found.r2 == pytest.approx(r2_score(price, said))
    assert found.mape == pytest.approx(mean_absolute_percentage_error(price, said))


def test_a_gain_that_is_chance_has_zero_in_its_interval() -> None:
    random = np.random.default_rng(4)
    price = random.uniform(5e4, 5e5, 500)
    ours, theirs = price + random.normal(0, 4e4, 500), price + random.normal(0, 4e4, 500)
    gain = evaluation.rmse_gain(price, ours, theirs)
    assert gain.low < 0 < gain.high
    assert evaluation.rmse_gain(price, price + 1e3, theirs).above_zero


def test_whole_regions_are_resampled() -> None:
    groups = np.repeat(np.arange(10), 7)
    counts = evaluation.resamples(70, groups)
    assert (counts.reshape(-1, 10, 7).std(axis=2) == 0).all()
    assert (counts[:, ::7].sum(axis=1) == 10).all()


def test_the_winner_stands_beside_every_other() -> None:
    whole = dataset(400)
    contenders = {name: contend(name, whole) for name in ("mean", "ridge")}
    spatial = {
        name: joined([elsewhere(name, fold, whole, one) for fold in range(SPATIAL_FOLDS)], whole)
        for name, one in contenders.items()
    }
    (found,) = advantages("ridge", contenders, spatial, whole)
    assert found.than == "mean"
    assert found.random.low <= found.random.value <= found.random.high


def test_the_order_of_batches_changes_nothing() -> None:
    rows = frame(400)
    shuffled = rows.sample(frac=1, random_state=5)
    assert from_frame(rows).fingerprint == from_frame(shuffled).fingerprint
    assert (from_frame(rows).price == from_frame(shuffled).price).all()


def test_too_few_rows_are_refused_in_words() -> None:
    with pytest.raises(TidemarkError, match="20 blocks are too few"):
        dataset(20)


@pytest.mark.parametrize("rows", [0, 1, 2, 10, 1000])
def test_a_split_is_thirty_per_cent_and_the_same_again(rows: int) -> None:
    assert (split(rows) == split(rows)).all()
    assert abs(split(rows).sum() - 0.3 * rows) <= 1


def test_a_champion_is_asked_only_about_rows_it_has_not_seen() -> None:
    objects = MemoryObjects()
    small, large = dataset(400), dataset(600)  # the first 400 rows are the same
    before: Contender = contend("random forest", small)
    model = serving(before, small, {})
    champions.keep(objects, "old", model.dumps(), small.training, before)
    champion = Champion("housing", "old", "random forest", champions.model_key("old"), "run", 1)
    assert champions.whole(objects, champion)
    said = champions.unseen_prices(objects, champion, large.training)
    known = np.isin(large.training.block_id, small.training.block_id)
    place = np.searchsorted(small.training.block_id, large.training.block_id[known])
    assert known.any()
    assert not known.all()
    assert (said[known] == before.out_of_fold[place]).all()
    np.testing.assert_allclose(np.exp(said[~known]), model.prices(large.training.blocks.take(~known)))


@pytest.mark.parametrize("content", [b"", b"rubbish" * 700, b"PK\x03\x04 half of a zip", None])
@pytest.mark.parametrize("which", [champions.model_key, champions.unseen_key])
def test_a_champion_whose_files_are_broken_is_not_whole(which: Callable[[str], str], content: bytes | None) -> None:
    objects, small = MemoryObjects(), dataset(400)
    before = contend("random forest", small)
    champions.keep(objects, "old", serving(before, small, {}).dumps(), small.training, before)
    champion = Champion("housing", "old", "random forest", champions.model_key("old"), "run", 1)
    if content is None:
        objects.put(which("old"), objects.get(which("old"))[:-200])
    else:
        objects.put(which("old"), content)
    assert not champions.whole(objects, champion)
