"""Who scores the sales: the champion, or what came with the code while there is none; and a shadow beside it."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from tidemark.batch import Batch, Bools
from tidemark.models.champion import Champion
from tidemark.models.keys import SALES, SHADOW
from tidemark.models.standing import Standing
from tidemark.ports import Runs
from tidemark.scoring import Beside, Scorer, Scores

Read = Callable[[Champion], Scorer]
Report = Callable[[str], object]


class ChampionScorer:
    """Scores with the champion; where it cannot be read, the one before goes on, and `report` is told why.

    `bundled` scores while there is no champion. What the shadow says goes along with the scores and changes nothing:
    where it fails, there is no shadow.
    """

    def __init__(self, bundled: Scorer, runs: Runs, read: Read, seconds: Callable[[], float], report: Report) -> None:
        self._bundled, self._report = bundled, report
        self._champion = Standing(SALES, runs, read, seconds, report, optional=True)
        self._shadow = Standing(SHADOW, runs, read, seconds, report, optional=True)

    @property
    def version(self) -> str:
        """Of the model that scores now."""
        return self._scorer().version

    def _scorer(self) -> Scorer:
        serves = self._champion.now()
        return self._bundled if serves is None else serves[1]

    def score(self, batch: Batch, flagged: Bools) -> Scores:
        """What the champion says, and beside it the shadow."""
        scores = self._scorer().score(batch, flagged)
        shadow = self._shadow.now()
        if shadow is None or shadow[1].version == scores.model:
            return scores
        try:
            said = shadow[1].score(batch, flagged)
            assert said.score is not None
        except Exception as error:  # noqa: BLE001  # a shadow touches no answer
            self._report(f"the shadow {shadow[0].fingerprint} does not score: {type(error).__name__}: {error}")
            return scores
        return msgspec.structs.replace(scores, shadow=Beside(said.model, said.score))
