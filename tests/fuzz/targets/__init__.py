"""The targets, a module each."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from importlib import import_module
from typing import NamedTuple

NAMES = ("sales", "socket", "csv", "models")
MODULES = {
    "sales": ("tidemark", "json"),
    "socket": ("ws_server", "wsproto", "engineio", "socketio"),
    "csv": ("tidemark", "csv"),
    "models": ("tidemark", "zipfile", "numpy.lib._format_impl"),
}
"""What leads the fuzzer: the modules whose lines it counts. They must be known before a target is loaded."""


class Target(NamedTuple):
    """`check` raises where an input does what it must not. `seconds`, `megabytes`: what one input may take."""

    name: str
    check: Callable[[bytes], None]
    seeds: Callable[[], Iterable[bytes]]
    most: int
    seconds: int = 5
    megabytes: int = 2_048


def load(name: str) -> Target:
    """The target of that name."""
    found: Target = import_module(f"tests.fuzz.targets.{name}_target").TARGET
    return found
