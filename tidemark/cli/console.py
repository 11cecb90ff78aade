"""Talking to the person at the terminal: words on standard error, results on standard output."""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from rich.console import Console

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


class Steps:
    """A line a step, with the seconds since the start in front."""

    def __init__(self, quiet: bool = False) -> None:
        self._began = time.monotonic()
        self._quiet = quiet

    def __call__(self, text: str) -> None:
        """Say a step."""
        if not self._quiet:
            err.print(f"[dim]{time.monotonic() - self._began:6.1f} s[/]  ", end="")
            err.print(text, markup=False)


def print_json(value: Any) -> None:
    """One JSON object, for programs."""
    sys.stdout.write(json.dumps(value, indent=2) + "\n")
