"""The simulated stock ledger behind inventory turnover: no till file says what lies on the shelves.

One shelf a branch and product line. It is full (`Store.stock_at_cost`) at the opening of the first day of the range
and again every Monday; a day's sales at cost, less what came back, empty it, never below nothing nor above full.
A day's stock is what is left at closing.
"""

from __future__ import annotations

from collections.abc import Mapping

SoldByShelf = dict[tuple[str, str], dict[int, int]]
"""(branch, product line) to store's day (since 1970) to cost of goods sold less returned, in units of 1/10,000."""


def closing_sum(sold: Mapping[tuple[str, str], Mapping[int, int]], first: int, last: int, full: int) -> int:
    """The sum over all shelves and all days from `first` to `last` of the stock at closing, in units of 1/10,000."""
    return sum(_shelf(by_day, first, last, full) for by_day in sold.values())


def _shelf(by_day: Mapping[int, int], first: int, last: int, full: int) -> int:
    total = 0
    left = full
    next_day = first
    for day in sorted(d for d in by_day if first <= d <= last):
        total += _quiet(next_day, day, left, full)
        if _monday_at_or_after(next_day) <= day:
            left = full
        left = min(full, max(0, left - by_day[day]))
        total += left
        next_day = day + 1
    return total + _quiet(next_day, last + 1, left, full)


def _quiet(start: int, end: int, left: int, full: int) -> int:
    """The closing stock summed over days `start` to `end - 1` on which nothing is sold."""
    refilled = min(_monday_at_or_after(start), end)
    return (refilled - start) * left + (end - refilled) * full


def _monday_at_or_after(day: int) -> int:
    return day + (4 - day) % 7  # day 0 was a Thursday
