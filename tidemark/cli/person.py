"""`tidemark person pseudonym`, `export`, `erase`, `retain`."""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime
from typing import Annotated

import msgspec
import typer

from tidemark.backup import erasing, opening
from tidemark.cli.console import err, out, print_json
from tidemark.errors import Misuse, NotFound, Unavailable
from tidemark.local import stores
from tidemark.local.home import Home
from tidemark.privacy import receipt as receipts
from tidemark.privacy.personal import Pseudonyms
from tidemark.privacy.receipt import Receipt
from tidemark.privacy.subjects import Erased, Places, Selection, erase, export, find

MS_A_DAY = 86_400_000
LOCK, LOCK_MS = "erasure", 3_600_000
CUSTOMER = Annotated[
    str, typer.Argument(help="The customer_id as the till sends it, or a pseudonym; `-` reads it from standard input.")
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(
        help="What is kept of a customer: given back, and erased.", no_args_is_help=True, rich_markup_mode=None
    )
    group.command()(pseudonym)
    group.command(name="export")(export_)
    group.command(name="erase")(erase_)
    group.command()(retain)
    app.add_typer(group, name="person")


def pseudonym(customer: CUSTOMER) -> None:
    """Say under which name a customer is kept."""
    out.print(_named(Home(), customer), markup=False)


def export_(customer: CUSTOMER) -> None:
    """Write all that is kept of a customer, as JSON (GDPR, articles 15 and 20)."""
    home = Home()
    known_as = _named(home, customer)
    ledger, _ = stores.open_stores(home)
    runs, _ = stores.open_pipelines(home)
    kept = find(ledger, Selection(_now(), known_as))
    if not kept.sales and not kept.conflicts:
        raise NotFound("nothing is kept of this customer")
    verdicts = runs.told(found.entry.invoice_id for found in kept.sales)
    print_json({"customer": known_as, "at": datetime.now(UTC).isoformat(), "kept": list(export(kept, verdicts))})


def erase_(
    customer: CUSTOMER,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Erase what is personal of a customer everywhere, and write the receipt (GDPR, article 17)."""
    home = Home()
    selection = Selection(_now(), _named(home, customer))
    kept = find(stores.open_stores(home)[0], selection)
    err.print(f"{len(kept.sales):,} sales and {len(kept.conflicts):,} conflicts name this customer", markup=False)
    if not yes and not typer.confirm("Erase who it was? This cannot be undone", err=True):
        raise typer.Abort
    print_json(msgspec.to_builtins(_erase(home, selection)))


def retain(
    days: Annotated[float, typer.Option(min=0, help="Sales received longer ago than this name nobody any more.")],
) -> None:
    """Erase who bought in sales that are older than the policy allows, and write the receipt."""
    print_json(msgspec.to_builtins(_erase(Home(), Selection(_now() - int(days * MS_A_DAY)))))


def _erase(home: Home, selection: Selection) -> Receipt:
    ledger, _ = stores.open_stores(home)
    runs, objects = stores.open_pipelines(home)
    holder, now = f"person-{time.time_ns()}", _now()
    if (other := runs.begin(LOCK, holder, now=now, until=now + LOCK_MS)) is not None:
        raise Unavailable(f"{other} erases just now; try again when it has ended")
    try:
        erased: Erased = erase(Places(ledger, stores.open_lake(home), home.lake_mirror), selection)
    finally:
        runs.end(LOCK, holder)
    found, at = stores.running(home), datetime.now(UTC)
    still = receipts.tables_hold(stores.client(home, "dynamodb"), [found["LedgerTable"], found["QuarantineTable"]], at)
    still += erasing.held_by_backups(objects)
    receipt = receipts.write(erased, customer=selection.customer, before=selection.before, at=at, still_held=still)
    err.print(f"the receipt is kept as {receipts.keep(objects, receipt)}", markup=False)
    client = opening.local(home).client
    for missed in erasing.tell_backups(objects, receipt, lambda where: opening.place(where, client)):
        err.print(
            f"the receipt could not be left beside the backups in {missed}: put it into erasures/ there", markup=False
        )
    return receipt


def _named(home: Home, customer: str) -> str:
    given = sys.stdin.readline().rstrip("\n") if customer == "-" else customer
    if not given:
        raise Misuse("customer: there is none")
    if given.startswith("p-") and len(given) == 28:
        return given
    return Pseudonyms(stores.person_key(home)).of(given)


def _now() -> int:
    return time.time_ns() // 1_000_000
