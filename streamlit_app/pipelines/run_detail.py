"""One run: its report, what it did, its log, charts and tables, and where else it is."""

from __future__ import annotations

import re
from collections.abc import Callable

import streamlit as st

from streamlit_app.ui import session, words
from streamlit_app.ui.api import RunLog
from streamlit_app.ui.drawing import draw_chart, draw_tables
from streamlit_app.ui.links import in_mlflow, in_prefect
from streamlit_app.ui.tree import Tree, ago, el, state
from streamlit_app.ui.view import now_ms, show
from streamlit_app.ui.words import MEANS, NO_CHOICE, STATES, TITLES
from tidemark.errors import NotFound, TidemarkError
from tidemark.runs import EXPERIMENTS, HOUSING_ML, WITH_RESULTS, Run

PARTS = ("Report", "Steps", "Log", "Charts", "Tables")
NO_RUN = "Choose a run, in the list or among the bars above: its report, steps, log, charts and tables will stand here."
CLOSE = el("button", "Close", type="button", choose=NO_CHOICE, cls="link")
_HEADING = re.compile(r"^(#{1,4}) ", re.MULTILINE)


def run_detail(flow: str, identity: str, *, choose: Callable[[str], None], appear: str | None) -> None:
    """Everything of a run; where it cannot be read, why. `choose(NO_CHOICE)` closes it; `appear` as in `view.show`."""
    close = el("p", CLOSE)
    try:
        found = session.run(flow, identity).run
    except NotFound:
        gone = el("p", "There is no such run, or no longer: runs are kept for 400 days.", cls="empty")
        show("run-head", gone, close, choose=choose, undo=NO_CHOICE, appear=appear)
        return
    except TidemarkError as error:
        show("run-head", el("p", str(error), cls="problem"), close, choose=choose, undo=NO_CHOICE, appear=appear)
        return
    links = el("p", *_links(found), cls="line links")
    show("run-head", head(found, now_ms()), links, choose=choose, undo=NO_CHOICE, appear=appear)
    tabs = st.tabs(list(PARTS), key="part", on_change="rerun", bind="query-params")
    for tab, draw in zip(tabs, (_report, _steps, _log, _charts, _tables), strict=True):
        if tab.open:
            with tab:
                try:
                    draw(found)
                except TidemarkError as error:
                    show("run-problem", el("p", str(error), cls="problem"))


def head(run: Run, now: int) -> Tree:
    """What a run was, in short."""
    return el(
        "header",
        el("h3", el("span", TITLES.get(run.flow, run.flow), el("small", f" run {run.id}", cls="faint")), CLOSE),
        el(
            "p",
            state(run.status, STATES[run.status]),
            el("span", MEANS[run.status]),
            el("span", f"began {words.day(run.started_at)} UTC, ", ago(run.started_at)),
            el("span", f"took {words.span(words.took(run))}"),
            cls="line",
        ),
        el("p", words.sentence(run.headline, now)),
        cls="run",
    )


def _links(run: Run) -> list[Tree]:
    found = session.configured()
    shown: list[Tree] = []
    if found.prefect_url:
        shown.append(_link("This run in Prefect", in_prefect(found.prefect_url, run.flow_run)))
    if found.mlflow_url and run.flow in EXPERIMENTS and run.status in WITH_RESULTS:
        experiment = session.experiment(found.mlflow_url, EXPERIMENTS[run.flow])
        made = run.reused_from or run.id
        if experiment is not None:
            shown.append(_link("Its models in MLflow", in_mlflow(found.mlflow_url, experiment, made)))
    return shown or [el("span", "Neither Prefect nor MLflow runs here now.", cls="faint")]


def _link(text: str, url: str) -> Tree:
    return el("a", text, href=url, target="_blank", rel="noopener noreferrer")


def _report(run: Run) -> None:
    try:
        text = session.report(run.flow, run.id)
    except NotFound:
        show("run-report", el("p", _without(run), cls="empty"))
        return
    st.markdown(readable_markdown(text, run.headline), anchors=False)


def readable_markdown(text: str, headline: str) -> str:
    """A report's Markdown, fit to stand below a run's head: without what stands there, with smaller headings, dollars
    that are no formulas, and no pictures from elsewhere."""
    parts = text.split("\n\n")
    parts = [part for part in parts[:2] if not part.startswith("# ") and headline not in part] + parts[2:]
    smaller = _HEADING.sub(lambda found: "#" * min(len(found[1]) + 2, 6) + " ", "\n\n".join(parts))
    return smaller.replace("$", "\\$").replace("![", "!\\[").strip()


def _without(run: Run) -> str:
    if run.status in WITH_RESULTS:
        return "Its report is no longer kept: reports are kept for 90 days."
    return f"It wrote no report, since it {'was skipped' if run.status == 'skipped' else 'failed'}."


def _steps(run: Run) -> None:
    show("run-steps", steps(run, now_ms()))


def steps(run: Run, now: int) -> Tree:
    """How long each step took, as bars from zero up; and whose results stand, where it was not done again."""
    if not run.steps:
        return el(
            "p",
            f"No step was done: the run {'was skipped' if run.status == 'skipped' else 'failed at once'}.",
            cls="empty",
        )
    longest = max(max(step.seconds for step in run.steps), 0.001)
    rows = []
    for step in run.steps:
        if step.reused_from:
            origin = step.reused_from.partition("-")[0]
            amount: Tree = el("span", f"as in the run of {words.clock(int(origin), now)}", cls="faint")
        else:
            amount = el("span", words.span(step.seconds))
        bar = el("span", el("span", cls="bar", style=f"width:{100 * step.seconds / longest:.1f}%"), cls="rail")
        rows.append(el("li", el("span", step.title, cls="what"), bar, amount, key=step.name))
    return el("ol", *rows, cls="steps", aria_label="Steps, with seconds")


def _log(run: Run) -> None:
    lines: RunLog = session.log(run.flow, run.id)
    if not lines.log:
        show("run-log", el("p", "No line was kept: " + _without(run)[:1].lower() + _without(run)[1:], cls="empty"))
        return
    rows = []
    for place, line in enumerate(lines.log):
        time, _, rest = line.partition(" ")
        rows.append(el("li", el("span", time, cls="time faint"), el("span", rest), key=place))
    show("run-log", el("p", "Times are UTC.", cls="faint"), el("ol", *rows, cls="log", aria_label="Log"))


def _names(run: Run, folder: str) -> list[str]:
    return [name for name in session.files(run.flow, run.id).files if name.startswith(folder)]


def _charts(run: Run) -> None:
    names = _names(run, "charts/")
    if not names:
        show("run-charts", el("p", "This run drew no chart, and none is kept of it.", cls="empty"))
        return
    for name in names:
        draw_chart(session.file(run.flow, run.id, name), name)


def _tables(run: Run) -> None:
    names = _names(run, "steps/")
    if run.flow == HOUSING_ML:
        names = []
    titles = {step.name: step.title for step in run.steps}
    if not names:
        show("run-tables", el("p", "This run has no table of its own; its figures are in the report.", cls="empty"))
        return
    of = {titles.get(name[6:-5], name[6:-5].capitalize()): name for name in names}
    chosen = st.selectbox("Table", list(of), key="table-of", width=360)
    draw_tables(session.file(run.flow, run.id, of[chosen]), "run-facts")
