"""`tidemark up`, `down`, `status`, `audit`, `compact`."""

from __future__ import annotations

import signal
import time
from typing import Annotated

import msgspec
import typer

from tidemark import audit as auditing
from tidemark import settings
from tidemark.cli.console import Steps, err, out, print_json
from tidemark.cli.where import Aws, opened
from tidemark.errors import Difference, Misuse, Unavailable
from tidemark.history.compaction import Compactor
from tidemark.history.counters import Counters
from tidemark.lake_audit import audit_lake, repair_lake
from tidemark.local import stores
from tidemark.local.home import Home, State
from tidemark.local.supervisor import Supervisor
from tidemark.local.up import PARTS, watch
from tidemark.local.up import down as stop_cloud
from tidemark.local.up import up as start_cloud
from tidemark.writer import Clock

MS_A_DAY = 86_400_000
AFTER_DAYS = round(settings.CompactSettings.compact_after_minutes / 1440, 4)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(up)
    app.command()(down)
    app.command()(status)
    app.command()(audit)
    app.command()(compact)


def up(
    detach: Annotated[bool, typer.Option("--detach", help="Return when everything answers.")] = False,
    only: Annotated[str, typer.Option(help=f"Start these parts: {','.join(PARTS)}.")] = ",".join(PARTS),
    simulate: Annotated[bool, typer.Option("--simulate/--no-simulate", help="Stream sales.")] = True,
) -> None:
    """Start Tidemark on this machine."""
    parts = frozenset(filter(None, only.split(",")))
    if unknown := sorted(parts - set(PARTS)):
        raise Misuse(f"--only: there is no part {', '.join(unknown)}; there are {', '.join(PARTS)}")
    if not parts:
        raise Misuse("--only: name at least one part")
    signal.signal(signal.SIGTERM, _interrupt)
    home = Home()
    say = Steps()
    state = start_cloud(home, parts | {"core"}, simulate=simulate, say=say)
    say("ready")
    _show(state)
    if detach:
        return
    err.print("Ctrl-C ends it.")
    try:
        watch(home, say)
    except KeyboardInterrupt:
        say("ending")
        stop_cloud(home, wipe=False)
        say("ended; the data is kept, `tidemark down --wipe` forgets it")


def _interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt


def down(wipe: Annotated[bool, typer.Option("--wipe", help="Forget all data too.")] = False) -> None:
    """End Tidemark on this machine."""
    ran = stop_cloud(Home(), wipe=wipe)
    err.print(("ended" if ran else "nothing was running") + ("; all data forgotten" if wipe else ""))


def status(as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False) -> None:
    """What runs, and where."""
    home = Home()
    state = home.state()
    processes = Supervisor(home).states()
    if as_json:
        print_json(
            {
                "endpoints": state.endpoints,
                "processes": {name: {"state": word, "pid": pid} for name, (word, pid) in processes.items()},
            }
        )
        return
    for name, (word, pid) in processes.items():
        out.print(f"{name:12} {word:10} {pid or ''}")
    _show(state)


def _show(state: State) -> None:
    for name, url in state.endpoints.items():
        out.print(f"{name:12} {url}", markup=False)


def audit(
    repair: Annotated[bool, typer.Option("--repair", help="Mend the lake from the ledger.")] = False,
    aws: Aws = False,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Recompute every counter and the lake from the ledger; a difference is an error."""
    where = opened(aws)
    found = where.store()
    counters = auditing.audit(found.ledger, Counters(found.cells, found.history, where.zone), found.history)
    archived = audit_lake(found.ledger, found.lake, found.mirror)
    if repair and archived.differences:
        days = repair_lake(found.ledger, found.lake, found.mirror, archived)
        err.print(f"the lake differed in {archived.differences} sales; {days} days were written anew")
        archived = audit_lake(found.ledger, found.lake, found.mirror)
    if as_json:
        print_json({"counters": msgspec.to_builtins(counters), "lake": msgspec.to_builtins(archived)})
    else:
        out.print(f"ledger  {counters.tickets:,} tickets, sales {counters.sales}")
        out.print(f"cells   {counters.cells:,}")
        out.print(f"history {counters.periods:,} minutes, hours, days and months")
        out.print(f"lake    {archived.sales:,} sales")
        for difference in counters.differences:
            out.print(f"  {difference}", markup=False)
        for what, names in (
            ("missing", archived.missing),
            ("different", archived.different),
            ("unknown", archived.unknown),
        ):
            for name in names[: auditing.SHOWN]:
                out.print(f"  lake: {what} {name}", markup=False)
    wrong = len(counters.differences) + counters.more_differences
    if wrong or archived.differences:
        raise Difference(
            f"{wrong} differences between ledger and counters, {archived.differences} between ledger and lake"
        )
    err.print("ledger, cells, history and lake agree")


def compact(
    older_than: Annotated[
        float, typer.Option(min=0, help="Move the cells that were last written so many days ago or earlier.")
    ] = AFTER_DAYS,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Move old cells into history now; the Lambda does so every hour."""
    home = Home()
    _, cells = stores.open_stores(home)
    compactor = Compactor(cells, stores.open_history(home), _zone())
    now = time.time_ns() // 1_000_000
    clock = Clock(lambda: now, time.sleep, lambda: 3600.0)
    found = compactor.run(clock, now - int(older_than * MS_A_DAY))
    if as_json:
        print_json(msgspec.to_builtins(found))
        return
    out.print(f"moved   {found.moved:,} cells in {found.moves:,} transactions")
    out.print(f"swept   {found.swept:,} cells")
    if found.full:
        out.print(f"left    {found.full:,} cells whose period can hold no more")
    if not found.done:
        raise Unavailable("some cells are held by another compaction; the next run goes on")


def _zone() -> str:
    return settings.load(settings.StoreSettings).store_zone
