"""A table as it lies in memory, for tests: it passes the same contract tests as DynamoDB's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tidemark.ports import Item, Items


class MemoryItems(Items):
    """Items by their keys."""

    def __init__(self, *keys: str) -> None:
        self._keys = keys
        self.kept: dict[tuple[str, ...], Item] = {}

    @property
    def keys(self) -> tuple[str, ...]:
        return self._keys

    def scan(self) -> Iterator[Item]:
        return iter([dict(item) for item in self.kept.values()])

    def get(self, keys: Sequence[Item]) -> list[Item]:
        return [dict(self.kept[key]) for key in map(self.place, keys) if key in self.kept]

    def put_absent(self, items: Sequence[Item]) -> list[Item]:
        held = self.get(items)
        for item in items:
            self.kept.setdefault(self.place(item), dict(item))
        return held

    def place(self, item: Item) -> tuple[str, ...]:
        """The values of an item's key."""
        return tuple(item[name]["S"] for name in self._keys)
