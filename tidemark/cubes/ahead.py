"""Counting in advance: what will likely be asked next, and the first look, while nobody waits for an answer."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any

from tidemark.cubes import kept_look
from tidemark.cubes.counts import Counts, Stopped
from tidemark.cubes.first_look import FirstLook, first_look
from tidemark.cubes.views import Question


class Ahead:
    """Works on one thread beside an engine, for all sessions; a real question stops it at once."""

    def __init__(self, engine: Counts) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._waiting = 0
        self._worker: threading.Thread | None = None
        self.look = kept_look.find(engine.table)

    @contextmanager
    def asking(self) -> Iterator[None]:
        """While somebody waits for an answer nothing is counted in advance."""
        with self._lock:
            self._waiting += 1
            self._stop.set()
        try:
            yield
        finally:
            with self._lock:
                self._waiting -= 1

    def begin(self, question: Question | None) -> threading.Thread | None:
        """Count this, then make the first look, where they are not known; whatever was begun before is given up."""
        with self._lock:
            self._stop.set()
            if self._waiting:
                return None
            self._stop = threading.Event()
            self._worker = threading.Thread(target=self._work, args=(question, self._stop, self._worker), daemon=True)
            self._worker.start()
            return self._worker

    def look_now(self, progress: Any = lambda _: None) -> FirstLook:
        """The first look: what is kept of it, or made now."""
        if self.look is None:
            with self.asking():
                self._take(first_look(self._engine, progress))
        assert self.look is not None
        return self.look

    def _work(self, question: Question | None, stop: threading.Event, before: threading.Thread | None) -> None:
        if before is not None:
            before.join()
        try:
            if question is not None:
                counting: Future[Any] = self._engine.start(question, stop)
                counting.result()
            if self.look is None and not stop.is_set():
                self._take(first_look(self._engine, stop=stop))
        except Stopped:
            return

    def _take(self, look: FirstLook) -> None:
        self.look = look
        kept_look.keep(self._engine.table, look)
