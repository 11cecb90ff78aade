"""What else might be worth a look: columns that depend on those that are brushed or shown, and how strongly.

The rule is plain. Each dependence that the first look has found (Cramér's V, tested and corrected) leads from a column
that is looked at to one that is not shown; it counts as its strength, twice where the first one was brushed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from tidemark.cubes.first_look import FirstLook
from tidemark.cubes.look import Look
from tidemark.cubes.views import MOST_VIEWS, View

MOST = 3
BRUSHED = 2.0
CLEAR = 0.2
STRONG = 0.5


class Suggestion(NamedTuple):
    """A view to add, and why. `instead`: the view that it takes the place of, where no more can be shown."""

    view: View
    words: str
    instead: View | None


def suggestions(found: FirstLook, look: Look, brushed: Mapping[View, int]) -> list[Suggestion]:
    """At most three, the strongest first; none where nothing depends on what is looked at."""
    touched = {name for view in brushed for name in view.names if view in look.views}
    touched |= {name for one in look.selected for name in one.view.names}
    shown = {name for view in look.views for name in view.names}
    best: dict[str, tuple[float, str]] = {}
    for finding in found.findings:
        if finding.kind != "dependence":
            continue
        for held, other in (finding.columns, finding.columns[::-1]):
            weight = BRUSHED if held in touched else 1.0
            score = finding.strength * weight
            if held not in shown or other in shown or score <= best.get(other, (0.0, ""))[0]:
                continue
            how = "strongly" if finding.strength >= STRONG else "clearly" if finding.strength >= CLEAR else "weakly"
            why = "which you brush" if held in touched else "which you look at"
            best[other] = (score, f"{other} depends {how} on {held}, {why} (Cramér's V {finding.strength:.2f}).")
    ranked = sorted(best.items(), key=lambda item: (-item[1][0], item[0]))[:MOST]
    instead = _least_used(look, brushed) if len(look.views) >= MOST_VIEWS else None
    return [Suggestion(View(name), words, instead) for name, (_, words) in ranked]


def likely_next(look: Look, brushed: Mapping[View, int]) -> Look | None:
    """The look once the hand is over the view that will most likely be brushed next: the one that was brushed most,
    or else the one that follows on the page. None where no other is shown."""
    place = look.views.index(look.active)
    others = look.views[place + 1 :] + look.views[:place]
    if not others:
        return None
    return look.at(max(others, key=lambda view: brushed.get(view, 0)), look.selected)


def _least_used(look: Look, brushed: Mapping[View, int]) -> View | None:
    """The last view in which nothing is selected, of those brushed least; never the active one."""
    free = [view for view in reversed(look.views) if view != look.active and not look.spans(view)]
    return min(free, key=lambda view: brushed.get(view, 0)) if free else None
