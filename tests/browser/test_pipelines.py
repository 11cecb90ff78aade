"""The Streamlit app in a real browser: its pages over the local cloud, and over an API that comes and goes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.cloud import Cloud
from tests.explorer import Behind, explorer, served
from tests.pipelines import DATA, ML, reused, run_of, seed
from tidemark.adapters.dynamodb_runs import entries_of
from tidemark.local import stores
from tidemark.local.home import HOST, free_port
from tidemark.runs import Run

PREFECT = "http://127.0.0.1:4200"  # nothing is asked of it: the pages only link to it
# Where everything is that must not move; the tables' rows may change.
PLACES = """() => JSON.stringify([...document.querySelectorAll('[class*="st-key-"]')].map((node) => {
  const { x, y, width, height } = node.getBoundingClientRect();
  return [node.className.match(/st-key-[\\w-]+/)[0], x, y, width, height];
}))"""
FOCUSED = """() => {
  let node = document.activeElement;
  while (node?.shadowRoot?.activeElement) node = node.shadowRoot.activeElement;
  return node?.textContent;
}"""
Look = Callable[..., Page]


class Index:
    """The local cloud's index of runs. What a test adds is gone after it."""

    def __init__(self, cloud: Cloud) -> None:
        self._client, self._table = stores.client(cloud.home, "dynamodb"), stores.running(cloud.home)["RunsTable"]
        self.runs, objects = stores.open_pipelines(cloud.home)
        self.known = seed(self.runs, objects)
        self._added: list[Run] = []
        for flow in (DATA, ML):
            self.runs.schedule(flow, 120)

    def add(self, run: Run) -> Run:
        self._added.append(run)
        self.runs.add(run)
        return run

    def forget(self) -> None:
        for run in self._added:
            for entry in entries_of(run):
                self._client.delete_item(TableName=self._table, Key={name: entry[name] for name in ("list", "id")})
        self._added.clear()


@pytest.fixture(scope="module")
def address(cloud: Cloud) -> Iterator[str]:
    """The app over the local cloud."""
    with explorer(cloud.api, cloud.tokens["read"], {"prefect": PREFECT}) as address:
        yield address


@pytest.fixture(scope="module")
def filled(cloud: Cloud) -> Index:
    return Index(cloud)


@pytest.fixture
def index(filled: Index) -> Iterator[Index]:
    yield filled
    filled.forget()


@pytest.fixture
def look(context: BrowserContext) -> Iterator[Look]:
    """Opens pages; an error that no page catches fails the test, and so does a request to anywhere else."""
    errors: list[str] = []
    hosts: set[str | None] = set()

    def look(at: str, scheme: str = "light", width: int = 1440) -> Page:
        page = context.new_page()
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        page.set_viewport_size({"width": width, "height": 1000})
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("request", lambda request: hosts.add(urlsplit(request.url).hostname))
        page.goto(at)
        expect(page.get_by_role("heading", level=1)).to_be_visible(timeout=30_000)
        return page

    yield look
    assert errors == []
    assert hosts <= {HOST, "", None}


def runs_of(page: Page) -> list[str]:
    """The runs in the list, in its order, once it is drawn."""
    rows = page.get_by_role("table", name="Runs, newest first").locator("tbody tr")
    expect(rows.first).to_be_visible(timeout=15_000)
    return [row.get_attribute("key") or "" for row in rows.all()]


def test_the_page_shows_what_the_runs_left(look: Look, address: str, index: Index) -> None:
    page = look(address)
    data, models = (page.locator(f"[data-flow={flow}]") for flow in (DATA, ML))
    for words in ("Failed", "2 of 3 runs good", "1 skipped", "1 failed", "last good"):
        expect(data).to_contain_text(words)
    expect(models).to_contain_text("3 of 3 runs good")
    expect(models.locator(".late")).to_contain_text("overdue by")
    expect(page.locator("[data-watched=freshness]")).to_contain_text("Well")
    batches = page.get_by_role("region", name="The newest batches")
    expect(batches).to_contain_text("Quarantined whole")
    expect(batches).to_contain_text("not the ten columns")
    expect(page.get_by_role("table", name="The gate's last decisions")).to_contain_text("Promoted")
    expect(page.locator(".st-key-tile-model svg.marks").first).to_be_visible()
    assert len(runs_of(page)) == len(index.known)


def test_a_new_run_appears_and_nothing_else_moves(look: Look, address: str, index: Index) -> None:
    run = index.known["data"]
    page = look(f"{address}/?run={DATA}.{run.id}")
    detail = page.locator(".st-key-tile-run")
    expect(detail.get_by_role("link", name="This run in Prefect")).to_have_attribute(
        "href", f"{PREFECT}/runs/flow-run/{run.flow_run}"
    )
    expect(detail).to_contain_text(f"Run {run.id}"[4:])
    chosen = page.get_by_role("table", name="Runs, newest first").locator("button[aria-pressed=true]")
    expect(page.get_by_role("button", name="Older")).to_be_visible()
    chosen.focus()
    focused = page.evaluate(FOCUSED)
    page.evaluate("window.notReloaded = true")
    before = page.evaluate(PLACES)
    new = index.add(reused(index.known["ml again"], 9))
    expect(page.locator(f"[data-flow={ML}]")).to_contain_text("Nothing new", timeout=15_000)
    expect(page.locator(f"tr[key='{ML}.{new.id}']")).to_be_visible(timeout=15_000)
    assert page.evaluate(PLACES) == before
    assert page.evaluate(FOCUSED) == focused
    assert page.evaluate("window.notReloaded")
    expect(chosen).to_have_count(1)
    expect(detail).to_contain_text(run.id)
    assert page.url == f"{address}/?run={DATA}.{run.id}"


def test_runs_are_chosen_and_read_by_keyboard_alone(look: Look, address: str, index: Index) -> None:
    page = look(address)
    names = runs_of(page)
    buttons = page.get_by_role("table", name="Runs, newest first").get_by_role("button")
    place = names.index(f"{DATA}.{index.known['data'].id}")
    buttons.nth(place - 1).focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url(f"{address}/?run={names[place]}")
    detail = page.locator(".st-key-tile-run")
    expect(detail.locator("h3").first).to_contain_text(index.known["data"].id)
    page.get_by_role("tab", name="Report").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(detail.get_by_role("list", name="Steps")).to_contain_text("Summary statistics")
    for part, words in (("Log", "03:31:00"), ("Tables", "20,640")):
        page.get_by_role("tab", name=part).press("Enter")
        expect(detail).to_contain_text(words)
    page.get_by_role("tab", name="Charts").press("Enter")
    expect(detail.locator("svg.marks")).to_be_visible()
    page.reload()
    expect(detail.locator("svg.marks")).to_be_visible(timeout=15_000)
    buttons.nth(place).focus()
    page.keyboard.press("Escape")
    expect(detail).to_contain_text("Choose a run")
    page.wait_for_url(lambda url: "run=" not in url)


def test_the_list_is_filtered_paged_and_kept_in_the_address(look: Look, address: str, index: Index) -> None:
    added = [index.add(run_of(ML, number, status="failed", headline="no")) for number in range(20, 36)]
    page = look(f"{address}/?flow=Price+models&status=Failed")
    names = [f"{ML}.{run.id}" for run in reversed(added)]
    expect(page.locator(f"tr[key='{names[0]}']")).to_be_visible()
    assert runs_of(page) == names[:12]
    page.get_by_role("button", name="Older").click()
    expect(page.locator(f"tr[key='{names[-1]}']")).to_be_visible()
    assert runs_of(page) == names[12:]
    expect(page.get_by_role("button", name="Older")).to_be_disabled()
    page.get_by_role("button", name="Newer").click()
    expect(page.locator(f"tr[key='{names[0]}']")).to_be_visible()
    page.locator(".bars").nth(1).get_by_role("button").last.click()
    expect(page.locator(".st-key-tile-run h3").first).to_be_in_viewport()
    expect(page.locator(".st-key-tile-run")).to_contain_text("It wrote no report, since it failed.")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1440])
def test_it_fits_every_screen_in_light_and_dark(
    look: Look, address: str, index: Index, width: int, scheme: str
) -> None:
    page = look(f"{address}/?run={DATA}.{index.known['data'].id}&part=Charts", scheme, width)
    expect(page.locator(".st-key-tile-run svg.marks")).to_be_visible(timeout=15_000)
    assert page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth") <= width
    ground = page.evaluate("getComputedStyle(document.querySelector('.stApp')).backgroundColor")
    assert ground == ("rgb(15, 21, 22)" if scheme == "dark" else "rgb(246, 247, 247)")
    # Text has the contrast of the live page's palette in both.
    word = page.locator("[data-flow] h2").first.evaluate("node => getComputedStyle(node).color")
    assert word == ("rgb(230, 236, 236)" if scheme == "dark" else "rgb(22, 33, 31)")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_stands_on_the_accent_can_be_read(look: Look, address: str, scheme: str) -> None:
    button = look(f"{address}/housing", scheme).get_by_role("button", name="Price this block")
    expect(button).to_be_visible(timeout=15_000)
    expect(button).to_have_css("background-color", "rgb(88, 189, 211)" if scheme == "dark" else "rgb(15, 110, 132)")
    word = "rgb(15, 21, 22)" if scheme == "dark" else "rgb(255, 255, 255)"
    expect(button.get_by_text("Price this block")).to_have_css("color", word)


def test_the_app_starts_without_flows_and_says_that_none_run(look: Look, cloud: Cloud) -> None:
    endpoints = cloud.home.state().endpoints
    assert set(endpoints) == {"api", "live", "explorer"}
    page = look(endpoints["explorer"])
    expect(page.locator(".top")).to_contain_text("No flow runs here: the part flows was not started")
    page.get_by_role("link", name="Housing prices").click()
    expect(page.get_by_role("heading", level=1, name="Housing prices")).to_be_visible(timeout=15_000)


def test_prices_and_an_api_that_comes_and_goes(look: Look) -> None:
    behind, port = Behind(), free_port()
    with explorer(f"http://{HOST}:{port}", "a token", {}) as address:
        page = look(address)
        expect(page.locator(".top")).to_contain_text("The API does not answer. Asked again every 5 s.")
        expect(page.locator(".top")).to_contain_text("No flow runs here")
        with served(behind.app, port):
            expect(page.locator(f"[data-flow={DATA}]")).to_contain_text("No run yet", timeout=15_000)
            expect(page.locator(".problem")).to_have_count(0, timeout=15_000)
            behind.crown()
            page.get_by_role("link", name="Housing prices").click()
            price = page.locator(".price .number")
            expect(price).to_contain_text("$", timeout=15_000)
            first = price.inner_text()
            page.get_by_label("Income, $ a year").fill("120000")
            page.get_by_role("button", name="Price this block").click()
            expect(price).not_to_have_text(first)
            page.get_by_role("combobox", name="Begin with a place, or pick one on the map").click()
            page.get_by_role("option", name="Death Valley").click()
            expect(page.locator(".price .warning")).to_contain_text("Nothing comparable within 3 km")
        page.get_by_role("button", name="Price this block").click()
        expect(page.locator(".st-key-tile-price .problem")).to_have_text("The API does not answer.", timeout=15_000)
        assert "Traceback" not in page.content()
