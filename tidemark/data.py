"""The real data files: where they are found, and how they are fetched. None is part of the project.

A file is looked for in `TIDEMARK_DATA`, in `../shared/data` beside the project, and where `fetch` puts it. Each is
pinned by the sha256 of its content.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path

import httpx
import msgspec

from tidemark.errors import TidemarkError

ROOT = Path(__file__).resolve().parent.parent
FETCHED = ROOT / ".tidemark" / "data"
GITHUB = "https://raw.githubusercontent.com"
CHUNK = 1 << 16

Progress = Callable[[int, int | None], None]
"""Told (bytes so far, bytes in all or None)."""


class DataFile(msgspec.Struct, frozen=True):
    """A file, what it is, and where it comes from. `sha256` is of the content, unpacked where it is a `.gz`.

    `parts`: paths below the origin that are joined, the header of all but the first left out; a part that the origin
    does not have is a day without sales.
    """

    name: str
    sha256: str
    rows: int
    parts: tuple[str, ...]
    licence: str


def _days() -> Iterator[str]:
    day = date(2010, 12, 1)
    while day <= date(2011, 12, 9):
        yield f"databricks/Spark-The-Definitive-Guide/master/data/retail-data/by-day/{day.isoformat()}.csv"
        day += timedelta(days=1)


FILES = {
    file.name: file
    for file in (
        DataFile(
            name="supermarket_sales.csv",
            sha256="901aa9d1999df4c620b547a34b250912610a04342686c62cc2dfb82b163812a8",
            rows=1_000,
            parts=("selva86/datasets/b461596346706503a99f44419bbae25bd0783f73/supermarket_sales.csv",),
            licence="none stated",
        ),
        DataFile(
            name="california_housing.csv",
            sha256="8a3727f4cf54ac1a327f69b1d5b4db54c5834ea81c6e4efc0d163300022a685e",
            rows=20_640,
            parts=("ageron/handson-ml2/master/datasets/housing/housing.csv",),
            licence="Apache-2.0",
        ),
        DataFile(
            name="online_retail.csv.gz",
            sha256="48a5102a67f84ecae6808d1dfd8b5a2ccacc1320a858dbef0850715504422d22",
            rows=541_909,
            parts=tuple(_days()),
            licence="Apache-2.0",
        ),
    )
}


def places() -> list[Path]:
    """The folders that are looked into, in their order."""
    given = os.environ.get("TIDEMARK_DATA")
    return [*([Path(given)] if given else []), ROOT.parent / "shared" / "data", FETCHED]


def find(name: str) -> Path | None:
    """The file, where it is here and is the one that is meant."""
    for folder in places():
        path = folder / name
        if path.is_file() and checksum(path) == FILES[name].sha256:
            return path
    return None


def checksum(path: Path) -> str:
    """sha256 of a file's content, unpacked where it is a `.gz`."""
    hasher = hashlib.sha256()
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            hasher.update(chunk)
    return hasher.hexdigest()


def fetch(name: str, *, progress: Progress = lambda done, total: None, origin: str = GITHUB) -> Path:
    """The file below `.tidemark/data`: copied from where it is here already, or else fetched, going on where an
    interrupted fetch stopped.

    Raises TidemarkError where it cannot be had or is not the file that is meant.
    """
    file = FILES[name]
    wanted = FETCHED / name
    found = find(name)
    if found == wanted:
        return wanted
    FETCHED.mkdir(parents=True, exist_ok=True)
    partial = FETCHED / f"partial-{name}"  # the ending stays: it says how to read it
    if found is not None:
        shutil.copyfile(found, partial)
    else:
        try:
            with httpx.Client(base_url=origin, timeout=20, follow_redirects=True) as client:
                if len(file.parts) == 1:
                    _resume(client, file.parts[0], partial, progress)
                else:
                    _join(client, file, partial, progress)
        except httpx.HTTPError as error:
            raise TidemarkError(
                f"{name} cannot be fetched: {error or type(error).__name__}. Put the file into a folder and set "
                "TIDEMARK_DATA to it, or use `--source kaggle`, which needs no file."
            ) from error
    if checksum(partial) != file.sha256:
        partial.unlink()
        raise TidemarkError(f"{name}: what was fetched is not the file that is meant (sha256 differs); nothing is kept")
    partial.replace(wanted)
    return wanted


def _resume(client: httpx.Client, part: str, partial: Path, progress: Progress) -> None:
    have = partial.stat().st_size if partial.exists() else 0
    headers = {"Range": f"bytes={have}-"} if have else {}
    with client.stream("GET", f"/{part}", headers=headers) as response:
        if response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
            return  # all of it is here; the checksum tells
        response.raise_for_status()
        goes_on = response.status_code == httpx.codes.PARTIAL_CONTENT
        done = have if goes_on else 0
        length = response.headers.get("Content-Length")
        with partial.open("ab" if goes_on else "wb") as out:
            for chunk in response.iter_bytes(CHUNK):
                out.write(chunk)
                done += len(chunk)
                progress(done, (have if goes_on else 0) + int(length) if length else None)


def _join(client: httpx.Client, file: DataFile, partial: Path, progress: Progress) -> None:
    """Every part into a folder of its own, so that an interrupted fetch goes on; then one file."""
    folder = FETCHED / f"{file.name}.parts"
    folder.mkdir(exist_ok=True)
    for number, part in enumerate(file.parts):
        place = folder / Path(part).name
        if not place.exists():
            response = client.get(f"/{part}")
            if response.status_code != httpx.codes.NOT_FOUND:
                response.raise_for_status()
            content = b"" if response.status_code == httpx.codes.NOT_FOUND else response.content
            place.with_suffix(".part").write_bytes(content)
            place.with_suffix(".part").replace(place)
        progress(number + 1, len(file.parts))
    with gzip.GzipFile(partial, "wb", mtime=0) as out:
        header = b""
        for part in file.parts:
            first, newline, rest = (folder / Path(part).name).read_bytes().partition(b"\n")
            if first and not header:
                header = first
                out.write(first + newline)
            out.write(rest)
    shutil.rmtree(folder)
