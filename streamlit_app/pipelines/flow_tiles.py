"""Do the flows run? A tile each: how the newest run ended, when the next is due, how long runs take."""

from __future__ import annotations

from streamlit_app.pipelines.overview import SHOWN_RUNS, Overview
from streamlit_app.ui import words
from streamlit_app.ui.api import Flow
from streamlit_app.ui.tree import Tree, ago, el, state
from streamlit_app.ui.words import MEANS, STATES, TITLES, choice
from tidemark.runs import HOUSING_DATA, HOUSING_ML, SALES_MODEL, SALES_WATCH, WITH_RESULTS, Run, began

PURPOSES = {
    HOUSING_DATA: "Takes in batches of housing blocks, checks and explores them, watches the stream.",
    HOUSING_ML: "Trains two algorithms beside two baselines; the better model serves.",
    SALES_WATCH: "Holds the newest sales against what their model learnt from; asks for a training where it is off.",
    SALES_MODEL: "Learns from the newest sales; the result serves where it is better than the model that does.",
}
LEAST = 0.04  # of a bar's room, so that the shortest run can be seen


def flow_tiles(found: Overview, chosen: str | None, *, here: bool) -> Tree:
    """The flows side by side. `chosen`: the selected run; `here`: whether flows run on this machine at all."""
    tiles = [_tile(flow, found.runs.get(flow.name, []), chosen, found.at, here=here) for flow in found.flows]
    return el("div", *tiles, cls="tiles two")


def told(run: Run, now: int) -> str:
    """A run in one line."""
    return f"{words.clock(run.started_at, now)} · {STATES[run.status].lower()} · {words.span(words.took(run))}"


def _tile(flow: Flow, runs: list[Run], chosen: str | None, now: int, *, here: bool) -> Tree:
    head = el(
        "header",
        el("h2", TITLES.get(flow.name, flow.name), el("small", f" {flow.name}", cls="faint")),
        el("p", PURPOSES.get(flow.name, ""), cls="faint"),
    )
    if not runs:
        return el("section", head, *_none(flow, here=here), cls="tile flow", data_flow=flow.name)
    newest = next((run for run in runs if run.status != "skipped"), runs[0])
    line = [ago(newest.ended_at), el("span", f"took {words.span(words.took(newest))}"), _next(flow, runs[0], here=here)]
    return el(
        "section",
        head,
        el(
            "div",
            el("p", state(newest.status, STATES[newest.status], large=True), title=MEANS[newest.status]),
            el("p", *line, cls="line"),
            cls="answer",
        ),
        el("p", words.sentence(newest.headline, now), cls="headline", title=words.readable(newest.headline, now)),
        el("p", *_shares(runs, newest), cls="line"),
        _bars(runs, chosen, now),
        cls="tile flow",
        data_flow=flow.name,
    )


def _next(flow: Flow, newest: Run, *, here: bool) -> Tree:
    if flow.at_work is not None:
        return el("span", "at work, began ", ago(began(flow.at_work)), cls="live")
    if here and flow.seconds is not None:
        return el("span", due=newest.started_at + 1000 * flow.seconds, every=1000 * flow.seconds)
    return el("span", "no flow runs here now")


def _none(flow: Flow, *, here: bool) -> list[Tree]:
    if flow.at_work is not None:
        waits: Tree = el("span", "The first run is at work, it began ", ago(began(flow.at_work)), ".")
    elif here and flow.seconds is not None:
        waits = f"The first run comes within {flow.seconds:,} s."
    else:
        waits = "No flow runs here now."
    return [
        el("div", el("p", state("none", "No run yet", large=True)), el("p", waits, cls="line"), cls="answer"),
        el("p", "What its newest run did, and how long runs take, will stand here.", cls="headline faint"),
    ]


def _shares(runs: list[Run], newest: Run) -> list[Tree]:
    """Of the runs that worked; those that were skipped left the work to another."""
    good = sum(run.status in WITH_RESULTS for run in runs)
    skipped = sum(run.status == "skipped" for run in runs)
    failed = len(runs) - good - skipped
    rest = [el("span", f"{count} {word}") for count, word in ((skipped, "skipped"), (failed, "failed")) if count]
    last = next((run for run in runs if run.status in WITH_RESULTS), None)
    since = [el("span", "last good ", ago(last.ended_at))] if last and last is not newest else []
    share = el("span", el("b", f"{good} of {len(runs) - skipped}"), " runs good", title="Completed, or nothing was new")
    return [share, *rest, *since]


def _bars(runs: list[Run], chosen: str | None, now: int) -> Tree:
    """Durations, the oldest first, from zero up."""
    longest = max(*map(words.took, runs), 0.001)
    kept = list(reversed(runs[:SHOWN_RUNS]))
    bars = []
    for place, run in enumerate(kept):
        hint = told(run, now)
        share = max(words.took(run) / longest, LEAST)
        bars.append(
            el(
                "li",
                el(
                    "button",
                    el("span", cls="bar", style=f"height:{100 * share:.1f}%"),
                    el("span", hint, cls="hint"),
                    type="button",
                    choose=choice(run),
                    aria_label=hint,
                    aria_pressed="true" if choice(run) == chosen else "false",
                    tabindex=0 if place == len(kept) - 1 else -1,
                    cls=run.status,
                ),
                key=run.id,
            )
        )
    caption = f"Seconds a run, newest on the right; the longest took {words.span(longest)}"
    return el(
        "div",
        el("ol", *bars, cls="bars", roam=True, aria_label="The newest runs by how long they took"),
        el("p", caption, cls="caption faint"),
        cls="durations",
    )
