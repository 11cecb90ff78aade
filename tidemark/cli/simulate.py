"""`tidemark simulate`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from simulator import faults, rich, run, sources
from simulator.poster import Poster, first_unsold
from simulator.sources import Row
from tidemark import data, settings
from tidemark.cli.console import err, print_json
from tidemark.errors import Misuse
from tidemark.local.home import Home
from tidemark.local.up import SALES_FILE
from tidemark.store import Store

SOURCES = ("csv", "kaggle", "rich")
STREAM_RATE = 4.0
DEFAULT_RATE = 10.0
DRIFT = (0.1, 10.0)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(simulate)


def simulate(
    source: Annotated[
        str | None, typer.Option(help="csv (a real file), kaggle (drawn alike) or rich (with effects to be found).")
    ] = None,
    file: Annotated[Path | None, typer.Option(help="The CSV to replay.")] = None,
    rate: Annotated[float | None, typer.Option(help="Sales a second.")] = None,
    maximum: Annotated[bool, typer.Option("--max", help="As fast as the API takes them.")] = False,
    speed_up: Annotated[float | None, typer.Option(help="So many times as fast as they were sold.")] = None,
    limit: Annotated[int | None, typer.Option(help="Stop after this many sales of the source.")] = None,
    seed: Annotated[int, typer.Option(help="Of everything that is drawn.")] = 1,
    fault_shares: Annotated[
        str | None, typer.Option("--faults", help="NAME=SHARE,… of: " + ", ".join(faults.FAULTS) + ".")
    ] = None,
    drift_after: Annotated[
        int | None,
        typer.Option(help="After how many sales prices drift, where --faults price_drift does not say."),
    ] = None,
    drift_price: Annotated[
        float | None, typer.Option(help=f"What a drift multiplies prices by: {faults.DEARER} where not said.")
    ] = None,
    drift_demand: Annotated[
        float | None, typer.Option(help="What it multiplies rich's sales a day by, from the next day on.")
    ] = None,
    truth: Annotated[
        Path | None, typer.Option(help="Write which row is which fault and which has drifted, as JSON lines.")
    ] = None,
    posters: Annotated[int, typer.Option(help="Connections that post side by side.")] = 1,
    repeat: Annotated[bool, typer.Option("--repeat", help="Go on after the file's end, a quarter later.")] = False,
    stream: Annotated[bool, typer.Option("--stream", help="The endless stream of `tidemark up`.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The summary as JSON.")] = False,
) -> None:
    """Post sales, real or drawn, with faults on request."""
    if sum((rate is not None, maximum, speed_up is not None)) > 1:
        raise Misuse("--rate, --max and --speed-up exclude each other")
    for name, value in (("--rate", rate), ("--speed-up", speed_up), ("--limit", limit), ("--posters", posters)):
        if value is not None and not value > 0:
            raise Misuse(f"{name}: expected more than 0, got {value}")
    for name, value in (("--drift-price", drift_price), ("--drift-demand", drift_demand)):
        if value is not None and not DRIFT[0] <= value <= DRIFT[1]:
            raise Misuse(f"{name}: expected {DRIFT[0]:g} to {DRIFT[1]:g}, got {value:g}")
    if drift_demand is not None and source != "rich":
        raise Misuse("--drift-demand goes with --source rich")
    shares = faults.parse(fault_shares)
    share = shares.pop("price_drift", 0.0)
    store = settings.load(settings.StoreSettings).store()
    state = Home().state()
    already = Poster(state.endpoints["api"], state.tokens["read"]).is_sold if stream else None
    rows, known = _rows(source, file, seed, store, repeat=repeat or stream, is_sold=already)
    total = known if limit is None or (known is not None and known < limit) else limit
    drift = faults.drift_of(share, drift_after, drift_price, total)
    if drift_demand is not None:
        if drift is None:
            raise Misuse("--drift-demand needs --drift-after or --faults price_drift=SHARE")
        rows = rich.World(seed, store).rows(after=drift.after, demand=drift_demand)
    if rate is None and not maximum and speed_up is None:
        rate = STREAM_RATE if stream else DEFAULT_RATE
    labelled = faults.inject(islice(rows, total), shares, seed, store, drift)
    with _progress(total, quiet=as_json) as tell:
        summary = run.run(
            labelled,
            api=state.endpoints["api"],
            token=state.tokens["ingest"],
            pace=run.Pace(rate=rate, speed_up=speed_up),
            posters=posters,
            truth=truth,
            progress=tell,
        )
    _close(summary, as_json=as_json)


def _rows(
    source: str | None,
    file: Path | None,
    seed: int,
    store: Store,
    *,
    repeat: bool,
    is_sold: Callable[[str], bool] | None,
) -> tuple[Iterable[Row], int | None]:
    """The rows, and how many there are, None where they do not end; after those that are sold already."""
    if source not in (None, *SOURCES):
        raise Misuse(f"--source: there is no {source!r}; there are {', '.join(SOURCES)}")
    if file is not None and source not in (None, "csv"):
        raise Misuse("--file goes with --source csv")
    if source == "kaggle":
        return _drawn(seed, store, is_sold), None
    if source == "rich":
        return rich.World(seed, store).rows(), None
    path = file or data.find(SALES_FILE)
    if path is None:
        if source == "csv":
            raise Misuse(f"{SALES_FILE} is not here: name it with --file, or `tidemark data fetch`")
        err.print("the real sales file is not here: sales are simulated (`tidemark data fetch` brings the real ones)")
        return _drawn(seed, store, is_sold), None
    rows = sources.read_csv(path, store.zone)
    err.print(f"replaying {path.name}: {len(rows):,} real sales", markup=False)
    start = first_unsold(lambda number: sources.replayed(rows, number)["invoice_id"], is_sold) if is_sold else 0
    return sources.replay(rows, repeat=repeat, start=start), None if repeat else len(rows)


def _drawn(seed: int, store: Store, is_sold: Callable[[str], bool] | None) -> Iterable[Row]:
    start = first_unsold(lambda number: sources.drawn_id(seed, number), is_sold) if is_sold else 0
    return islice(sources.kaggle(seed, store), start, None)


class _progress:  # noqa: N801  # used like a function
    """A bar on a terminal, nothing elsewhere."""

    def __init__(self, total: int | None, *, quiet: bool) -> None:
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=err,
            disable=quiet or not sys.stderr.isatty(),
        )
        self._task = self._bar.add_task("posting sales", total=total)

    def __enter__(self) -> Callable[[run.Summary], None]:
        self._bar.start()
        return lambda summary: self._bar.update(self._task, completed=summary.sent)

    def __exit__(self, *exception: object) -> None:
        self._bar.stop()


def _close(summary: run.Summary, *, as_json: bool) -> None:
    rate = summary.sent / summary.seconds if summary.seconds else 0.0
    if as_json:
        print_json(
            {
                "sent": summary.sent,
                "posts": summary.posts,
                "retries": summary.retries,
                "statuses": dict(summary.statuses),
                "faults": dict(summary.faults),
                "seconds": round(summary.seconds, 3),
                "sales_per_second": round(rate, 1),
                "median_post_ms": round(summary.median_post * 1000, 1),
                "slowest_post_ms": round(summary.slowest_post * 1000, 1),
            }
        )
        return
    statuses = ", ".join(f"{count:,} {status}" for status, count in sorted(summary.statuses.items())) or "nothing"
    err.print(f"{summary.sent:,} sales in {summary.seconds:.1f} s ({rate:,.0f}/s): {statuses}")
    if summary.faults:
        err.print("faults sent: " + ", ".join(f"{count:,} {name}" for name, count in sorted(summary.faults.items())))
    err.print(
        f"a POST took {summary.median_post * 1000:.0f} ms (median), {summary.slowest_post * 1000:.0f} ms at most; "
        f"{summary.retries} sent again"
    )
