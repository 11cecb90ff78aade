"""What others sent is text on every page, and no formula in what a page exports: seen in a real Chromium."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pyarrow as pa
import pytest
from playwright.sync_api import BrowserContext, Dialog, Page, expect
from pyarrow import parquet

from tests.browser.conftest import Open
from tests.cloud import Cloud
from tests.explorer import explorer
from tests.hostile.attempts import FORMULAS, HARM, MARKUP, is_formula
from tests.samples import sale
from tests.trust import tell

OPENED_MS = 90_000
NO_API = "http://127.0.0.1:9"
FIELDS = ("branch", "city", "customer_type", "gender", "product_line", "payment", "customer_id")


@pytest.fixture
def counted(context: BrowserContext) -> Iterator[list[str]]:
    """Pages that count what runs in them; every dialog is one too many."""
    dialogs: list[str] = []

    def opened(dialog: Dialog) -> None:
        dialogs.append(dialog.message)
        dialog.dismiss()

    context.add_init_script(HARM)
    context.on("dialog", opened)
    yield dialogs
    assert dialogs == []


def is_unharmed(page: Page) -> None:
    for frame in page.frames:
        assert frame.evaluate("window.harmed || 0") == 0
        assert frame.locator("[data-harm]").count() == 0
        assert frame.locator("a[href^='javascript:' i]").count() == 0


def test_markup_in_a_sale_is_text_on_the_live_page(counted: list[str], open_page: Open, cloud: Cloud) -> None:
    for number, markup in enumerate(MARKUP):
        row: dict[str, Any] = dict.fromkeys(FIELDS, markup)
        posted = cloud.post({"sales": [sale(_id(number, markup), **row, total="1", sold_at=_at(number))]})
        assert posted.json()["results"][0]["status"] == "accepted"
        assert cloud.post(b"{}").status_code == 400
    page = open_page()
    expect(page.locator("[data-tile=anomalies]")).to_contain_text(MARKUP[-2])
    is_unharmed(page)
    for number, markup in enumerate(MARKUP):
        found = quote(_id(number, markup), safe="")
        opened = open_page(f"open=sale:{found}&branch={quote(markup, safe='')}&product_line={quote(markup, safe='')}")
        expect(opened.get_by_role("dialog")).to_contain_text("Total is not price")
        is_unharmed(opened)
        opened.close()
    said = {"text": " ".join(MARKUP), "view": f"?branch={MARKUP[0]}", "page_version": MARKUP[0]}
    assert page.request.post(f"{cloud.live}/v1/feedback", data=said).ok
    page.reload()
    page.wait_for_selector("[data-connection=live]")
    is_unharmed(page)
    tell("stored script live", strings=len(MARKUP), places=len(FIELDS) + 4)


def _id(number: int, markup: str) -> str:
    return re.sub(r"[/%\s]", "", f"{number}{markup}")[:64]  # what no address of a sale holds


def _at(number: int) -> str:
    return f"2019-03-30T20:{10 + number:02}:00Z"


@pytest.mark.parametrize("field", ["product_line", "branch"])
def test_no_cell_that_the_live_page_exports_is_a_formula(
    open_page: Open, cloud: Cloud, tmp_path: Path, field: str
) -> None:
    rows = [
        sale(f"{field} formula {number}", **{field: formula}, tax=None, total=None, sold_at="2019-03-29T20:59:00Z")
        for number, formula in enumerate(FORMULAS)
    ]
    assert {row["status"] for row in cloud.post({"sales": rows}).json()["results"]} <= {"accepted", "duplicate"}
    page = open_page("from=2019-03-29T00:00&to=2019-03-30T00:00")
    expect(page.locator("[data-kpi=tickets]")).not_to_have_attribute("data-exact", "0")
    page.get_by_text("Export").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Numbers (CSV)").click()
    table = tmp_path / "numbers.csv"
    download.value.save_as(table)
    for delimiter in ",;\t":
        with table.open(encoding="utf-8", newline="") as content:
            cells = [cell for row in csv.reader(content, delimiter=delimiter) for cell in row]
        assert [cell for cell in cells if is_formula(cell)] == []
        assert delimiter != "," or sum("1+1" in cell for cell in cells) >= 8
    tell(f"formulas {field}", strings=len(FORMULAS))


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with explorer(NO_API, "none", {}, tmp_path_factory.mktemp("tables")) as address:
        yield address


def test_markup_in_a_file_is_text_in_the_explorer(
    counted: list[str], context: BrowserContext, address: str, tmp_path: Path
) -> None:
    """In its name, its columns' names and its values; what is exported of it holds no formula."""
    file = tmp_path / "<img src=x onerror=harm() data-harm>.parquet"
    names = [*MARKUP, *FORMULAS]
    columns = {name: (names[place:] + names[:place]) * 3 for place, name in enumerate(names)}
    parquet.write_table(pa.table(columns), file)
    page = context.new_page()
    page.goto(f"{address}/explorer?path={quote(str(file))}")
    expect(page.locator(".explorer .line")).to_contain_text("rows", timeout=OPENED_MS)
    expect(page.locator(".tile h3").first).to_be_visible()
    is_unharmed(page)
    page.get_by_text("Plain charts").click()
    expect(page.locator("[data-testid=stVegaLiteChart]").first).to_be_visible(timeout=OPENED_MS)
    is_unharmed(page)
    for wrong in ("<img src=x onerror=harm() data-harm>.csv", "[x](javascript:harm()).csv", "/nowhere/<b data-harm>"):
        page.goto(f"{address}/explorer?path={quote(wrong)}")
        expect(page.get_by_text(re.compile("no such file|only Parquet"))).to_be_visible(timeout=OPENED_MS)
        is_unharmed(page)
    tell("stored script explorer", strings=len(names), places=4)
