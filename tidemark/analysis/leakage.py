"""Columns that are others in other words: to predict them is no model, and to learn from them is to be told the answer.

An identity is a sum or a product of at most three other numbers that holds in all rows but for rounding; or a category
each of whose levels goes with one level of another, as a city's name tells its branch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from itertools import combinations
from typing import TypeAlias

import msgspec
import numpy as np

from tidemark.analysis.frame import Floats, Frame, Ints

Columns: TypeAlias = dict[str, Floats]

MOST_TERMS = 3
MOST_NUMBERS = 12
HOLDS = 1e-6
"""Of the target's standard deviation (of its logarithm, for products): what is left over is rounding, no more."""
FEWEST, FEW = 20, 400
OFTEN = 5
"""Rows that a level must have on average: a category that names each row tells everything, and nothing."""


class Identity(msgspec.Struct, frozen=True):
    """`target` is told by `terms`; `words` says how."""

    target: str
    terms: tuple[str, ...]
    words: str


@lru_cache(maxsize=4)
def identities(frame: Frame) -> tuple[Identity, ...]:
    """Every column that others tell; of each such set of columns the first only, in the table's order."""
    numbers = frame.numbers()[:MOST_NUMBERS]
    whole = {name: frame.values[name] for name in numbers}
    logs = {name: np.log(values) for name, values in whole.items() if np.nanmin(values) > 0}
    found: list[Identity] = []
    told: set[frozenset[str]] = set()
    for size in range(1, MOST_TERMS + 1):
        for form in _FORMS:  # what is a product of others is not told as a quotient of it
            for target in numbers:
                for terms in combinations([name for name in numbers if name != target], size):
                    columns = frozenset((target, *terms))
                    if any(held <= columns for held in told):
                        continue
                    words = form(target, terms, whole, logs)
                    if words:
                        told.add(columns)
                        found.append(Identity(target, terms, words))
    return (*found, *_names(frame))


def _names(frame: Frame) -> Iterator[Identity]:
    """Categories that another tells, by the names of both."""
    categories = [one.name for one in frame.features.values() if one.kind == "category" and frame.own(one)]
    for target, term in combinations(categories, 2):
        known = ~(np.isnan(frame.values[target]) | np.isnan(frame.values[term]))
        one, other = (frame.values[name][known].astype(np.int64) for name in (target, term))
        there, back = _tells(other, one), _tells(one, other)
        if there and back:
            yield Identity(target, (term,), f"{target} is {term} by another name")
        elif there:
            yield Identity(target, (term,), f"each {term} has one {target}")
        elif back:
            yield Identity(term, (target,), f"each {target} has one {term}")


def _tells(codes: Ints, told: Ints) -> bool:
    """Whether each code goes with one code of the other, and both vary."""
    pairs = np.unique(np.stack([codes, told], axis=1), axis=0)
    distinct = len(np.unique(codes))
    return len(pairs) == distinct > 1 and len(codes) >= OFTEN * distinct and len(np.unique(told)) > 1


def tied(name: str, known: Iterable[Identity]) -> dict[str, str]:
    """The columns that must not be learnt from where `name` is to be predicted, each with the identity's words."""
    found: dict[str, str] = {}
    for identity in known:
        columns = (identity.target, *identity.terms)
        if name in columns:
            found |= {other: identity.words for other in columns if other != name}
    return found


def _fit(target: Floats, terms: list[Floats]) -> Floats | None:
    """The terms' coefficients and the constant, where they give the target in all rows; tried on a few rows first."""
    few = slice(None, None, max(1, len(target) // FEW))
    y, x = _known(target[few], [term[few] for term in terms])
    if len(y) >= FEWEST and _solved(y, x) is None:
        return None
    return _solved(*_known(target, terms))


def _known(target: Floats, terms: list[Floats]) -> tuple[Floats, list[Floats]]:
    known = np.isfinite(target) & np.logical_and.reduce([np.isfinite(term) for term in terms])
    return target[known], [term[known] for term in terms]


def _solved(y: Floats, x: list[Floats]) -> Floats | None:
    if len(y) < FEWEST or y.std() == 0 or any(term.std() == 0 for term in x):
        return None
    aim = (y - y.mean()) / y.std()
    scaled = np.stack([(term - term.mean()) / term.std() for term in x], axis=1)
    found, *_ = np.linalg.lstsq(scaled, aim, rcond=None)
    if np.abs(aim - scaled @ found).max() > HOLDS * np.sqrt(len(y)) or np.abs(found).min() < 1e-3:
        return None
    slopes = found * y.std() / np.array([term.std() for term in x])
    constant = y.mean() - sum(slope * term.mean() for slope, term in zip(slopes, x, strict=True))
    return np.array([*slopes, constant])


def _product(target: str, terms: tuple[str, ...], whole: Columns, logs: Columns) -> str:
    product = np.prod([whole[term] for term in terms], axis=0)
    found = _fit(whole[target], [product])
    if found is None or abs(found[1]) > 1e-4 * float(np.nanstd(whole[target])):
        return ""
    return f"{target} = {' × '.join(terms)}" + _factor(float(found[0]))


def _ratio(target: str, terms: tuple[str, ...], whole: Columns, logs: Columns) -> str:
    if target not in logs or any(term not in logs for term in terms):
        return ""
    found = _fit(logs[target], [logs[term] for term in terms])
    if found is None or np.abs(np.abs(found[:-1]) - 1).max() > 1e-4:
        return ""
    over = [term for term, power in zip(terms, found, strict=False) if power < 0]
    times = [term for term, power in zip(terms, found, strict=False) if power > 0]
    quotient = " × ".join(times) or "1"
    return f"{target} = {quotient}" + "".join(f" ÷ {term}" for term in over) + _factor(float(np.exp(found[-1])))


def _factor(times: float) -> str:
    return "" if abs(times - 1) < 1e-4 else f" × {times:.4g}"


def _total(target: str, terms: tuple[str, ...], whole: Columns, logs: Columns) -> str:
    found = _fit(whole[target], [whole[term] for term in terms])
    return _sum_words(target, terms, found, whole) if found is not None and (found[:-1] > 0).all() else ""


def _sum(target: str, terms: tuple[str, ...], whole: Columns, logs: Columns) -> str:
    found = _fit(whole[target], [whole[term] for term in terms])
    return _sum_words(target, terms, found, whole) if found is not None else ""


def _sum_words(target: str, terms: tuple[str, ...], found: Floats, whole: Columns) -> str:
    parts = [
        term if abs(slope - 1) < 1e-4 else f"{slope:.4g} × {term}" for term, slope in zip(terms, found, strict=False)
    ]
    constant = float(found[-1])
    scale = max(float(np.nanstd(whole[target])), 1e-12)
    return f"{target} = {' + '.join(parts)}" + ("" if abs(constant) < 1e-4 * scale else f" + {constant:.4g}")


_FORMS: tuple[Callable[[str, tuple[str, ...], Columns, Columns], str], ...] = (_product, _total, _ratio, _sum)
