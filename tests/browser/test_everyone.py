"""The page for everyone: WCAG 2.2 AA as axe sees it, the whole page by keyboard, and without colour."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Open
from tests.cloud import Cloud
from tests.samples import sale
from tidemark.local.home import ROOT

AXE = ROOT / "web" / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

pytestmark = pytest.mark.usefixtures("replayed")


def problems(page: Page) -> list[str]:
    page.evaluate(AXE.read_text())
    found: dict[str, Any] = page.evaluate("rules => axe.run({ runOnly: rules })", RULES)
    return [
        f"{violation['id']}: {violation['help']}: {node['html'][:200]}"
        for violation in found["violations"]
        for node in violation["nodes"]
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    "query",
    [
        "",
        "branch=A&weekday=0&compare=branch:B&show=rating",
        "open=hours",
        "open=sale:axe",
        "replay=17963.800.0&kiosk=1",
        "branch=nowhere",
    ],
)
def test_axe_finds_nothing(open_page: Open, cloud: Cloud, query: str, scheme: str) -> None:
    cloud.post({"sales": [sale("axe", total="1", sold_at="2019-03-30T20:50:00Z")]})
    page = open_page(query)
    page.emulate_media(color_scheme="light" if scheme == "light" else "dark")
    expect(page.locator("[data-tile=anomalies]")).to_be_visible()
    if query.startswith("open=sale"):
        page.get_by_text("What the model and the rules say").wait_for()
    assert problems(page) == []


@pytest.mark.parametrize("panel", ["Tiles", "Views", "Alerts", "Feedback", "Settings"])
def test_axe_finds_nothing_in_a_panel(page: Page, panel: str) -> None:
    page.get_by_role("button", name=panel).first.click()
    page.get_by_role("dialog").wait_for()
    assert problems(page) == []


def test_axe_finds_nothing_on_a_phone_or_away(open_page: Open) -> None:
    page = open_page()
    page.set_viewport_size({"width": 360, "height": 740})
    assert problems(page) == []
    page.evaluate("dispatchEvent(new Event('offline'))")
    page.wait_for_selector("[data-connection=away]")
    assert problems(page) == []


def test_every_control_is_reached_with_the_tab_key(page: Page) -> None:
    inside = "main, nav, [role=toolbar]"
    wanted = page.evaluate(
        """inside => [...document.querySelectorAll(inside)].flatMap(part =>
          [...part.querySelectorAll("a[href], button, select, input, summary, [tabindex='0']")])
          .filter(node => !node.disabled && node.checkVisibility()).length""",
        inside,
    )
    reached = set()
    page.locator("body").click(position={"x": 2, "y": 2})
    for _ in range(wanted + 20):
        page.keyboard.press("Tab")
        place = page.evaluate(
            """inside => {
              const node = document.activeElement;
              if (node === null || node.closest(inside) === null) return null;
              const seen = getComputedStyle(node).outlineStyle !== "none";
              return [[...document.querySelectorAll("*")].indexOf(node), seen];
            }""",
            inside,
        )
        if place is not None:
            assert place[1], "what has the focus shows it"
            reached.add(place[0])
    assert len(reached) == wanted


def test_a_picture_can_be_read_as_a_table(page: Page) -> None:
    page.get_by_role("button", name="As a table").click()
    rows = page.get_by_role("region", name="Sales over time, as a table").get_by_role("row")
    expect(rows).to_have_count(90)
    expect(rows.nth(1)).to_contain_text("Tue, Jan 1, 2019")
    expect(rows.nth(1)).to_contain_text("$4,745.18")


def test_no_number_is_told_by_colour_alone(page: Page) -> None:
    marks = page.locator("main .mark")
    for said in marks.evaluate_all("marks => marks.map(mark => mark.ariaDescription ?? mark.ariaLabel)"):
        assert re.search(r"\d sales?$", said)
    for branch in "ABC":
        name = page.locator("[data-tile=branches] .name", has_text=branch)
        expect(name.first).to_be_visible()
