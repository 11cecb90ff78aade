"""`tidemark person pseudonym`, `export`, `erase`, `retain`, `forget-sender`."""

from __future__ import annotations

import math
import sys
import time
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Annotated

import msgspec
import typer

from tidemark.adapters.dynamodb_feedback import DynamoFeedback
from tidemark.backup import erasing, places
from tidemark.backup.notes import held_by_backups
from tidemark.cli.console import err, out, print_json
from tidemark.cli.where import Aws, opened
from tidemark.errors import Misuse, NotFound
from tidemark.opened import Opened
from tidemark.privacy import receipt as receipts
from tidemark.privacy.personal import Pseudonyms, is_pseudonym
from tidemark.privacy.receipt import Held, Receipt
from tidemark.privacy.retention import Parts, allowed_since
from tidemark.privacy.retention import retain as retain_
from tidemark.privacy.selection import Selection
from tidemark.privacy.subjects import Places, erase, erase_sender, export, find
from tidemark.privacy.turn import turn

TURN_MS = 3_600_000
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
    group.command()(forget_sender)
    app.add_typer(group, name="person")


def pseudonym(customer: CUSTOMER, aws: Aws = False) -> None:
    """Say under which name a customer is kept."""
    out.print(_named(opened(aws), customer), markup=False)


def export_(customer: CUSTOMER, aws: Aws = False) -> None:
    """Write all that is kept of a customer, as JSON (GDPR, articles 15 and 20)."""
    where = opened(aws)
    known_as = _named(where, customer)
    kept = find(where.store().ledger, Selection(_now(), known_as))
    if not kept.sales and not kept.conflicts:
        raise NotFound("nothing is kept of this customer")
    verdicts = where.runs().told(found.entry.invoice_id for found in kept.sales)
    print_json({"customer": known_as, "at": datetime.now(UTC).isoformat(), "kept": list(export(kept, verdicts))})


def erase_(
    customer: CUSTOMER,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    aws: Aws = False,
) -> None:
    """Erase what is personal of a customer everywhere, and write the receipt (GDPR, article 17)."""
    where = opened(aws)
    selection = Selection(_now(), _named(where, customer))
    kept = find(where.store().ledger, selection)
    err.print(f"{len(kept.sales):,} sales and {len(kept.conflicts):,} conflicts name this customer", markup=False)
    if not yes and not typer.confirm("Erase who it was? This cannot be undone", err=True):
        raise typer.Abort
    print_json(msgspec.to_builtins(_erase(where, selection)))


def retain(
    days: Annotated[float, typer.Option(min=0, help="Sales received longer ago than this name nobody any more.")],
    whole: Annotated[
        bool, typer.Option("--whole", help="Read the whole ledger, too: what never reached the lake is found.")
    ] = False,
    aws: Aws = False,
) -> None:
    """Erase who bought in sales that are older than the policy allows, and write the receipt.

    The Lambda retain does so each day where TIDEMARK_PERSON_DAYS is set.
    """
    where, before = opened(aws), allowed_since(days, _now())
    print_json(msgspec.to_builtins(_erase(where, Selection(before)) if whole else _retain(where, before)))


def forget_sender(
    sender: Annotated[str, typer.Argument(help="The name of the token that sent feedback.")], aws: Aws = False
) -> None:
    """Erase who sent feedback, and the words of it."""
    where = opened(aws)
    feedback = DynamoFeedback(where.client("dynamodb"), where.outputs["FeedbackTable"])
    print_json({"erased": erase_sender(feedback, sender)})


def _erase(where: Opened, selection: Selection) -> Receipt:
    found = where.store()
    with _turn(where):
        erased = erase(Places(found.ledger, found.lake, found.mirror), selection)
    at = datetime.now(UTC)
    still = _held(where, at)
    receipt = receipts.write(erased, customer=selection.customer, before=selection.before, at=at, still_held=still)
    return _told(where, receipt, receipts.keep(found.objects, receipt))


def _retain(where: Opened, before: int) -> Receipt:
    found = where.store()
    parts = Parts(found.ledger, found.lake, found.objects, None, lambda at: _held(where, at))
    with _turn(where):
        done = retain_(parts, before, lambda: math.inf, now=time.time)
    if done.receipt is None:
        at = datetime.now(UTC)
        return receipts.write(done.erased, customer=None, before=before, at=at, still_held=[])
    return _told(where, msgspec.json.decode(found.objects.get(done.receipt), type=Receipt), done.receipt)


def _turn(where: Opened) -> AbstractContextManager[None]:
    now = _now()
    return turn(where.runs(), f"person-{time.time_ns()}", now=now, until=now + TURN_MS)


def _held(where: Opened, at: datetime) -> list[Held]:
    tables = [where.outputs[name] for name in ("LedgerTable", "QuarantineTable")]
    return receipts.tables_hold(where.client("dynamodb"), tables, at) + held_by_backups(where.store().objects)


def _told(where: Opened, receipt: Receipt, key: str) -> Receipt:
    """A receipt that is kept: it is said where, and left beside the backups."""
    found = where.store()
    err.print(f"the receipt is kept as {key}", markup=False)
    for missed in erasing.tell_backups(found.objects, receipt, lambda place: places.place(place, where.client)):
        err.print(
            f"the receipt could not be left beside the backups in {missed}: put it into erasures/ there", markup=False
        )
    return receipt


def _named(where: Opened, customer: str) -> str:
    given = sys.stdin.readline().rstrip("\n") if customer == "-" else customer
    if not given:
        raise Misuse("customer: there is none")
    if is_pseudonym(given):
        return given
    return Pseudonyms(where.person_key()).of(given)


def _now() -> int:
    return time.time_ns() // 1_000_000
