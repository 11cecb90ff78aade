"""The sales models: who scores, what came with the code before the first champion, and who scores in the shadow."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from tidemark import data
from tidemark.models import sales_model
from tidemark.models.champion import Champion, Decision
from tidemark.models.keys import CARD, RESULT, SALES, SALES_FILE, SHADOW, card_key
from tidemark.models.registry import Kept, ModelRegistry, worth_of
from tidemark.models.sales_model import SalesModel
from tidemark.ports import Objects, Runs

BUNDLED = data.ROOT / "models" / "sales"


class Serving(NamedTuple):
    """Who serves; `champion` None where it came with the code."""

    champion: Champion | None
    kept: Kept
    model: SalesModel


class SalesRegistry(ModelRegistry):
    """Over the pipelines' index and the bucket."""

    def __init__(self, runs: Runs, objects: Objects) -> None:
        super().__init__(SALES, runs, objects, without="the model that came with the code serves")

    def serving(self) -> Serving:
        """Who serves. Raises TidemarkError where the champion's file is gone or broken."""
        champion = self.champion()
        if champion is None:
            result, card = (BUNDLED / RESULT).read_bytes(), (BUNDLED / CARD).read_text()
            kept = Kept((BUNDLED / SALES_FILE).read_bytes(), card, worth_of(result))
        else:
            kept = self.kept(champion.fingerprint)
        return Serving(champion, kept, sales_model.loads(kept.content))

    def publish_card(self, serving: Serving) -> None:
        """Keep the card of what came with the code where those of champions are, so that it is read alike."""
        self._objects.put(card_key(SALES, sales_model.fingerprint(serving.kept.content)), serving.kept.card.encode())

    def crown(self, fingerprint: str, decision: Decision, *, version: str | None, replacing: Champion | None) -> bool:
        """Let a kept model serve, and no shadow any more. False where another was promoted meanwhile."""
        crowned = super().crown(fingerprint, decision, version=version, replacing=replacing)
        if crowned:
            self.no_shadow()
        return crowned

    def shadow(self, fingerprint: str, *, run: str, at: int, version: str | None = None) -> None:
        """Let a kept model score beside the champion. Raises TidemarkError where it is gone or broken."""
        sales_model.loads(self._whole(fingerprint))
        before = self._runs.champion(SHADOW)
        if before is None or before.fingerprint != fingerprint:
            found = self._named(fingerprint, run, at, version, None)
            self._runs.crown(msgspec.structs.replace(found, model=SHADOW), replacing=before)

    def no_shadow(self) -> Champion | None:
        """Let no model score beside the champion; returns the one that did."""
        before = self._runs.champion(SHADOW)
        if before is not None:
            self._runs.dismiss(before)
        return before
