"""The champion that serves: read once, kept between requests, and what it answers to POST /v1/housing/predict."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np

from tidemark.errors import Unavailable
from tidemark.housing.features import ENOUGH, OCEAN, Blocks
from tidemark.housing.geography import Floats
from tidemark.housing.price_model import COVERAGE, FIGURES, Estimates, PriceModel
from tidemark.housing.requests import Answer, Asked, Band, Block, Model, Prediction, Reason
from tidemark.models.champion import Champion
from tidemark.models.standing import Standing
from tidemark.ports import Objects, Runs
from tidemark.runs import PRICE_MODEL

IMPOSSIBLE = "no block has more bedrooms than rooms: the price means nothing"
LONELY = "nothing comparable within 3 km: the price is less sure than its interval says"


class Serving:
    """The champion and its model. `seconds` is a clock that only goes on, `report` takes what an operator should know.

    Who serves is asked at most every `LOOK_EVERY_S`, once somebody does; where that cannot be told just now, or the new
    champion cannot be read, the one before goes on.
    """

    def __init__(
        self, runs: Runs, objects: Objects, seconds: Callable[[], float], report: Callable[[str], object]
    ) -> None:
        self._objects = objects
        self._standing = Standing(PRICE_MODEL, runs, self._read, seconds, report)

    def champion(self) -> tuple[Champion, PriceModel]:
        """Who serves now. Raises Unavailable where nobody does, or nobody can be read."""
        found = self._standing.now()
        if found is not None:
            return found
        if self._standing.failure is not None:
            raise Unavailable("the price model cannot be read just now; try again") from self._standing.failure
        raise Unavailable("no price model serves yet; the flow housing-ml promotes the first one")

    def _read(self, found: Champion) -> PriceModel:
        model = PriceModel.loads(self._objects.get(found.key))
        estimates_of(model, model.typical)  # one that cannot price a block does not begin to serve
        return model

    def answer(self, asked: Asked) -> Answer:
        """What the champion says of the blocks. Raises Unavailable where nobody serves."""
        champion, model = self.champion()
        return Answer(
            Model(champion.fingerprint, champion.algorithm, champion.version, champion.at), predict(model, asked)
        )


def predict(model: PriceModel, asked: Asked) -> list[Prediction]:
    """A prediction for each block, in the order sent; the same for the same blocks, whatever stands beside them.

    Raises Unavailable where the model gives no number.
    """
    blocks = _columns(asked.blocks)
    found, comparables = estimates_of(model, blocks), model.comparables(blocks)
    typical = _dollars(model.prices(model.typical)[0])
    names, edges = _bands(model.edges)
    predictions = []
    for number in range(len(blocks)):
        bands = [
            Band(name, low, high, round(float(probability), 4))
            for name, (low, high), probability in zip(names, edges, found.bands[number], strict=True)
        ]
        predictions.append(
            Prediction(
                price=_dollars(found.price[number]),
                low=_dollars(found.low[number]),
                high=_dollars(found.high[number]),
                coverage=COVERAGE,
                band=bands[int(found.bands[number].argmax())],
                bands=bands,
                comparables=round(float(comparables[number]), 1),
                typical_price=typical,
                reasons=_reasons(model, blocks, number, typical) if asked.explain else None,
                warning=_warning(
                    asked.blocks[number], float(comparables[number]), float(found.price[number]), model.cap
                ),
            )
        )
    return predictions


def estimates_of(model: PriceModel, blocks: Blocks) -> Estimates:
    """The model's estimates. Raises Unavailable where one of them is no number."""
    found = model.estimates(blocks)
    if not all(np.isfinite(figures).all() for figures in (found.price, found.low, found.high, found.bands)):
        raise Unavailable("the price model gives no number for these blocks")
    return found


def _columns(blocks: Sequence[Block]) -> Blocks:
    figures: dict[str, Floats] = {
        name: np.array([_number(getattr(block, name)) for block in blocks], np.float64)
        for name in ("longitude", "latitude", *FIGURES)
    }
    oceans = {name: code for code, name in enumerate(OCEAN)}
    return Blocks(**figures, ocean_proximity=np.array([oceans[block.ocean_proximity] for block in blocks], np.int64))


def _number(value: float | None) -> float:
    return np.nan if value is None else value


def _dollars(value: float) -> int:
    return round(float(value))


def _bands(limits: Floats) -> tuple[list[str], list[tuple[int, int | None]]]:
    """Names and limits of the bands that some prices part, shape (limits,)."""
    dollars = [_dollars(limit) for limit in limits]
    names = [f"up to ${dollars[0]:,}"]
    names += [f"${low:,} to ${high:,}" for low, high in pairwise(dollars)]
    return [*names, f"over ${dollars[-1]:,}"], list(zip([0, *dollars], [*dollars, None], strict=True))


def _reasons(model: PriceModel, blocks: Blocks, number: int, typical: int) -> list[Reason]:
    """By size. The largest takes what rounding leaves, so that they add up to the difference that is shown."""
    one = blocks.take(slice(number, number + 1))
    (moved,) = model.reasons(one)
    ordered = sorted(moved.items(), key=lambda reason: -abs(reason[1]))
    rest = [_dollars(value) for _, value in ordered[1:]]
    largest = _dollars(model.prices(one)[0]) - typical - sum(rest)
    return [
        Reason(name, dollars)  # type: ignore[arg-type]  # the names are the model's own
        for (name, _), dollars in zip(ordered, [largest, *rest], strict=True)
    ]


def _warning(block: Block, comparables: float, price: float, cap: float) -> str | None:
    words = [IMPOSSIBLE] if (block.total_bedrooms or 0) > block.total_rooms else []
    if comparables < ENOUGH:
        words.append(LONELY)
    if price >= cap:
        words.append(f"prices over ${cap:,.0f} are not told apart: it may be more")
    return "; ".join(words) or None
