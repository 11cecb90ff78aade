"""The commit protocol under every fault that the design names, driven by Hypothesis.

Invariants after every step: the cells are what the ledger sums to; no answer contradicts the ledger; what a watcher
merges never has two values for one version. At the end, once everything was sent again without faults, every sale is
in the ledger once, and a watcher told of the stream's records has the ledger's own numbers.
"""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

from tests.property.faulty_ledger import Fault, FaultyLedger, LossyStream, Watcher, audited, environment, post
from tests.samples import minute, sale
from tidemark import writer
from tidemark.ingest import Ingest, Result

IDS = st.integers(0, 30)
BATCHES = st.lists(st.tuples(IDS, st.integers(0, 1)), min_size=1, max_size=12)
FAULTS = st.lists(st.sampled_from(Fault), max_size=4)


def row(number: int, variant: int) -> dict[str, Any]:
    """Sale `number`; another variant is another payload with the same id (a conflict)."""
    return sale(
        f"sale-{number}",
        sold_at=minute(number % 4),
        branch="AB"[number % 2],
        payment=("Cash", "Ewallet")[number % 3 == 0],
        quantity=1 + number % 5 + variant,
        tax=None,
        total=None,
        kind="return" if number % 7 == 0 else "sale",
    )


class CommitProtocol(RuleBasedStateMachine):
    environments = Bundle("environments")

    @initialize(target=environments)
    def begin(self) -> Ingest:
        self.ledger = FaultyLedger()
        self.stream = LossyStream()
        self.watcher = Watcher()
        self.tried: dict[str, list[tuple[int, int]]] = {}
        self.answers: list[tuple[int, int, Result]] = []
        return environment(self.ledger, self.stream)

    @rule(target=environments)
    def another_environment(self) -> Ingest:
        return environment(self.ledger, self.stream)

    def _post(self, ingest: Ingest, batch: list[tuple[int, int]]) -> None:
        for number, variant in batch:
            self.tried.setdefault(f"sale-{number}", []).append((number, variant))
        results = post(ingest, [row(*item) for item in batch])
        if results is not None:
            self.answers += [(*item, result) for item, result in zip(batch, results, strict=True)]

    @rule(ingest=environments, batch=BATCHES, faults=FAULTS)
    def post(self, ingest: Ingest, batch: list[tuple[int, int]], faults: list[Fault]) -> None:
        self.ledger.faults = faults
        self.ledger.while_frozen = lambda: None
        self._post(ingest, batch)
        self.ledger.faults = []

    @rule(frozen=environments, other=environments, batch=BATCHES, meanwhile=BATCHES, faults=FAULTS)
    def freeze(
        self,
        frozen: Ingest,
        other: Ingest,
        batch: list[tuple[int, int]],
        meanwhile: list[tuple[int, int]],
        faults: list[Fault],
    ) -> None:
        """`frozen` stops between making up its mind and sending; `other` posts; `frozen` goes on."""
        if frozen is other:
            other = environment(self.ledger, self.stream)
        self.ledger.while_frozen = lambda: self._post(other, meanwhile)
        self.ledger.faults = [Fault.FREEZE, Fault.NONE, *[f for f in faults if f is not Fault.FREEZE]]
        self._post(frozen, batch)
        self.ledger.faults = []
        self.ledger.while_frozen = lambda: None

    @rule(number=st.integers(0, 50))
    def an_old_request_lands(self, number: int) -> None:
        if self.ledger.late:
            self.ledger.land_late(number)

    @rule(broken=st.booleans())
    def the_live_stream_breaks_or_heals(self, broken: bool) -> None:
        self.stream.broken = broken

    @rule(data=st.data())
    def the_watcher_is_told(self, data: st.DataObject) -> None:
        """Any of what was published, in any order, again and again."""
        if self.stream.sent:
            for cells in data.draw(st.lists(st.sampled_from(self.stream.sent), max_size=6)):
                self.watcher.told(cells)

    @rule()
    def repair(self) -> None:
        """The cells' stream tells the state of every cell."""
        self.watcher.told(self.ledger.read())

    @invariant()
    def counters_are_the_ledger(self) -> None:
        assert audited(self.ledger, self.ledger) == []

    @invariant()
    def answers_are_true(self) -> None:
        accepted: set[int] = set()
        for number, variant, result in self.answers:
            held = self.ledger.get(f"sale-{number}")
            assert held is not None, "answered, and not in the ledger"
            same = held.entry.quantity == row(number, variant)["quantity"]
            assert same == (result.status != "conflict"), (number, variant, result)
            if result.status == "accepted":
                assert number not in accepted, "accepted twice"
                accepted.add(number)

    @invariant()
    def conflicts_are_kept(self) -> None:
        kept = {(c.sale.invoice_id, c.sale.quantity) for c in self.ledger.quarantined()}
        for number, variant, result in self.answers:
            if result.status == "conflict":
                assert (f"sale-{number}", row(number, variant)["quantity"]) in kept

    def teardown(self) -> None:
        if not hasattr(self, "ledger"):
            return
        while self.ledger.late:
            self.ledger.land_late(0)
        last = environment(self.ledger, self.stream)
        for sent in self.tried.values():
            self._post(last, [sent[-1]])
        self.watcher.told(self.ledger.read())
        self.counters_are_the_ledger()
        self.answers_are_true()
        assert {c.entry.invoice_id for c in self.ledger.scan()} == set(self.tried)
        assert {k: c.combos for k, c in self.watcher.seen.items()} == {
            cell.key: cell.combos for cell in self.ledger.read()
        }


TestCommitProtocol = CommitProtocol.TestCase
TestCommitProtocol.settings = settings(
    max_examples=150, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)


def test_a_writer_goes_on_under_a_new_name_before_a_cell_grows_too_large() -> None:
    ledger = FaultyLedger()
    ingest = environment(ledger, LossyStream())
    for start in range(0, 3 * writer.MAX_COMBOS, 50):
        rows = [sale(f"s{n}", product_line=f"line {n}", tax=None, total=None) for n in range(start, start + 50)]
        assert all(result.status == "accepted" for result in post(ingest, rows) or [])
    sizes = [len(cell.combos) for cell in ledger.read()]
    assert sum(sizes) == 3 * writer.MAX_COMBOS
    assert max(sizes) <= writer.MAX_COMBOS
    assert len({cell.key.writer for cell in ledger.read()}) == 3


def test_500_sales_of_500_minutes_stay_within_a_transaction() -> None:
    ledger = FaultyLedger()  # asserts DynamoDB's 100 items
    rows = [sale(f"s{n}", sold_at=minute(n), tax=None, total=None) for n in range(500)]
    assert [r.status for r in post(environment(ledger, LossyStream()), rows) or []] == ["accepted"] * 500
    assert audited(ledger, ledger) == []


def test_a_sale_whose_answer_was_lost_was_accepted_by_the_same_call() -> None:
    ledger = FaultyLedger()
    ledger.faults = [Fault.LOST_ANSWER]
    (result,) = post(environment(ledger, LossyStream()), [row(1, 0)]) or []
    assert result.status == "accepted"
