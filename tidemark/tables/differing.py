"""What is said where the files of one table have different columns."""

from __future__ import annotations

from collections.abc import Sequence

_NAMED = 5


def differing(files: Sequence[dict[str, str]]) -> list[str]:
    """From each file's columns and their types: those that some files lack, or hold as something else."""
    names = list(dict.fromkeys(name for columns in files for name in columns))
    lacking = [name for name in names if not all(name in columns for columns in files)]
    mixed = [name for name in names if len({columns[name] for columns in files if name in columns}) > 1]
    found = []
    if lacking:
        found.append(f"Not all files have {_listed(lacking)}: missing there.")
    if mixed:
        found.append(f"Not all files hold the same in {_listed(mixed)}: taken for what all of it fits.")
    return found


def _listed(names: list[str]) -> str:
    return ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")
