from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from tidemark.cubes import kept_look
from tidemark.cubes.ahead import Ahead
from tidemark.cubes.build import build
from tidemark.cubes.counts import Stopped
from tidemark.cubes.cube import Cube
from tidemark.cubes.engine import Engine
from tidemark.cubes.first_look import Finding, FirstLook
from tidemark.cubes.look import Look
from tidemark.cubes.suggest import likely_next, suggestions
from tidemark.cubes.views import MOST_VIEWS, Question, Selection, Span, View

A, B, C = View("a"), View("b"), View("c")
LOOK = Look((A, B, C), A)


def found(*pairs: tuple[str, str, float]) -> FirstLook:
    findings = [Finding("dependence", (one, other), "", strength, "") for one, other, strength in pairs]
    identity = Finding("identity", ("a", "told"), "", 1.0, "")
    return FirstLook(1, [], [identity, *findings], 1.0, len(pairs), len(pairs))


def test_what_depends_on_what_is_brushed_comes_before_what_depends_on_what_is_shown() -> None:
    look = found(("x", "a", 0.3), ("b", "y", 0.4), ("z", "b", 0.1), ("a", "b", 0.9), ("x", "y", 0.9), ("c", "w", 0.06))
    assert [(one.view, one.words, one.instead) for one in suggestions(look, LOOK, {A: 1})] == [
        (View("x"), "x depends clearly on a, which you brush (Cramér's V 0.30).", None),
        (View("y"), "y depends clearly on b, which you look at (Cramér's V 0.40).", None),
        (View("z"), "z depends weakly on b, which you look at (Cramér's V 0.10).", None),
    ]
    selected = LOOK.at(A, [Selection(C, (Span(0, 1),))])
    assert [one.view.x for one in suggestions(look, selected, {})] == ["y", "x", "w"]


def test_where_nothing_depends_nothing_is_suggested() -> None:
    assert suggestions(found(), LOOK, {A: 9}) == []
    assert suggestions(found(("x", "y", 0.9)), LOOK, {A: 9}) == []


def test_where_no_more_can_be_shown_the_view_least_used_makes_room() -> None:
    views = tuple(View(f"c{place}") for place in range(MOST_VIEWS))
    look = Look(views, views[-1]).at(views[-1], [Selection(views[-2], (Span(0, 1),))])
    (one,) = suggestions(found(("c0", "x", 0.6)), look, {views[-3]: 1})
    assert one.instead == views[-4]


def test_the_view_brushed_most_is_counted_in_advance_or_the_one_that_follows() -> None:
    for brushed, expected in (({}, B), ({C: 2, A: 5}, C)):
        following = likely_next(LOOK, brushed)
        assert following is not None
        assert following.active == expected
    assert likely_next(Look((A,), A), {}) is None


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with duckdb.connect() as connection:
        query = "SELECT range % 7 AS a, range % 7 + range % 2 AS b, range % 3 AS c FROM range(5000)"
        connection.execute(f"CREATE TABLE source AS {query}")
        made = Engine(build(connection.table("source"), tmp_path / "table", "test"))
    yield made
    made.close()


def test_in_advance_the_next_answer_and_the_first_look_are_made_and_kept(engine: Engine) -> None:
    ahead, question = Ahead(engine), LOOK.question
    worker = ahead.begin(question)
    assert worker is not None
    worker.join()
    assert engine.known(question) is not None
    assert ahead.look is not None
    assert ahead.look.dependent > 0
    assert kept_look.find(engine.table) == ahead.look == Ahead(engine).look
    assert ahead.look_now() is ahead.look


class Slow(Engine):
    """Counts until it is told to stop."""

    def exact(self, question: Question, stop: threading.Event | None = None) -> Cube:
        assert stop is not None
        self.begun.set()
        stop.wait()
        raise Stopped

    begun = threading.Event()


def test_a_real_question_stops_what_is_counted_in_advance(engine: Engine) -> None:
    slow = Slow(engine.table)
    ahead = Ahead(slow)
    worker = ahead.begin(LOOK.question)
    assert worker is not None
    slow.begun.wait()
    with ahead.asking():
        worker.join()
        assert ahead.begin(LOOK.question) is None
    assert ahead.look is None
    slow.close()
