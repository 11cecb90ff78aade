"""Who serves, remembered between requests: asked for now and then, read once, and kept where the next is no good."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from tidemark.models.champion import Champion
from tidemark.ports import Runs

M = TypeVar("M")
LOOK_EVERY_S = 30.0


class Standing(Generic[M]):
    """The champion of `model` as it serves.

    `read` makes what serves of a champion, or raises where it is no good: then the one before goes on, and `report`
    is told why. `seconds` is a clock that only goes on. `optional`: something else serves where there is no champion:
    one is not looked for at every request then, and the last one does not go on where there is none any more.
    """

    def __init__(
        self,
        model: str,
        runs: Runs,
        read: Callable[[Champion], M],
        seconds: Callable[[], float],
        report: Callable[[str], object],
        *,
        optional: bool = False,
    ) -> None:
        self._model, self._runs, self._read, self._seconds, self._report = model, runs, read, seconds, report
        self._serves: tuple[Champion, M] | None = None
        self._looked: float | None = None
        self._optional = optional
        self.failure: Exception | None = None

    def now(self) -> tuple[Champion, M] | None:
        """Who serves; None where nobody does, or nobody could be read yet (`failure` says why).

        Asks at most every `LOOK_EVERY_S`, once somebody serves.
        """
        now = self._seconds()
        waits = self._optional or self._serves is not None
        if not waits or self._looked is None or now - self._looked >= LOOK_EVERY_S:
            self._looked = now
            self._look()
        return self._serves

    def _look(self) -> None:
        self.failure = None
        try:
            found = self._runs.champion(self._model)
            if found is not None and (self._serves is None or self._serves[0].fingerprint != found.fingerprint):
                self._serves = (found, self._read(found))
            elif found is not None and self._serves is not None:
                self._serves = (found, self._serves[1])
            elif self._optional:
                self._serves = None
        except Exception as error:  # noqa: BLE001  # whatever it is, the one before goes on
            self.failure = error
            self._report(f"{type(error).__name__}: {error}")
