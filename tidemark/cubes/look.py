"""What is looked at: the views that are shown, the one that is brushed, and what is selected in each."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from tidemark.cubes.axes import key_of
from tidemark.cubes.views import Question, Selection, Span, View


class Look(msgspec.Struct, frozen=True):
    """`active`: the view under the hand, one of `views`. `selected`: at most one for each of `views`, none empty."""

    views: tuple[View, ...]
    active: View
    selected: tuple[Selection, ...] = ()

    @property
    def question(self) -> Question:
        """What is asked, so that the active view can be brushed."""
        others = (one for one in self.selected if one.view != self.active)
        return Question(
            self.active,
            tuple(view for view in self.views if view != self.active),
            tuple(sorted(others, key=lambda one: key_of(one.view))),
        )

    def spans(self, view: View) -> tuple[Span, ...]:
        """What is selected in a view; nothing where all of it is."""
        return next((one.spans for one in self.selected if one.view == view), ())

    def at(self, active: View, selected: Iterable[Selection]) -> Look:
        """With another active view and other selections, as far as their views are shown."""
        kept = {one.view: one for one in selected if one.view in self.views and one.spans}
        return Look(self.views, active if active in self.views else self.active, tuple(kept.values()))

    def showing(self, views: Iterable[View]) -> Look:
        """With other views, at least one; selections in those that stay are kept."""
        shown = tuple(dict.fromkeys(views))
        active = self.active if self.active in shown else shown[0]
        return Look(shown, active).at(active, self.selected)
