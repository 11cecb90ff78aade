"""The documentation says what is so."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

from tidemark.housing import candidates

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
LINK = re.compile(r"\]\((?P<target>[^)#\s]+)(?:#[^)]*)?\)")


def test_generated_pages_are_up_to_date() -> None:
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    generate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generate)
    for name, text in generate.contents().items():
        assert (ROOT / "docs" / name).read_text() == text, f"docs/{name}: run `make docs`"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for found in LINK.finditer(page.read_text()):
        target = found["target"]
        if not target.startswith(("http://", "https://")):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_every_demand_of_the_briefs_says_where_it_is_met() -> None:
    rows = [line for line in (ROOT / "docs" / "briefs.md").read_text().splitlines() if line.startswith("| ")]
    states = [row.split("|")[2].strip() for row in rows if not row.startswith(("| demand", "| ---"))]
    assert len(states) >= 50
    assert {state.split(" ")[0] for state in states} <= {"met", "partly", "replaced", "later"}


def test_the_price_models_settings_are_those_that_the_page_chose() -> None:
    text = (ROOT / "docs" / "housing-settings.md").read_text()
    chosen = [dict(part.rsplit(" ", 1) for part in row.split(", ")) for row in re.findall(r"\*\*(.*)\*\*", text)]
    standing = [candidates.LIGHTGBM, candidates.FOREST, candidates.RIDGE]
    assert chosen == [{name: str(value) for name, value in settings.items()} for settings in standing]


def test_commands_of_the_readme_exist() -> None:
    makefile = (ROOT / "Makefile").read_text()
    from tidemark.cli.main import app

    known = {
        command.name or (command.callback.__name__ if command.callback else "") for command in app.registered_commands
    }
    known |= {group.name for group in app.registered_groups if group.name}
    text = (ROOT / "README.md").read_text()
    for target in re.findall(r"`?make ([a-z]+)", text):
        assert f"\n{target}:" in makefile, f"README: make {target}"
    for command in re.findall(r"tidemark ([a-z]+)", text):
        assert command in known, f"README: tidemark {command}"
