"""Figures in reports, as they are read."""

from __future__ import annotations

import re

import pytest

from tidemark.markdown import correlation, figure, plain, table


@pytest.mark.parametrize(
    ("given", "written"),
    [(0.8738, "0.874"), (-0.0, "0.000"), (-0.0004, "0.000"), (-0.0224, "−0.022"), (-1200.4, "−1,200")],
)
def test_a_figure_to_three_digits(given: float, written: str) -> None:
    assert figure(given, 3) == written


@pytest.mark.parametrize(("given", "written"), [(0.694, "+0.69"), (-0.15, "−0.15"), (-0.003, "+0.00")])
def test_a_correlation(given: float, written: str) -> None:
    assert correlation(given) == written


@pytest.mark.parametrize(
    "name",
    [
        "cr\r\n# Heading.csv",
        "a | b.csv",
        "<script>alert(1)</script>.csv",
        "`tick`**b**[l](http://evil.example)![i](http://evil.example/i.png).csv",
        "\x00\x1b[31m\u202e\u2028.csv",
        "back\\slash\\|.csv",
    ],
)
def test_a_stranger_s_words_stay_words(name: str) -> None:
    shown = table(("file",), [(plain(name),)])
    assert len(shown.splitlines()) == 3
    cell = shown.splitlines()[2].removeprefix("| ").removesuffix(" |")
    assert re.findall(r"(?<!\\)(?:\\\\)*[`*\[\]<>!#~|]", cell) == []
    assert cell.isprintable()
