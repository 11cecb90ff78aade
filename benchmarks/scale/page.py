"""The tables of `docs/scale.md`, by the names under which the page asks for them."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from functools import cache

from benchmarks.scale import dollars, limits, live, points, real, writers
from benchmarks.scale.load import SHAPES
from benchmarks.scale.use import INDEX_UNITS, LEDGER_UNITS, Outcome, outcome

DECADES = (10, 100, 1_000, 10_000, 100_000, 1_000_000)
SHOWN = 0.1  # of a limit; what no shape uses as much of is left out of a decade's table
_SECTION = re.compile(r"(<!-- table: (?P<name>[\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def filled_in(page: str) -> str:
    """The page with its tables as the simulation gives them now."""
    made = {"limits": _limits, "writes": _writes, "fan-out": _fan_out, "summary": _summary, "ceilings": _ceilings}
    tables: dict[str, Callable[[], str]] = made | {f"decade-{rate}": _decade_of(rate) for rate in DECADES}
    return _SECTION.sub(lambda found: f"{found[1]}{tables[found['name']]()}{found[3]}", page)


@cache
def at(shape: str, rate: float) -> Outcome:
    """What a shape comes to at a rate."""
    return outcome(SHAPES[shape](rate))


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    heads = list(head)
    lines = [heads, ["---"] * len(heads), *map(list, rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def short(value: float) -> str:
    """Two or three digits, with a unit's prefix above a thousand."""
    for factor, prefix in ((1e12, " T"), (1e9, " G"), (1e6, " M"), (1e3, " k")):
        if value >= factor * 0.9995:
            return f"{_digits(value / factor)}{prefix}"
    return _digits(value)


def _digits(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}".removesuffix(".0") if value >= 1 else f"{value:.2g}"


def _percent(share: float) -> str:
    if share < 0.005:
        return "–"
    text = f"{100 * share:.0f} %" if share < 10 else f"{_digits(share)} ×" if share < 1000 else f"{short(share)} ×"
    return f"**{text}**" if share > 1 else text


def _limits() -> str:
    rows = [
        (f"`{name}`", f"{figure.value:,.4g}" if figure.value < 1e6 else short(figure.value), figure.unit, figure.source)
        for name, figure in limits.all_figures().items()
    ]
    return _table(("constant", "value", "of what", "source"), rows)


@cache
def wrote(number: int) -> real.Wrote:
    """What the real code writes at a point."""
    point = points.WRITES[number]
    return real.write(point.load, point.writers)


def _writes() -> str:
    rows = []
    for number, point in enumerate(points.WRITES):
        true, found, batch = wrote(number), writers.simulate(point.load, point.writers), point.load.batch
        both = (
            (true.items, found.items),
            (true.cells, found.cells),
            (true.cell_bytes, found.cell_bytes),
            (true.ledger_units + true.cell_units / batch, LEDGER_UNITS + found.cell_units / batch),
        )
        with_index = LEDGER_UNITS + INDEX_UNITS + true.cell_units / batch
        rows.append(
            [point.what, *(f"{a:,.3g} / {b:,.3g}" if a < 1_000 else f"{a:,.0f} / {b:,.0f}" for a, b in both),
             f"{with_index:.2f}"]
        )  # fmt: skip
    head = ("POST", "items a transaction", "cells a POST", "bytes of a cell", "units a sale", "with the index")
    return _table(head, rows)


def _fan_out() -> str:
    load = points.FAN_OUT
    found = live.simulate(load, writers.simulate(load, points.FAN_OUT_WRITERS), points.FAN_OUT_TASKS)
    rows = [
        ("share of a core", _percent(points.FAN_OUT_SHARE), _percent(found.following + found.telling)),
        ("oldest sale in a tick to the last browser, ms", f"{points.FAN_OUT_P99_MS:.0f}", f"{found.oldest_ms:.0f}"),
    ]
    return _table(("5,000 sales/s to 2,000 browsers", "measured", "simulated"), rows)


def breaks(shape: str, rate: float, *, takes: bool) -> list[str]:
    """What has broken before this rate and does not pass by itself, in the order in which it did, and from where on."""
    uses = {use.limit: use for use in at(shape, rate).uses if use.share > 1 and use.takes == takes}
    found = sorted((where, limit) for limit, where in ceilings(shape) if limit in uses)
    return [f"{limit}, from {short(where)}/s" for where, limit in found]


def _summary() -> str:
    rows = []
    for rate in DECADES:
        for shape in SHAPES:
            found = at(shape, rate)
            broken = [breaks(shape, rate, takes=takes) for takes in (True, False)]
            rows.append(
                [
                    f"{rate:,}",
                    shape,
                    short(found.load.posts),
                    short(found.writes.writers),
                    short(rate * found.units_a_sale),
                    f"{found.units_a_sale:.2f}",
                    f"{sum(dollars.a_million(found).values()):.2f}",
                    *(f"{one[0]}{f'; {len(one) - 1} more' if one[1:] else ''}" if one else "–" for one in broken),
                ]
            )
    head = ("sales/s", "sent by", "POSTs/s", "writers", "write units/s", "units a sale", "$ a million")
    return _table((*head, "taking sales breaks first", "showing them breaks first"), rows)


def ceilings(shape: str) -> list[tuple[str, float]]:
    """Each limit that does not pass by itself, and the sales a second from which on it is used up; inf if never."""
    found = []
    for number, use in enumerate(at(shape, DECADES[0]).uses):
        if not use.passing:
            shares = [at(shape, rate).uses[number].share for rate in DECADES]
            found.append((use.limit, _crossing(shares)))
    return found


def _crossing(shares: list[float]) -> float:
    for (low, before), (high, after) in zip(
        zip(DECADES, shares, strict=True), zip(DECADES[1:], shares[1:], strict=True), strict=False
    ):
        if before <= 1 < after:
            part = -math.log(before) / (math.log(after) - math.log(before))
            return float(low * (high / low) ** part)
    return math.inf


def _ceilings() -> str:
    by_shape = {shape: dict(ceilings(shape)) for shape in SHAPES}
    turns = {use.limit: use.turn for use in at("tills", DECADES[0]).uses}
    names = sorted(by_shape["stores"], key=lambda name: min(found[name] for found in by_shape.values()))
    takes = {use.limit: "taking" if use.takes else "showing" for use in at("tills", DECADES[0]).uses}
    rows = [
        [
            name,
            takes[name],
            *("–" if math.isinf(by_shape[s][name]) else short(by_shape[s][name]) for s in SHAPES),
            turns[name],
        ]
        for name in names
    ]
    return _table(("limit", "of", *SHAPES, "what to turn"), rows)


def _decade_of(rate: int) -> Callable[[], str]:
    return lambda: decade(rate)


def decade(rate: float) -> str:
    """What a rate uses of each limit, in each shape."""
    found = {shape: at(shape, rate) for shape in SHAPES}
    rows = []
    for uses in zip(*(one.uses for one in found.values()), strict=True):
        if max(use.share for use in uses) >= SHOWN:
            what = f"{short(uses[0].allowed)} {uses[0].unit}"
            turn = uses[0].turn if max(use.share for use in uses) > 1 else ""
            rows.append([uses[0].limit, what, *(_percent(use.share) for use in uses), turn])
    if not rows:
        return f"No limit is used by as much as {100 * SHOWN:.0f} %.\n"
    return _table(("limit", "allowed", *SHAPES, "what to turn"), rows)
