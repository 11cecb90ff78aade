"""Which models are kept, and which of a kind serves: changed by the gate, by hand, and back again.

A model is kept with its card and with what was found of it: its file in the pipelines' index, where whoever serves
reads it, the rest in the bucket.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from tidemark.errors import Misuse, TidemarkError
from tidemark.models.champion import Champion, Decision
from tidemark.models.keys import CARD, KERAS, RESULT, folder
from tidemark.models.sales_findings import Worth
from tidemark.models.sales_model import fingerprint as fingerprint_of
from tidemark.ports import Objects, Runs

ALGORITHM = "keras"
LOOKED_AT = 200
"""Decisions among which the one that promoted an earlier champion is looked for."""


class Made(NamedTuple):
    """What a training makes: the file that serves, the network that it was made from, what was found, and the card."""

    content: bytes
    keras: bytes
    result: bytes
    card: str


class Kept(NamedTuple):
    """A model that is kept. `worth`: what it is worth beside its baselines."""

    content: bytes
    card: str
    worth: tuple[Worth, ...]


class _Result(msgspec.Struct, frozen=True):
    worth: tuple[Worth, ...]


def worth_of(result: bytes) -> tuple[Worth, ...]:
    """What a training's result says that the model is worth."""
    return msgspec.json.decode(result, type=_Result).worth


class ModelRegistry:
    """Models of one kind. `without`: who serves where there is no champion, in words."""

    def __init__(self, model: str, runs: Runs, objects: Objects, *, without: str) -> None:
        self.model, self._runs, self._objects, self._without = model, runs, objects, without

    def champion(self) -> Champion | None:
        """Who serves."""
        return self._runs.champion(self.model)

    def keep(self, made: Made) -> str:
        """Keep a model; returns its fingerprint."""
        fingerprint = fingerprint_of(made.content)
        for name, content in ((CARD, made.card.encode()), (RESULT, made.result), (KERAS, made.keras)):
            self._objects.put(folder(self.model, fingerprint) + name, content)
        self._runs.keep_model(fingerprint, made.content)
        return fingerprint

    def kept(self, fingerprint: str) -> Kept:
        """A model that was kept. Raises TidemarkError where it is gone, or its file is another."""
        where = folder(self.model, fingerprint)
        result = self._objects.get(where + RESULT)
        return Kept(self._whole(fingerprint), self._objects.get(where + CARD).decode(), worth_of(result))

    def crown(self, fingerprint: str, decision: Decision, *, version: str | None, replacing: Champion | None) -> bool:
        """Let a kept model serve. False where another was promoted meanwhile."""
        before = replacing.fingerprint if replacing else None
        crowned = self._named(fingerprint, decision.run, decision.at, version, before)
        return self._runs.crown(crowned, replacing=replacing, decision=decision)

    def roll_back(self, *, at: int, by: str) -> Decision:
        """Let the one serve again that did before the champion; at last nobody is one.

        Raises Misuse where no champion serves, TidemarkError where the one before is not whole any more.
        """
        champion = self.champion()
        if champion is None:
            raise Misuse(f"there is no champion to roll back: {self._without}")
        earlier = champion.previous
        back = Decision(
            at=at,
            model=self.model,
            run=by,
            challenger=earlier or "none",
            champion=champion.fingerprint,
            promoted=True,
            reason=f"rolled back by hand: {f'{earlier} serves again' if earlier else self._without}",
            rows=0,
            over_baseline=None,
            over_champion=None,
        )
        if earlier is None:
            done = self._runs.dismiss(champion, decision=back)
        else:
            self._whole(earlier)
            again = self._named(earlier, by, at, None, self._before(earlier))
            done = self._runs.crown(again, replacing=champion, decision=back)
        if not done:
            raise TidemarkError("another model was promoted meanwhile: look again before you roll back")
        return back

    def _before(self, fingerprint: str) -> str | None:
        """Who served until a model was promoted."""
        decisions = self._runs.decisions(self.model, limit=LOOKED_AT)
        judged = (one for one in decisions if one.promoted and one.over_baseline is not None)
        return next((one.champion for one in judged if one.challenger == fingerprint), None)

    def _whole(self, fingerprint: str) -> bytes:
        """A model's file. Raises TidemarkError where it is gone, or another."""
        content = self._runs.model(fingerprint)
        if fingerprint_of(content) != fingerprint:
            raise TidemarkError(f"the file of model {fingerprint} is not the one that was promoted")
        return content

    def _named(self, fingerprint: str, run: str, at: int, version: str | None, previous: str | None) -> Champion:
        where = folder(self.model, fingerprint)
        return Champion(self.model, fingerprint, ALGORITHM, where, run, at, version, previous)
