"""Talking to the person at the terminal: words on standard error, results on standard output."""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from rich.console import Console
from rich.markup import escape

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


class Steps:
    """A line a step, with the seconds since the start in front."""

    def __init__(self, quiet: bool = False) -> None:
        self._began = time.monotonic()
        self._quiet = quiet
        self._passing = err.status("")

    def now(self, text: str) -> None:
        """What happens just now: shown on a terminal until something else is said."""
        if not self._quiet and err.is_terminal:
            self._passing.update(f"[dim]{escape(text)}[/]")
            self._passing.start()

    def __call__(self, text: str) -> None:
        """Say a step."""
        self._passing.stop()
        if not self._quiet:
            err.print(f"[dim]{time.monotonic() - self._began:6.1f} s[/]  ", end="")
            err.print(text, markup=False)


def print_json(value: Any) -> None:
    """One JSON object, for programs."""
    sys.stdout.write(json.dumps(value, indent=2) + "\n")
