"""Trainings: they keep models, let them serve or score in the shadow, and roll back, beside each other."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from tidemark.errors import Misuse, TidemarkError
from tidemark.ledger import Entry
from tidemark.models import sales_model
from tidemark.models.champion import Champion, Decision, Gain
from tidemark.models.keys import RESULT, SALES, SALES_FILE
from tidemark.models.registry import Made
from tidemark.models.sales_registry import BUNDLED, SalesRegistry
from tidemark.ports import Runs

CONTENT = (BUNDLED / SALES_FILE).read_bytes()
MODEL = sales_model.loads(CONTENT)
RESULTS = (BUNDLED / RESULT).read_bytes()
MOST_DECISIONS = 1_000


class Trainer:
    """Trains as often as it is told to. `met`: the registry through which faults are met; `quiet`: it without."""

    def __init__(self, met: SalesRegistry, quiet: SalesRegistry, runs: Runs) -> None:
        self._met, self._quiet, self._runs = met, quiet, runs
        self._at = itertools.count(1)
        self.done: Counter[str] = Counter()
        """How many trainings came to their end, by what they did."""
        self.thresholds = {MODEL.version: MODEL.threshold}
        """By the versions of all models that there are, from which score on a sale is an anomaly."""

    def kill(self, place: int) -> None:
        """It remembers nothing between trainings."""

    def train(self, threshold: float, then: str) -> None:
        """Keep a model of that threshold, `then` let it serve or be the shadow; or roll back."""
        try:
            champion = self._met.champion()
            if then == "roll back":
                self._met.roll_back(at=next(self._at), by="hand")
            else:
                fingerprint = self._met.keep(self._made(threshold))
                at = next(self._at)
                if then == "shadow":
                    self._met.shadow(fingerprint, run="training", at=at)
                else:
                    decision = _promoted(fingerprint, champion, at)
                    if not self._met.crown(fingerprint, decision, version=None, replacing=champion):
                        then = "come too late"
        except (Misuse, TidemarkError, BotoCoreError, ClientError):
            return  # the next training goes on
        self.done[then] += 1

    def _made(self, threshold: float) -> Made:
        version = f"trained-{len(self.thresholds)}"
        self.thresholds[version] = threshold
        content = sales_model.dumps(msgspec.structs.replace(MODEL, version=version, threshold=threshold))
        return Made(content, b"a network", RESULTS, f"# {version}")

    def look(self) -> None:
        """Whoever serves at any moment is there, whole, and was decided on. Raises AssertionError where that is not
        so."""
        champion = self._quiet.champion()
        if champion is not None:
            try:
                self._quiet.kept(champion.fingerprint)
            except TidemarkError as error:
                raise AssertionError(f"{champion.fingerprint} serves, and is not whole: {error}") from error
        assert not (wrong := list(self._undecided(champion))), wrong

    def _undecided(self, serves: Champion | None) -> Iterator[str]:
        """What was decided leads, one decision after the other, from nobody to who serves."""
        ends = Counter({"none": 1})
        ends[serves.fingerprint if serves else "none"] -= 1
        for decision in self._runs.decisions(SALES, limit=MOST_DECISIONS):
            ends[decision.champion or "none"] -= 1
            ends[decision.challenger] += 1
        return (f"models: {name} came to serve, or went, undecided" for name, left in ends.items() if left)

    def differences(self, entries: Iterator[Entry]) -> Iterator[str]:
        """Who came to serve undecided; and sales that were scored by a model that nobody made, or with another verdict
        than this model's."""
        yield from self._undecided(self._quiet.champion())
        for entry in entries:
            if (threshold := self.thresholds.get(entry.model)) is None:
                yield f"{entry.invoice_id} was scored by {entry.model}, which nobody made"
            elif entry.score is None or entry.anomaly != (bool(entry.flags) or entry.score >= threshold):
                yield f"{entry.invoice_id}: its verdict is not that of {entry.model}"


def _promoted(challenger: str, champion: Champion | None, at: int) -> Decision:
    replaced = champion.fingerprint if champion else None
    return Decision(at, SALES, "training", challenger, replaced, True, "promoted", 0, Gain(1, 1, 1), None)
