"""What history keeps of a period: the sum of the cells that were moved into it, and which move was the last.

The moves of a branch are numbered. A period holds a cell that is marked for move `n` if, and only if, its own `move` is
`n` or more: that is all a reader needs to count each cell once (`docs/decisions.md`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import msgspec

from tidemark.cells import MEASURES, ZERO, Cell, CellKey, Combo, Measures, add
from tidemark.history.calendar import TIERS, PeriodKey, key_of
from tidemark.store import local_day

SCHEMA = 1
WRITER = "history"
"""Who is named as writer where a period is shown as a cell."""

_COGS = MEASURES.index("cogs")
_RETURNED_COGS = MEASURES.index("returned_cogs")

Shelves = dict[tuple[int, str], int]
"""(store's day since 1970, product line) to cost of goods sold less returned, in units of 1/10,000."""


class Portion(NamedTuple):
    """A combination's part of a period, and the UTC minutes of its first and last sale."""

    measures: Measures
    first: int
    last: int


class Content(msgspec.Struct, frozen=True):
    """What a period holds. `shelves`: of a month only; of what is shorter than a day the portions tell them."""

    portions: dict[Combo, Portion]
    shelves: Shelves


class Period(msgspec.Struct, frozen=True):
    """A period after its last move; `state` is its packed content."""

    key: PeriodKey
    move: int
    state: bytes

    def content(self) -> Content:
        """What it holds. Raises ValueError where it is of a schema that is not known here."""
        return unpack(self.state)

    def cell(self) -> Cell:
        """A minute or an hour as a cell of its first minute. Its version is its last move."""
        combos = {combo: portion.measures for combo, portion in self.content().portions.items()}
        return Cell(CellKey(self.key.start, self.key.branch, WRITER), self.move, 0, combos, self.move)


class Head(msgspec.Struct, frozen=True):
    """How far a branch's history has come. `zone`: the store's, by which its hours, days and months are cut.

    `pending`: the cells that are marked for move `move` and not yet in its periods; none where it is done.
    """

    branch: str
    move: int
    zone: str
    pending: tuple[CellKey, ...] = ()

    @property
    def step(self) -> int:
        """Rises by one when a move is claimed, and by one when it is settled."""
        return 2 * self.move - bool(self.pending)

    def settled(self) -> Head:
        """The same head when its move is done."""
        return Head(self.branch, self.move, self.zone)


def keys_of(zone: str, cell: CellKey) -> list[PeriodKey]:
    """The periods of all tiers that a cell is moved into."""
    return [key_of(zone, tier, cell.minute, cell.branch) for tier in TIERS]


def fold(zone: str, move: int, cells: Iterable[Cell], before: Mapping[PeriodKey, Period]) -> list[Period]:
    """The periods after a move of `cells`; `before`: those of them that were there."""
    contents: dict[PeriodKey, Content] = {}
    for cell in cells:
        for key in keys_of(zone, cell.key):
            if key not in contents:
                contents[key] = before[key].content() if key in before else Content({}, {})
            _add(contents[key], key, cell, zone)
    return [Period(key, move, pack(content)) for key, content in contents.items()]


def _add(content: Content, key: PeriodKey, cell: Cell, zone: str) -> None:
    minute = cell.key.minute
    for combo, values in cell.combos.items():
        held = content.portions.get(combo, Portion(ZERO, minute, minute))
        content.portions[combo] = Portion(add(held.measures, values), min(held.first, minute), max(held.last, minute))
    if key.tier == "month":
        for line, cogs in _net_cogs(cell.combos).items():
            place = (local_day(zone, minute), line)
            content.shelves[place] = content.shelves.get(place, 0) + cogs


def _net_cogs(combos: Mapping[Combo, Measures]) -> dict[str, int]:
    found: dict[str, int] = defaultdict(int)
    for combo, values in combos.items():
        found[combo.product_line] += values[_COGS] - values[_RETURNED_COGS]
    return found


def shelves(key: PeriodKey, content: Content, zone: str) -> Iterator[tuple[int, str, int]]:
    """Day, product line and net cost of goods of all that was sold in a period."""
    if key.tier == "month":
        yield from ((day, line, cogs) for (day, line), cogs in content.shelves.items())
        return
    day = key.start if key.tier == "day" else local_day(zone, key.start)
    found = _net_cogs({combo: portion.measures for combo, portion in content.portions.items()})
    yield from ((day, line, cogs) for line, cogs in found.items())


_Packed = tuple[int, list[str], list[tuple[int, int, int, int, int, Measures]], list[tuple[int, int, int]]]
_decoder = msgspec.msgpack.Decoder(_Packed)
_encoder = msgspec.msgpack.Encoder()


def pack(content: Content) -> bytes:
    """A content as MessagePack, each name in it once, with its schema's version in front."""
    names: dict[str, int] = {}

    def place(name: str) -> int:
        return names.setdefault(name, len(names))

    portions = [
        (*map(place, combo), portion.first, portion.last - portion.first, portion.measures)
        for combo, portion in content.portions.items()
    ]
    days = [(day, place(line), cogs) for (day, line), cogs in content.shelves.items()]
    return _encoder.encode((SCHEMA, list(names), portions, days))


def unpack(packed: bytes) -> Content:
    """What `pack` packed. Raises ValueError where it is of a schema that is not known here."""
    schema, names, portions, days = _decoder.decode(packed)
    if schema != SCHEMA:
        raise ValueError(f"a period of schema {schema}; this code knows {SCHEMA}")
    return Content(
        {
            Combo(names[line], names[customer], names[payment]): Portion(values, first, first + length)
            for line, customer, payment, first, length, values in portions
        },
        {(day, names[line]): cogs for day, line, cogs in days},
    )
