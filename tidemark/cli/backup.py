"""`tidemark backup create`, `restore`, `verify`, `list`, `prune`."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from tidemark import settings
from tidemark.cli.console import Steps, err, out, print_json
from tidemark.cli.where import Aws
from tidemark.cli.where import opened as opened_at
from tidemark.errors import Difference, Misuse, TidemarkError
from tidemark.local.home import ROOT
from tidemark.settings import BackupSettings

if TYPE_CHECKING:
    from tidemark.backup.reading import Backup
    from tidemark.backup.verifying import Verified
    from tidemark.opened import Opened
    from tidemark.ports import Place

DAYS = 35
SHOWN = 20
From = Annotated[str, typer.Argument(help="A backup's name, or where it is: a folder, or s3://bucket/prefix/NAME.")]
Json = Annotated[bool, typer.Option("--json", help="For programs.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(
        help="Backups: made, brought back, compared (docs/backup.md).", no_args_is_help=True, rich_markup_mode=None
    )
    for command in (create, restore, verify, prune):
        group.command()(command)
    group.command(name="list")(show)
    app.add_typer(group, name="backup")


def create(
    name: Annotated[str, typer.Argument(help="What to call it; the time where none is given.")] = "",
    to: Annotated[str, typer.Option(help="Folder or s3://bucket/prefix; that of TIDEMARK_BACKUPS if not given.")] = "",
    keep: Annotated[int, typer.Option(min=1, help="Days after which `prune` removes it.")] = DAYS,
    aws: Aws = False,
    as_json: Json = False,
) -> None:
    """Copy all that cannot be made again, while sales go on."""
    from tidemark.backup import catalogue, creating, places

    say, opened = Steps(quiet=as_json), opened_at(aws)
    where = to or _place_set()
    place = places.place(where, opened.client, opened)
    now = datetime.now(UTC)
    called = name or f"{now:%Y-%m-%dT%H-%M-%SZ}-{secrets.token_hex(2)}"
    where = places.absolute(where)
    made = creating.create(opened.store(), place, called, days=keep, say=say, where=where)
    overdue = [one.name for one in catalogue.listed(place) if one.manifest and one.manifest.kept_until < now]
    if as_json:
        print_json({"place": where, **msgspec.to_builtins(made), "items": made.items, "size": made.size})
        return
    out.print(f"{made.name}: {made.sales:,} sales, {made.takings} in all, {made.size / 1e6:,.1f} MB in {where}")
    err.print(
        f"kept until {made.kept_until:%Y-%m-%d}; `tidemark backup verify {where}/{made.name}` compares it", markup=False
    )
    if overdue:
        err.print(f"past their day: {', '.join(overdue)}; `tidemark backup prune` removes them", markup=False)


def restore(
    source: From,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    aws: Aws = False,
    as_json: Json = False,
) -> None:
    """Bring a backup back into an empty deployment, and into no other; what was cut off goes on."""
    from tidemark.backup import restoring

    say, opened = Steps(quiet=as_json), opened_at(aws)
    place, backup = _backup(source, opened)
    store = opened.store()
    planned = restoring.plan(store, backup)
    err.print(
        f"{backup.manifest.name}, of {backup.manifest.created_at:%Y-%m-%d %H:%M} UTC, from {backup.manifest.source}: "
        f"{planned.sales:,} sales, {planned.files:,} files, {planned.bytes / 1e6:,.1f} MB"
        + ("; a restore that was cut off goes on" if planned.resumes else ""),
        markup=False,
    )
    if planned.strangers:
        err.print(
            "this deployment has another key of pseudonyms: customers of the backup are strangers to it, and a sale of "
            "theirs that is sent again is a conflict (docs/backup.md)"
        )
    if not yes and not typer.confirm(f"Restore it into {opened.where}?"):
        raise typer.Abort
    done = restoring.restore(store, backup, place, say=say)
    if as_json:
        print_json(msgspec.to_builtins(done))
    else:
        out.print(f"{done.sales:,} sales restored; {done.again:,} of them tills had sent again meanwhile")
        for line in done.after:
            out.print(line, markup=False)
    if done.conflicting:
        raise Difference(
            f"{len(done.conflicting):,} ids were sold anew, with another content, before they were restored; the new "
            f"sales stand: {', '.join(done.conflicting[:SHOWN])}"
        )
    err.print(f"`tidemark backup verify {source}` compares every item", markup=False)


def verify(
    source: From,
    alone: Annotated[
        bool, typer.Option("--alone", help="Only whether the backup is whole; no deployment is asked.")
    ] = False,
    aws: Aws = False,
    as_json: Json = False,
) -> None:
    """Compare a backup with the deployment, item by item; a difference is an error."""
    from tidemark.backup import verifying

    say = Steps(quiet=as_json)
    opened = None if alone else opened_at(aws)
    _, backup = _backup(source, opened, aws=aws)
    problems = list(backup.problems())
    if problems:
        raise Difference("the backup is not whole:\n  " + "\n  ".join(problems))
    say("every part is as it was written")
    if opened is None:
        return
    found = verifying.verify(opened.store(), backup, say=say)
    if as_json:
        print_json({**msgspec.to_builtins(found), "differences": found.differences})
    else:
        _show(found)
    if found.differences:
        raise Difference(f"{found.differences:,} differences between {backup.manifest.name} and {opened.where}")
    err.print(
        f"{opened.where} holds all of {backup.manifest.name}; counters and lake agree with the ledger", markup=False
    )


def _show(found: Verified) -> None:
    for one in found.compared:
        since = f", {one.erased:,} erased since" if one.erased else ""
        since += f", {one.since:,} more since" if one.since else ""
        out.print(f"{one.what:11} {one.equal:,} of {one.held:,} equal{since}")
        for word, names in (("missing", one.missing), ("different", one.different), ("unknown", one.unknown)):
            for name in names[:SHOWN]:
                out.print(f"  {word} {name}", markup=False)
    for difference in found.counters.differences:
        out.print(f"  {difference}", markup=False)
    out.print(f"counters    {found.counters.tickets:,} tickets, sales {found.counters.sales}")
    out.print(f"lake        {found.lake:,} differences")


def show(
    at: Annotated[str, typer.Option(help="Folder or s3://bucket/prefix; that of TIDEMARK_BACKUPS if not given.")] = "",
    aws: Aws = False,
    as_json: Json = False,
) -> None:
    """Which backups there are, and until when they are kept."""
    from tidemark.backup import catalogue

    found = catalogue.listed(_place(at or _place_set(), aws=aws))
    if as_json:
        print_json(
            [
                {
                    "name": one.name,
                    "created_at": one.manifest.created_at.isoformat() if one.manifest else None,
                    "kept_until": one.manifest.kept_until.isoformat() if one.manifest else None,
                    "sales": one.manifest.sales if one.manifest else None,
                    "bytes": one.size,
                    "problem": one.problem,
                }
                for one in found
            ]
        )
        return
    for one in found:
        if one.manifest:
            told = one.manifest
            words = f"{told.sales:,} sales, of {told.created_at:%Y-%m-%d %H:%M}, kept until {told.kept_until:%Y-%m-%d}"
        else:
            words = one.problem
        out.print(f"{one.name:26} {one.size / 1e6:10,.1f} MB  {words}", markup=False)


def prune(
    at: Annotated[str, typer.Option(help="Folder or s3://bucket/prefix; that of TIDEMARK_BACKUPS if not given.")] = "",
    aws: Aws = False,
    as_json: Json = False,
) -> None:
    """Remove the backups whose day has passed, and what was begun a day ago and never finished."""
    from tidemark.backup import catalogue

    try:
        objects = opened_at(aws).store().objects
    except TidemarkError:
        objects = None
        err.print("no deployment answers: it goes on remembering them")
    gone = catalogue.prune(_place(at or _place_set(), aws=aws), objects, datetime.now(UTC))
    if as_json:
        print_json({"removed": gone})
        return
    for name in gone:
        out.print(f"removed {name}", markup=False)
    err.print(f"{len(gone)} removed")


def _place_set() -> str:
    return settings.load(BackupSettings).backups or str(ROOT / "backups")


def _place(where: str, *, aws: bool, opened: Opened | None = None) -> Place:
    """A place; a folder's needs no deployment."""
    from tidemark.backup import places

    if not where.startswith(places.S3):
        return places.place(where, lambda service: None)
    return places.place(where, (opened or opened_at(aws)).client, opened)


def _backup(source: str, opened: Opened | None, *, aws: bool = False) -> tuple[Place, Backup]:
    from tidemark.backup import manifest
    from tidemark.backup.reading import Backup

    where, slash, name = source.rstrip("/").rpartition("/")
    if not name:
        raise Misuse("name a backup; `tidemark backup list` shows them")
    place = _place((where or "/") if slash else _place_set(), aws=aws, opened=opened)
    return place, Backup(place, manifest.read(place, name))
