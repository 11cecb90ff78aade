"""What is offered: how many sales, how they are sent, and who looks on."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.scale import limits


@dataclass(frozen=True, kw_only=True)
class Load:
    """An hour at a steady rate.

    `batch`: sales in a POST. `branches`: how many, selling alike; a POST is of one, or, where `mixed`, of any.
    `addresses`: from how many public addresses it is posted. `spread_minutes`: over how many minutes before the POST
    the sales of one POST were sold. `clients`: browsers on the live page. `repeated`: the cells' stream is
    told to the live page too. `shards`: that an hour's cells are spread over. `seed`: of the simulation.
    """

    sales_per_second: float
    batch: int = 95
    branches: int = 3
    mixed: bool = False
    addresses: int = 3
    spread_minutes: float = 0.0
    clients: int = 20
    repeated: bool = True
    shards: int = int(limits.SHARDS.value)
    seed: int = 1

    @property
    def posts(self) -> float:
        """POSTs a second."""
        return self.sales_per_second / self.batch


A_BRANCH_SELLS = 10.0  # a second, at its busiest: some 60 tills


def tills(rate: float, seed: int = 1) -> Load:
    """Each till posts each of its sales at once; a branch's tills share one public address."""
    branches = max(3, round(rate / A_BRANCH_SELLS))
    return Load(sales_per_second=rate, batch=1, branches=branches, addresses=branches, clients=2 * branches, seed=seed)


def stores(rate: float, seed: int = 1) -> Load:
    """Each branch gathers 95 sales, or what it sold within ten seconds, and posts them."""
    branches = max(3, round(rate / A_BRANCH_SELLS))
    batch = min(95, max(1, round(10 * rate / branches)))
    return Load(
        sales_per_second=rate, batch=batch, branches=branches, addresses=branches,
        spread_minutes=batch / (rate / branches) / 60, clients=2 * branches, seed=seed,
    )  # fmt: skip


def shop(rate: float, seed: int = 1) -> Load:
    """One shop on the web: a single branch; four senders post up to 95 sales as soon as they have them."""
    batch = min(95, max(1, round(rate)))
    return Load(
        sales_per_second=rate, batch=batch, branches=1, addresses=4, spread_minutes=batch / rate / 60, seed=seed
    )


SHAPES = {"tills": tills, "stores": stores, "web shop": shop}
