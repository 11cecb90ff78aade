"""Ingest: a request's body becomes scored, committed, counted and published sales. The one way in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import msgspec
import numpy as np

from tidemark import access, money, rules, sale
from tidemark.batch import Batch, Bools, OffGrid, tabulate
from tidemark.cells import MEASURES, Cell, Combo, measures
from tidemark.errors import Unavailable
from tidemark.grants import Branches
from tidemark.ledger import Entry, digest
from tidemark.ports import Conflict, Ledger, LiveStream
from tidemark.privacy.personal import Pseudonyms
from tidemark.sale import Rejection, Row, Sale
from tidemark.scoring import Scorer, Scores
from tidemark.store import Store
from tidemark.writer import Candidate, Clock, Writer

_SALES, _RETURNED = MEASURES.index("sales"), MEASURES.index("returned_sales")


class Result(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of one row. `score` and `flags` only of a sale that was accepted."""

    invoice_id: str | None
    status: Literal["accepted", "duplicate", "conflict", "rejected"]
    reason: str | None = None
    score: float | None = None
    flags: tuple[str, ...] = ()


class Answer(msgspec.Struct, frozen=True):
    """The answer to a POST: a result for each row in the order sent, and the model that scored them."""

    results: list[Result]
    model: str


class Posted(msgspec.Struct, frozen=True):
    """The answer, and whether those who watch have been told (if not, the cells' stream tells them later).

    Of the sales that were accepted `takings` (units of 1/10,000, returns taken off) and how many were anomalous.
    """

    answer: Answer
    published: bool
    takings: int = 0
    anomalies: int = 0


class Examined(msgspec.Struct, frozen=True):
    """A body's rows, those that are wrong as rejections, and what was found about the `n` sales among them."""

    rows: list[Row]
    batch: Batch
    hits: dict[str, Bools]
    scores: Scores


def examine(
    body: bytes,
    store: Store,
    scorer: Scorer,
    pseudonyms: Pseudonyms | None = None,
    branches: Branches = None,
) -> Examined | list[Row]:
    """Decode, name customers anew, validate, find features and score: all that needs nothing but the body, and the
    branches that who posts it may post.

    Returns the bare rows where no sale is among them. Raises BadRequest or TooLarge.
    """
    decoded = access.only(sale.decode(body), branches)
    rows, batch = _validate(pseudonyms.apply(decoded) if pseudonyms else decoded, store)
    if batch is None:
        return rows
    hits = rules.check(batch, store)
    flagged = np.logical_or.reduce(tuple(hits.values()))
    return Examined(rows, batch, hits, scorer.score(batch, flagged))


def _validate(rows: list[Row], store: Store) -> tuple[list[Row], Batch | None]:
    sales = [row for row in rows if isinstance(row, Sale)]
    if not sales:
        return rows, None
    try:
        return rows, tabulate(sales, store)
    except OffGrid as off:
        wrong = {id(sales[place]): reason for place, reason in off.reasons.items()}
        return _validate(
            [Rejection(row.invoice_id, wrong[id(row)]) if id(row) in wrong else row for row in rows], store
        )


class Ingest:
    """The service behind POST /v1/sales. Not thread-safe: one a process."""

    def __init__(
        self, store: Store, scorer: Scorer, ledger: Ledger, stream: LiveStream, pseudonyms: Pseudonyms
    ) -> None:
        self._store = store
        self._pseudonyms = pseudonyms
        self._scorer = scorer
        self._ledger = ledger
        self._stream = stream
        self._writer = Writer(ledger)

    def post(self, body: bytes, clock: Clock, branches: Branches = None, *, request: str = "") -> Posted:
        """Take the sales in `body`, of some branches or of all; `request`: what this call is known by
        (`tidemark/correlation.py`).

        Raises BadRequest or TooLarge where the envelope is wrong (nothing is taken) and Unavailable where the
        ledger does not answer in time (sending the same again is safe).
        """
        examined = examine(body, self._store, self._scorer, self._pseudonyms, branches)
        if not isinstance(examined, Examined):
            return Posted(Answer([_rejected(row) for row in examined], self._scorer.version), published=True)
        now = clock.now_ms()
        candidates = list(candidates_of(examined, now))
        committed = self._writer.commit(candidates, clock, request)
        outcomes = [outcome.status for outcome in committed.outcomes]
        accepted = [c for c, status in zip(candidates, outcomes, strict=True) if status == "accepted"]
        published = self._tell(committed.cells, [candidate.entry for candidate in accepted], request, clock.now_ms())
        conflicts = [
            Conflict(sold, candidate.digest, outcome.ledger_digest, now)
            for sold, candidate, outcome in zip(examined.batch.sales, candidates, committed.outcomes, strict=True)
            if outcome.status == "conflict"
        ]
        if conflicts:
            self._ledger.quarantine(conflicts)
        taken = map(_result, candidates, outcomes)
        results = [_rejected(row) if isinstance(row, Rejection) else next(taken) for row in examined.rows]
        takings = sum(candidate.measures[_SALES] - candidate.measures[_RETURNED] for candidate in accepted)
        anomalies = sum(candidate.entry.anomaly for candidate in accepted)
        return Posted(Answer(results, examined.scores.model), published, takings, anomalies)

    def _tell(self, cells: list[Cell], accepted: list[Entry], request: str, committed_at: int) -> bool:
        if not cells:
            return True
        try:
            anomalies = [entry for entry in accepted if entry.anomaly]
            self._stream.publish(cells, anomalies, request=request, committed_at=committed_at)
        except Unavailable:
            return False
        return True


def candidates_of(examined: Examined, now: int) -> Iterator[Candidate]:
    """What is committed for each sale; `now`: milliseconds since 1970, when it was received."""
    batch, scores = examined.batch, examined.scores
    flags: list[tuple[str, ...]] = [()] * len(batch)
    for rule, hit in examined.hits.items():
        for place in np.flatnonzero(hit):
            flags[place] = (*flags[place], rule)
    columns = zip(
        batch.sales,
        batch.minute.tolist(),
        batch.unit_price.tolist(),
        batch.cogs.tolist(),
        batch.tax.tolist(),
        batch.total.tolist(),
        batch.rating.tolist(),
        batch.rated.tolist(),
        scores.anomaly.tolist(),
        [None] * len(batch) if scores.score is None else scores.score.round(4).tolist(),
        [None] * len(batch) if scores.basket_quantiles is None else scores.basket_quantiles.round(2).tolist(),
        [None] * len(batch) if scores.segment is None else scores.segment,
        [None] * len(batch) if scores.shadow is None else scores.shadow.score.round(4).tolist(),
        flags,
        strict=True,
    )
    shadow = None if scores.shadow is None else scores.shadow.model
    for (
        sold, minute, unit_price, cogs, tax, total, rating, rated, anomaly, score, quantiles, segment, beside, hit,
    ) in columns:  # fmt: skip
        entry = Entry(
            invoice_id=sold.invoice_id,
            sold_at=sold.sold_at,
            minute=minute,
            branch=sold.branch,
            customer_type=sold.customer_type,
            product_line=sold.product_line,
            unit_price=money.to_text(unit_price),
            quantity=sold.quantity,
            payment=sold.payment,
            cogs=money.to_text(cogs),
            tax=money.to_text(tax),
            total=money.to_text(total),
            kind=sold.kind,
            anomaly=anomaly,
            model=scores.model,
            received_at=now,
            flags=hit,
            score=score,
            basket_quantiles=None if quantiles is None else tuple(quantiles),
            segment=segment,
            shadow=shadow,
            shadow_score=beside,
            rating=money.to_text(rating) if rated else None,
            city=sold.city,
            gender=sold.gender,
            customer_id=sold.customer_id,
        )
        yield Candidate(
            entry=entry,
            digest=digest(sold),
            combo=Combo(sold.product_line, sold.customer_type, sold.payment),
            measures=measures(
                kind=sold.kind,
                quantity=sold.quantity,
                total=total,
                cogs=cogs,
                tax=tax,
                rating=rating if rated else None,
                anomaly=anomaly,
            ),
        )


_REASONS = {
    "accepted": None,
    "duplicate": None,
    "conflict": "another sale has this id; this one is kept apart and not counted",
}


def _result(candidate: Candidate, status: Literal["accepted", "duplicate", "conflict"]) -> Result:
    if status == "accepted":
        return Result(candidate.entry.invoice_id, status, None, candidate.entry.score, candidate.entry.flags)
    return Result(candidate.entry.invoice_id, status, _REASONS[status])


def _rejected(row: Row) -> Result:
    assert isinstance(row, Rejection)
    return Result(row.invoice_id, "rejected", row.reason)
