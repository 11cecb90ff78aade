"""All that a fuzzer once kept or found wrong, tried again: no fuzzer is needed for that."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzz import targets

HERE = Path(__file__).resolve().parent


def inputs(folder: str, name: str) -> list[bytes]:
    found = [path.read_bytes() for path in sorted((HERE / folder / name).glob("*"))]
    assert found or folder == "found", f"{folder}/{name} holds nothing"
    return found


@pytest.mark.parametrize("name", targets.NAMES)
def test_what_was_kept_does_nothing_that_it_must_not(name: str) -> None:
    target = targets.load(name)
    for content in [*target.seeds(), *inputs("corpus", name)]:
        target.check(content)


@pytest.mark.parametrize("name", targets.NAMES)
def test_what_was_found_wrong_stays_right(name: str) -> None:
    target = targets.load(name)
    for content in inputs("found", name):
        target.check(content)


def test_the_corpus_stays_small() -> None:
    kept = [path.stat().st_size for path in (HERE / "corpus").rglob("*") if path.is_file()]
    assert sum(kept) < 1_000_000
    assert len(kept) < 2_000
