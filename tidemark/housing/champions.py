"""Who serves, and who would like to: the price model's side of the promotion gate.

Challenger and champion are compared on training rows, each by what parts of it say that did not see the row: the rows
held out judge nobody here, so that they stay unseen for ever. A row that came after the champion was trained, the
champion itself has not seen.
"""

from __future__ import annotations

import io

import numpy as np
import numpy.typing as npt

from tidemark.errors import TidemarkError
from tidemark.housing import arrays
from tidemark.housing.dataset import Dataset
from tidemark.housing.geography import Floats
from tidemark.housing.price_model import PriceModel
from tidemark.housing.training import BASELINES, Contender
from tidemark.models import promotion
from tidemark.models.champion import Champion
from tidemark.models.promotion import Verdict
from tidemark.ports import Objects

FOLDER = "models/housing/"
DOLLARS = promotion.Measure(unit="$")


def model_key(fingerprint: str) -> str:
    """Where a model is in the bucket."""
    return f"{FOLDER}{fingerprint}.npz"


def unseen_key(fingerprint: str) -> str:
    """Where the prices are that it gave for rows that its parts had not seen."""
    return f"{FOLDER}{fingerprint}.unseen.npz"


def keep(objects: Objects, fingerprint: str, model: bytes, training: Dataset, contender: Contender) -> None:
    """Write a model, and what it said of its training rows unseen."""
    out = io.BytesIO()
    np.savez_compressed(out, block_id=training.block_id, log_price=contender.out_of_fold)
    objects.put(unseen_key(fingerprint), out.getvalue())
    objects.put(model_key(fingerprint), model)


def unseen_prices(objects: Objects, champion: Champion, training: Dataset) -> Floats:
    """The logarithm of each training row's price as the champion says without having seen the row.

    Raises TidemarkError where the champion's files are gone or broken.
    """
    model, known, said = _read(objects, champion)
    place = np.searchsorted(known, training.block_id)
    place = np.minimum(place, len(known) - 1)
    seen = known[place] == training.block_id
    found = np.empty(len(training))
    found[seen] = said[place[seen]]
    if not seen.all():
        found[~seen] = np.log(model.prices(training.blocks.take(~seen)))
    return found


def _read(objects: Objects, champion: Champion) -> tuple[PriceModel, npt.NDArray[np.int64], Floats]:
    model = PriceModel.loads(objects.get(champion.key))
    content = objects.get(unseen_key(champion.fingerprint))
    try:
        found = arrays.read(content)
        return model, found["block_id"], found["log_price"]
    except (arrays.NoArrays, KeyError) as error:
        raise TidemarkError(f"these are no prices of a model: {error}") from error


def whole(objects: Objects, champion: Champion) -> bool:
    """Whether the champion can serve, and be compared with another."""
    try:
        _read(objects, champion)
    except TidemarkError:
        return False
    return True


def challenge(
    objects: Objects, champion: Champion | None, challenger: Contender, others: dict[str, Contender], training: Dataset
) -> Verdict:
    """Whether the challenger takes over: squared errors in dollars on training rows, as parts say that saw them not."""
    baseline = min(
        (_losses(others[name].out_of_fold, training) for name in BASELINES), key=lambda losses: float(losses.mean())
    )
    theirs, none = None, promotion.NO_CHAMPION
    if champion is not None:
        try:
            theirs = _losses(unseen_prices(objects, champion, training), training)
        except TidemarkError:
            none = "the champion's files are gone or broken, so that it cannot serve"
    return promotion.judge(_losses(challenger.out_of_fold, training), baseline, theirs, DOLLARS, none=none)


def _losses(log_price: Floats, training: Dataset) -> Floats:
    """Of prices as they are served: none above the highest that the data tells apart."""
    losses: Floats = (np.minimum(np.exp(log_price), training.price.max()) - training.price) ** 2
    return losses
