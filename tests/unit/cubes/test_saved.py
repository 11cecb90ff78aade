from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tidemark.cubes.columns import Column, of_categories, of_numbers
from tidemark.cubes.look import Look
from tidemark.cubes.saved import SavedViews, Taken, opened
from tidemark.cubes.views import Question, Selection, Span, View
from tidemark.errors import BadRequest, NotFound
from tidemark.tables.sources import Source

PRICE, BRANCH, BOTH = View("price"), View("branch"), View("price", "spent")
LOOK = Look((PRICE, BRANCH, BOTH), PRICE).at(
    BRANCH,
    [
        Selection(PRICE, (Span(80, 160),)),
        Selection(BRANCH, (Span(1, 2),)),
        Selection(BOTH, (Span(0, 31), Span(4, 8))),
    ],
)


def columns(most: float = 100.0, branches: tuple[str, ...] = ("a", "b", "c")) -> dict[str, Column]:
    made = [
        of_numbers("price", np.linspace(0, most, 5000), False),
        of_numbers("spent", np.linspace(0, most * 2, 5000), False),
        of_categories("branch", branches),
    ]
    return {column.name: column for column in made}


def source(name: str = "own", sql: str = "'/sales.csv'", made_of: str = "1") -> Source:
    return Source(name, "Sales", "", sql, made_of, lambda to: to.sql("SELECT 1"))


def test_a_look_asks_for_all_but_what_is_selected_in_its_active_view() -> None:
    assert LOOK.spans(BRANCH) == (Span(1, 2),)
    assert LOOK.question == Question(
        BRANCH, (PRICE, BOTH), (Selection(BOTH, (Span(0, 31), Span(4, 8))), Selection(PRICE, (Span(80, 160),)))
    )
    fewer = LOOK.showing([View("spent"), PRICE])
    assert (fewer.active, fewer.selected) == (View("spent"), (Selection(PRICE, (Span(80, 160),)),))


def test_what_is_saved_is_there_for_the_table_in_any_state_of_its_content(tmp_path: Path) -> None:
    SavedViews(tmp_path, source()).save(" Mornings ", LOOK, columns())
    again = SavedViews(tmp_path, source(made_of="2"))
    assert again.names() == ["Mornings"]
    assert opened(again.find("Mornings"), columns()) == (LOOK, [])
    assert SavedViews(tmp_path, source(sql="'/other.csv'")).names() == []
    with pytest.raises(NotFound, match="no saved view “Evenings”"):
        again.find("Evenings")


def test_no_view_is_lost_unless_it_is_meant_to_be_replaced(tmp_path: Path) -> None:
    store = SavedViews(tmp_path, source())
    other = LOOK.showing([PRICE])
    store.save("a", LOOK, columns())
    store.save("b", other, columns())
    with pytest.raises(Taken, match="“a” already"):
        store.save("a", other, columns())
    with pytest.raises(Taken):
        store.rename("b", "a")
    assert (store.names(), store.find("a").look) == (["a", "b"], LOOK)
    store.rename("b", "a", replace=True)
    assert (store.names(), store.find("a").look) == (["a"], other)
    store.delete("a")
    assert store.names() == []
    assert [file for file in tmp_path.rglob("*") if file.is_file()] == []


@pytest.mark.parametrize("name", ["", "  ", "x" * 61, "two\nlines", "\u202eback"])
def test_a_name_that_cannot_be_read_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadRequest, match="name"):
        SavedViews(tmp_path, source()).save(name, LOOK, columns())


@pytest.mark.parametrize("name", ["../../etc", "<b>**x**</b>", "x" * 60, "Früh / spät"])
def test_any_readable_name_is_kept_as_it_is(tmp_path: Path, name: str) -> None:
    store = SavedViews(tmp_path, source())
    store.save(name, LOOK, columns())
    assert store.names() == [name]
    assert len([file for file in (tmp_path / "saved-views").rglob("*") if file.is_file()]) == 1


def test_a_file_that_is_no_view_is_passed_over(tmp_path: Path) -> None:
    store = SavedViews(tmp_path, source())
    store.save("a", LOOK, columns())
    (file,) = tmp_path.rglob("*.json")
    file.with_name("broken.json").write_text('{"name": 1')
    assert store.names() == ["a"]


def test_columns_that_are_gone_are_told_and_the_rest_is_opened(tmp_path: Path) -> None:
    store = SavedViews(tmp_path, source())
    store.save("a", LOOK, columns())
    left = {name: column for name, column in columns().items() if name != "spent"}
    look, lost = opened(store.find("a"), left)
    assert look == LOOK.showing([PRICE, BRANCH])
    assert lost == ["There is no column spent any more."]
    assert opened(store.find("a"), {"x": columns()["price"]}).look is None


def test_a_selection_is_carried_over_by_its_values(tmp_path: Path) -> None:
    store = SavedViews(tmp_path, source())
    before = columns()
    store.save("a", LOOK, before)
    now = columns(most=200, branches=("b", "z", "a"))
    look, lost = opened(store.find("a"), now)
    assert look is not None
    assert look.spans(BRANCH) == (Span(0, 1),), "b comes first now"
    (span,) = look.spans(PRICE)
    for old, new in zip(LOOK.spans(PRICE)[0].__struct_fields__, span.__struct_fields__, strict=True):
        was = before["price"].edges[getattr(LOOK.spans(PRICE)[0], old)]
        assert now["price"].edges[getattr(span, new)] == pytest.approx(was, abs=1)
    wide, tall = look.spans(BOTH)
    assert (wide.first, tall.first) == (0, 2), "cells are twice as wide"
    look.question.check(now)
    gone, lost = opened(store.find("a"), columns(branches=("y", "z")))
    assert gone is not None
    assert gone.spans(BRANCH) == ()
    assert lost == ["What was selected in branch is not there any more."]
