"""`tidemark model show`, `check`, `shadow`, `rollback`, `tell`; `tidemark train`."""

from __future__ import annotations

import shutil
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from simulator.faults import ANOMALIES
from tidemark import data
from tidemark.cli import flow
from tidemark.cli.console import err, out, print_json
from tidemark.errors import Misuse, TidemarkError
from tidemark.local import stores
from tidemark.local.home import Home
from tidemark.models.keys import DEMAND, SALES, SHADOW
from tidemark.ports import Runs
from tidemark.runs import SALES_MODEL

if TYPE_CHECKING:
    from tidemark.models.registry import ModelRegistry
    from tidemark.models.sales_registry import SalesRegistry

BY_HAND = "by hand"
OFF = "off"
DECISIONS = 5


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(
        help="The model that scores the sales: who serves, and back.", no_args_is_help=True, rich_markup_mode=None
    )
    for command in (show, check, shadow, rollback, tell):
        group.command()(command)
    app.add_typer(group, name="model")
    app.command()(train)


def show(as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False) -> None:
    """Say who scores the sales, who scores beside it, and what the gate decided lately."""
    runs = _runs()
    champion, beside = runs.champion(SALES), runs.champion(SHADOW)
    decisions = runs.decisions(SALES, limit=DECISIONS)
    if as_json:
        print_json(msgspec.to_builtins({"champion": champion, "shadow": beside, "decisions": decisions}))
        return
    out.print(
        f"champion: {champion.fingerprint}, since {_moment(champion.at)}" if champion else "champion: as the code came",
        markup=False,
    )
    out.print(f"shadow: {beside.fingerprint if beside else 'none'}", markup=False)
    for one in decisions:
        out.print(f"{_moment(one.at)} {one.challenger}: {one.reason}", markup=False)


def check(file: Annotated[Path, typer.Argument(help="A model's file, such as models/sales/sales.model.")]) -> None:
    """Look whether a model's file could serve: whole, for this store's sales, and saying what it said when trained."""
    from tidemark import settings
    from tidemark.adapters.litert_model import LiteRtScorer
    from tidemark.models import sales_model
    from tidemark.settings import StoreSettings

    try:
        content = file.read_bytes()
    except OSError as error:
        raise Misuse(f"{file}: {error.strerror}") from None
    model = sales_model.loads(content)
    LiteRtScorer(model, settings.load(StoreSettings).store())
    out.print(
        f"{model.version} can serve: fingerprint {sales_model.fingerprint(content)}, {len(content):,} bytes, "
        f"threshold {model.threshold}, learnt from {model.tags.get('rows', 'unknown sales')}",
        markup=False,
    )


def shadow(
    fingerprint: Annotated[str, typer.Argument(help="A kept model's fingerprint, or `off` for none.")],
) -> None:
    """Let a kept model score beside the champion; its scores stand beside the sales and touch no answer."""
    registry = _sales()
    if fingerprint == OFF:
        before = registry.no_shadow()
        err.print(f"{before.fingerprint} scores no longer" if before else "no model scored beside", markup=False)
        return
    registry.shadow(fingerprint, run=BY_HAND, at=_now_ms())
    err.print(f"{fingerprint} scores beside the champion within a minute", markup=False)


def rollback(
    model: Annotated[
        str, typer.Argument(help=f"{SALES}, the one that scores; or {DEMAND}, the one that forecasts.")
    ] = SALES,
) -> None:
    """Let the model serve again that did before the champion."""
    decision = _registry(model).roll_back(at=_now_ms(), by=BY_HAND)
    err.print(f"{decision.reason}, within a minute", markup=False)


def tell(
    truth: Annotated[Path, typer.Argument(help="What `tidemark simulate --truth` wrote: a JSON line for each sale.")],
) -> None:
    """Tell of simulated sales which were anomalies, so that the watch knows how many alarms were right."""
    try:
        content = truth.read_bytes()
    except OSError as error:
        raise Misuse(f"{truth}: {error.strerror}") from None
    lines = [_label(truth, number, line) for number, line in enumerate(content.splitlines(), 1)]
    told = {one.invoice_id: one.fault in ANOMALIES for one in lines if one.status == "accepted"}
    _runs().tell(told)
    err.print(f"told of {len(told):,} sales: {sum(told.values()):,} were anomalies", markup=False)


class _Label(msgspec.Struct):
    invoice_id: str
    status: str
    fault: str | None = None


def _label(file: Path, number: int, line: bytes) -> _Label:
    try:
        return msgspec.json.decode(line, type=_Label)
    except msgspec.DecodeError as error:
        raise Misuse(f"{file}, line {number}: {error}") from None


def train(as_json: Annotated[bool, typer.Option("--json", help="What came of it as JSON.")] = False) -> None:
    """Learn from the newest sales now; the promotion gate decides whether the result serves."""
    Home().state()
    if not (data.ROOT / ".venv-train" / "installed").exists():
        err.print("installing what training needs (TensorFlow, some 2 GB)")
        command = [shutil.which("make") or "make", "--silent", "-C", str(data.ROOT), ".venv-train/installed"]
        if subprocess.run(command, check=False).returncode:
            raise TidemarkError("what training needs cannot be installed: see above")
    flow.run(SALES_MODEL, as_json)


def _runs() -> Runs:
    return stores.open_pipelines(Home())[0]


def _sales() -> SalesRegistry:
    from tidemark.models.sales_registry import SalesRegistry

    return SalesRegistry(*stores.open_pipelines(Home()))


def _registry(model: str) -> ModelRegistry:
    from tidemark.models.registry import ModelRegistry

    if model == SALES:
        return _sales()
    if model != DEMAND:
        raise Misuse(f"there is no model {model!r}; there are {SALES}, {DEMAND}")
    return ModelRegistry(DEMAND, *stores.open_pipelines(Home()), without="nobody forecasts")


def _moment(ms: int) -> str:
    return f"{datetime.fromtimestamp(ms / 1_000, UTC):%Y-%m-%d %H:%M:%S} UTC"


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
