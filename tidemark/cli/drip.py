"""`tidemark drip`."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import typer

from simulator import housing
from simulator.faults import parse as parse_faults
from tidemark import data
from tidemark.cli.console import err, print_json
from tidemark.errors import Misuse
from tidemark.local import stores
from tidemark.local.home import Home
from tidemark.runs import INCOMING, TAKEN

FILE = "california_housing.csv"
STREAM_FAULTS = dict.fromkeys(housing.FAULTS, 0.02)
EVERY_S = 60.0


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(drip)


def drip(
    file: Annotated[
        Path | None, typer.Option(help="A census file to send; else the real one, or drawn blocks.")
    ] = None,
    rows: Annotated[int, typer.Option(min=1, help="Rows a batch.")] = 200,
    first: Annotated[
        int | None, typer.Option(min=1, help="Rows of the first batch; as the others if not given.")
    ] = None,
    every: Annotated[float, typer.Option(min=0, help="Seconds between two batches.")] = 0.0,
    limit: Annotated[int | None, typer.Option(min=1, help="Stop after so many batches.")] = None,
    faults: Annotated[str | None, typer.Option(help="NAME=SHARE,… of: " + ", ".join(housing.FAULTS) + ".")] = None,
    seed: Annotated[int, typer.Option(help="Of everything that is drawn.")] = 1,
    stream: Annotated[bool, typer.Option("--stream", help="The drip of `tidemark up`.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The summary as JSON.")] = False,
) -> None:
    """Send housing blocks in batches into the bucket, where the data flow finds them."""
    home = Home()
    bucket, s3 = stores.running(home)["LakeBucket"], stores.client(home, "s3")
    path = file or data.find(FILE)
    if path is not None and not path.is_file():
        raise Misuse(f"--file: there is no file {path}")
    blocks = housing.read(path) if path else housing.drawn(seed)
    err.print(
        f"sending {path.name}: {len(blocks):,} real blocks"
        if path
        else "the real census file is not here: blocks are drawn"
    )
    shares = parse_faults(faults, housing.FAULTS)
    if stream:
        first, every, shares = len(blocks) // 2, EVERY_S, STREAM_FAULTS
    pieces: Iterable[housing.Piece] = islice(
        housing.pieces(blocks, size=rows, first=first or rows, faults=shares, seed=seed), limit
    )
    if stream:
        known = _known(s3, bucket)
        pieces = (piece for piece in pieces if piece.name not in known)
    sent: Counter[str] = Counter(batches=0)
    for piece in pieces:
        if sent["batches"] and every:
            time.sleep(every)
        s3.put_object(Bucket=bucket, Key=f"{INCOMING}{piece.name}", Body=piece.content, Metadata=piece.stated)
        sent.update({"batches": 1, "bytes": len(piece.content), piece.fault or "good": 1})
        err.print(f"{piece.name}: {len(piece.content):,} bytes" + (f", faulty: {piece.fault}" if piece.fault else ""))
    while stream:
        time.sleep(EVERY_S)  # all has been sent; supervisord would start another that sends nothing
    if as_json:
        print_json(dict(sent))
    else:
        err.print(f"{sent['batches']} batches sent")


def _known(s3: Any, bucket: str) -> set[str]:
    """The names of the batches that were sent before."""
    pages = s3.get_paginator("list_objects_v2")
    return {
        item["Key"].rpartition("/")[2]
        for prefix in (INCOMING, TAKEN)
        for page in pages.paginate(Bucket=bucket, Prefix=prefix)
        for item in page.get("Contents", [])
    }
