"""A report says what was found, in its order, and nothing in a table can become markup."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from tests.unit.analysis.conftest import MakeFrame
from tidemark.analysis.describe import describe
from tidemark.analysis.report.document import Document, Grid, Heading, numbered
from tidemark.analysis.report.html import html
from tidemark.analysis.report.pdf import pdf
from tidemark.analysis.report.study import Study, study
from tidemark.analysis.report.write import report
from tidemark.tables.sources import Source

FOLDER = "/home/somebody"
ODD = '<script>alert("x")</script> #let *a* $b$ \\ [c] @d `e` {f} "g"'


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    """A table with odd names, a straight relation and noise."""
    random = np.random.default_rng(3)
    x = random.normal(size=600)
    return pd.DataFrame(
        {
            ODD: x,
            "y": 2 * x + random.normal(size=600),
            "z": random.exponential(1, 600),
            "kind": random.choice([ODD, "b"], 600),
        }
    )


@pytest.fixture(scope="module")
def made(rows: pd.DataFrame, make: MakeFrame) -> Study:
    """A study of it."""
    sql = f"(SELECT * FROM read_csv('{FOLDER}/rows.csv'))"
    source = Source("made", "Made", "Made here", sql, "1", lambda to: to.from_df(rows))
    return study(source, make(**{name: rows[name].tolist() for name in rows}), "y", "rows")


def test_statistics_are_those_of_the_textbook(rows: pd.DataFrame, make: MakeFrame) -> None:
    found = describe(make(**{name: rows[name].tolist() for name in rows}))
    one = next(one for one in found.numbers if one.column == "y")
    assert (one.mean, one.deviation, one.lower) == pytest.approx((rows.y.mean(), rows.y.std(), rows.y.quantile(0.25)))
    pair = next(pair for pair in found.pairs if {pair.first, pair.second} == {ODD, "y"})
    assert pair.value == pytest.approx(stats.spearmanr(rows[ODD], rows.y).statistic)
    assert found.pairs[0] == pair
    assert [pair.real for pair in found.pairs] == [True, *[False] * 5]
    assert found.categories[0].counts == rows.kind.value_counts().to_dict()


def test_a_report_has_all_sections_in_order_and_names_no_folder(made: Study) -> None:
    document = report(made)
    heads = [block.text for block in numbered(document.blocks) if isinstance(block, Heading) and block.level == 1]
    assert heads == ["1 Methodology", "2 Implementation", "3 Results", "4 Discussion"]
    parts = [block.text for block in document.blocks if isinstance(block, Heading) and block.level == 2]
    assert [part for part in parts if parts.count(part) == 2][:4] == [
        "Descriptive statistics",
        "Dependence",
        "Shape",
        "Prediction",
    ]
    page = html(document)
    assert FOLDER not in page
    assert "rows.csv" in page


def test_nothing_in_a_table_becomes_markup(made: Study) -> None:
    document = report(made)
    page = html(document)
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    ET.fromstring(page[page.index("<body>") : page.index("</html>")])
    assert pdf(document).startswith(b"%PDF-")


def test_figures_of_the_tables_are_those_of_the_run(made: Study) -> None:
    grids = {block.caption: block for block in report(made).blocks if isinstance(block, Grid)}
    found = made.prediction[0]
    assert found.best == "linear"
    scores = grids["How well y is predicted."].rows
    assert scores[1][1].startswith(f"{found.scores[0].skill:.4f}")
    assert len(grids["Importance."].rows) == len(found.features) == 3


def test_a_long_name_does_not_break_the_pages() -> None:
    grid = Grid("Wide", ("a" * 300, *(f"{n} " for n in range(12))), [["b" * 400, *["1"] * 12]])
    assert pdf(Document("Long", "", [grid])).startswith(b"%PDF-")
