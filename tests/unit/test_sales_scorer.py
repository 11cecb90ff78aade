"""Who scores: the champion as it changes, and a shadow that touches no answer."""

from __future__ import annotations

import numpy as np
import pytest

from tests.samples import body, sale
from tidemark.adapters.memory_runs import MemoryRuns
from tidemark.batch import Batch, Bools
from tidemark.errors import TidemarkError
from tidemark.ingest import Examined, candidates_of, examine
from tidemark.models.champion import Champion
from tidemark.models.keys import SALES, SHADOW
from tidemark.models.sales_scorer import ChampionScorer
from tidemark.models.standing import LOOK_EVERY_S
from tidemark.scoring import RulesOnly, Scores
from tidemark.store import Store


class Says:
    """A model that says the same of every sale; None: it fails."""

    def __init__(self, version: str, score: float | None) -> None:
        self.version, self._score = version, score

    def score(self, batch: Batch, flagged: Bools) -> Scores:
        if self._score is None:
            raise ValueError("no number")
        return Scores(self.version, anomaly=flagged, score=np.full(len(batch), self._score))


class Stage:
    """A scorer with all that is around it. Models are named after the score that they give."""

    def __init__(self) -> None:
        self.runs, self.now, self.said = MemoryRuns(), 0.0, list[str]()
        self.scorer = ChampionScorer(RulesOnly(), self.runs, self._read, lambda: self.now, self.said.append)

    def _read(self, champion: Champion) -> Says:
        if champion.fingerprint == "broken":
            raise TidemarkError("this file is no sales model")
        return Says(champion.fingerprint, None if champion.fingerprint == "fails" else float(champion.fingerprint))

    def crown(self, fingerprint: str, model: str = SALES) -> None:
        champion = Champion(model, fingerprint, "keras", "", "run", 0)
        assert self.runs.crown(champion, replacing=self.runs.champion(model))

    def later(self) -> None:
        self.now += LOOK_EVERY_S

    def scores(self) -> Scores:
        examined = examine(body(sale()), Store(), self.scorer)
        assert isinstance(examined, Examined)
        return examined.scores


def told(scores: Scores) -> tuple[str, list[float] | None, tuple[str, list[float]] | None]:
    shadow = scores.shadow
    return (
        scores.model,
        None if scores.score is None else scores.score.tolist(),
        None if shadow is None else (shadow.model, shadow.score.tolist()),
    )


@pytest.fixture
def stage() -> Stage:
    return Stage()


def test_what_came_with_the_code_scores_until_there_is_a_champion(stage: Stage) -> None:
    assert stage.scores().model == stage.scorer.version == "rules-1"
    stage.crown(".25")
    assert stage.scores().model == "rules-1"  # who serves is not asked at every sale
    stage.later()
    assert told(stage.scores()) == (".25", [0.25], None)
    assert stage.said == []


def test_without_a_champion_any_more_what_came_with_the_code_scores_again(stage: Stage) -> None:
    stage.crown(".25")
    assert stage.scores().model == ".25"
    champion = stage.runs.champion(SALES)
    assert champion is not None
    assert stage.runs.dismiss(champion)
    stage.later()
    assert stage.scores().model == "rules-1"


def test_a_champion_that_cannot_be_read_lets_the_one_before_go_on(stage: Stage) -> None:
    stage.crown(".25")
    assert stage.scores().model == ".25"
    stage.crown("broken")
    stage.later()
    assert stage.scores().model == ".25"
    assert stage.said == ["TidemarkError: this file is no sales model"]
    stage.crown(".5")
    stage.later()
    assert stage.scores().model == ".5"


def test_a_first_champion_that_cannot_be_read_leaves_what_came_with_the_code(stage: Stage) -> None:
    stage.crown("broken")
    assert stage.scores().model == "rules-1"
    assert len(stage.said) == 1


def test_a_shadow_scores_beside_and_changes_nothing(stage: Stage) -> None:
    stage.crown(".25")
    stage.crown(".75", SHADOW)
    stage.later()
    assert told(stage.scores()) == (".25", [0.25], (".75", [0.75]))
    shadow = stage.runs.champion(SHADOW)
    assert shadow is not None
    assert stage.runs.dismiss(shadow)
    stage.later()
    assert stage.scores().shadow is None


@pytest.mark.parametrize("trouble", ["broken", "fails"])
def test_a_shadow_that_fails_is_no_shadow(stage: Stage, trouble: str) -> None:
    stage.crown(".25")
    stage.crown(trouble, SHADOW)
    assert told(stage.scores()) == (".25", [0.25], None)
    assert len(stage.said) == 1


def test_the_ledger_keeps_what_the_shadow_said(stage: Stage) -> None:
    stage.crown(".25")
    stage.crown(".75", SHADOW)
    examined = examine(body(sale()), Store(), stage.scorer)
    assert isinstance(examined, Examined)
    (candidate,) = candidates_of(examined, 0)
    entry = candidate.entry
    assert (entry.model, entry.score, entry.shadow, entry.shadow_score) == (".25", 0.25, ".75", 0.75)
