"""The explorer's views in a real browser: what is brushed is what SQL counts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from streamlit_app.explorer.first_look import NOTHING
from tests.explorer import explorer

ROWS = 1_200_000
"""More than the sample has, so that it answers first."""
DRAWN = f"""
COPY (
    SELECT
        TIMESTAMP '2019-01-01' + to_seconds((random() * 7776000)::INT) AS sold_at,
        CASE WHEN random() < .05 THEN NULL ELSE random() * 100 + random() * 100 END AS price,
        exp(random() * 9) AS spent,
        (random() * 9)::INT AS quantity,
        ['North', 'It''s', NULL][(1 + random() * random() * 3)::INT] AS "the branch"
    FROM range({ROWS})
) TO '$path'
"""
OPENED_MS = 90_000
"""The first page of all imports much, and the table is binned."""
NO_API = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("own") / "sales.parquet"
    with duckdb.connect() as connection:
        connection.execute("SELECT setseed(.1)")
        connection.execute(DRAWN.replace("$path", str(path)))
    return path


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with explorer(NO_API, "none", {}, tmp_path_factory.mktemp("tables")) as address:
        yield address


@pytest.fixture
def views(context: BrowserContext, address: str, table: Path) -> Page:
    """The page with the table open, and its cube exact."""
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.goto(f"{address}/explorer")
    choose_own(page, str(table))
    expect(line(page)).to_have_text(f"{ROWS:,} of {ROWS:,} rows", timeout=OPENED_MS)
    expect(page.locator(".explorer")).to_have_attribute("data-exact", "true")
    return page


def choose_own(page: Page, path: str) -> None:
    expect(page.get_by_label("Table", exact=True)).to_be_visible(timeout=OPENED_MS)
    page.get_by_label("Table", exact=True).click()
    page.get_by_role("option", name="A file or folder of your own").click()
    page.get_by_label("Its path").fill(path)
    page.get_by_label("Its path").press("Enter")


def line(page: Page) -> Locator:
    return page.locator(".explorer .line")


def tile(page: Page, title: str) -> Locator:
    return page.locator(".tile").filter(has=page.locator("h3", has_text=title))


def drag(page: Page, title: str, first: float, last: float) -> None:
    """Brush from one part of a view's width to another."""
    canvas = tile(page, title).locator("canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * first, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * last, middle, steps=5)
    page.mouse.up()


def must_count(page: Page, parts: int) -> int:
    """That the page shows as many rows as the SQL that it copies finds; `parts` views are selected in."""
    expect(page.locator(".said:not(:empty)")).to_have_count(parts)
    page.get_by_role("button", name="SQL").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    with duckdb.connect() as connection:
        (expected,) = connection.sql(copied).aggregate("count(*)").fetchall()[0]
    expect(page.locator(".explorer")).to_have_attribute("data-found", str(expected))
    return int(expected)


def test_what_is_brushed_is_what_sql_counts(views: Page) -> None:
    drag(views, "price", 0.2, 0.5)
    first = must_count(views, 1)
    assert 0 < first < ROWS
    drag(views, "spent", 0.3, 0.9)
    second = must_count(views, 2)
    assert 0 < second < first
    box = tile(views, "the branch").locator("canvas")
    box.click(position={"x": 10, "y": 10})
    third = must_count(views, 3)
    assert 0 < third < second
    views.get_by_role("button", name="Undo").click()
    assert must_count(views, 2) == second
    views.get_by_role("button", name="Reset").click()
    expect(line(views)).to_have_text(f"{ROWS:,} of {ROWS:,} rows")
    assert must_count(views, 0) == ROWS


def test_the_keyboard_brushes_too(views: Page) -> None:
    tile(views, "sold_at").focus()
    for key in ("ArrowRight", "ArrowRight", "Shift+ArrowRight"):
        views.keyboard.press(key)
    first = must_count(views, 1)
    tile(views, "the branch").focus()
    views.keyboard.press("1")
    assert 0 < must_count(views, 2) < first
    views.keyboard.press("Escape")
    assert must_count(views, 1) == first


def test_what_cannot_be_read_is_told(context: BrowserContext, address: str, tmp_path: Path) -> None:
    broken = tmp_path / "broken.parquet"
    broken.write_bytes(b"no parquet")
    empty = tmp_path / "empty.csv"
    empty.touch()
    wide = tmp_path / "wide.csv"
    wide.write_text(",".join(f"c{number}" for number in range(10_000)) + "\n" + ",".join("1" * 10_000) + "\n")
    page = context.new_page()
    page.goto(f"{address}/explorer")
    for path, words in (
        (tmp_path / "none.csv", "there is no such file or folder"),
        (broken, "no Parquet file, or it ends early"),
        (empty, "the file is empty"),
        (wide, "10,000 columns; at most 64"),
    ):
        choose_own(page, str(path))
        expect(page.locator(".problem")).to_contain_text(words)


def test_a_table_is_looked_at_first(context: BrowserContext, address: str, table: Path) -> None:
    page = context.new_page()
    page.goto(f"{address}/first-look?path={table}")
    expect(page.get_by_role("heading", name="What stands out")).to_be_visible(timeout=60_000)
    expect(page.get_by_text(NOTHING)).to_be_visible()
    expect(page.get_by_role("row", name="price number")).to_contain_text("5.0 %")
    expect(page.get_by_text("price is missing in 5.0 % of the rows.")).to_be_visible()
    page.get_by_role("link", name="Explorer").click()
    expect(line(page)).to_have_text(f"{ROWS:,} of {ROWS:,} rows")


def test_a_view_is_saved_and_opened_by_its_link(views: Page, context: BrowserContext, address: str) -> None:
    drag(views, "price", 0.2, 0.5)
    tile(views, "the branch").locator("canvas").click(position={"x": 10, "y": 10})
    found = must_count(views, 2)
    panel(views).get_by_label("Name").fill("Cheap **ones**")
    views.get_by_role("button", name="Save what is looked at").click()
    expect(views.get_by_text("Saved as “Cheap **ones**”.")).to_be_visible()
    link = views.get_by_role("link", name="A link to").get_attribute("href")
    views.get_by_role("button", name="Save what is looked at").click()
    expect(views.get_by_text("There is a saved view “Cheap **ones**” already.")).to_be_visible()
    views.get_by_role("button", name="Leave it").click()
    views.keyboard.press("Escape")
    views.get_by_role("button", name="Reset").click()
    expect(views.locator(".explorer")).to_have_attribute("data-found", str(ROWS))
    panel(views).locator(".st-key-saved-open button").click()
    expect(views.locator(".explorer")).to_have_attribute("data-found", str(found))
    other = context.new_page()
    other.goto(f"{address}/explorer{link}")
    expect(other.locator(".explorer")).to_have_attribute("data-found", str(found))
    assert must_count(other, 2) == found
    panel(other).locator(".st-key-saved-delete button").click()
    other.get_by_role("button", name="Delete it").click()
    expect(other.get_by_text("None of this table yet.")).to_be_visible()


def panel(page: Page) -> Locator:
    page.get_by_role("button", name="Saved views").click()
    return page.get_by_test_id("stPopoverBody")


def test_plain_charts_filter_one_another(context: BrowserContext, address: str, table: Path) -> None:
    page = context.new_page()
    page.goto(f"{address}/explorer?plain=1&path={table}")
    words = page.locator(".st-key-plain-line")
    expect(words).to_contain_text(f"{ROWS:,} of {ROWS:,} rows", timeout=60_000)
    expect(page.locator(".explorer")).to_have_count(0)
    chart = page.get_by_test_id("stVegaLiteChart").nth(1).locator("svg.marks")
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * 0.4, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.7, middle, steps=5)
    page.mouse.up()
    expect(words).to_contain_text("price: ")
    expect(words).not_to_contain_text(f"{ROWS:,} of {ROWS:,} rows")
    told = words.inner_text()
    page.get_by_text("Plain charts").click()
    expect(line(page)).to_contain_text(told.split(" rows")[0])
    expect(tile(page, "price").locator(".said")).not_to_be_empty()
