"""`docs/data-protection.md` names the personal fields that there are, and tests that there are."""

from __future__ import annotations

import re
from pathlib import Path

from tidemark.privacy.personal import PERSONAL

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "data-protection.md").read_text()


def test_every_test_that_it_names_is_there() -> None:
    named = re.findall(r"`(tests/[a-z_/]+\.py)(?:::(\w+))?`", PAGE)
    assert len(named) > 8
    for path, test in named:
        content = (ROOT / path).read_text()
        assert not test or f"def {test}(" in content, f"{path} has no {test}"


def test_every_personal_field_is_named() -> None:
    section = PAGE.partition("## What is personal")[2].partition("## Article by article")[0]
    assert {name for name in PERSONAL if f"`{name}`" in section} == set(PERSONAL)


def test_every_command_that_it_names_is_there() -> None:
    commands = (ROOT / "tidemark" / "cli" / "person.py").read_text()
    for name in re.findall(r"`tidemark person ([a-z-]+)", PAGE):
        assert re.search(rf"(def {name.replace('-', '_')}_?\(|name=\"{name}\")", commands), name
