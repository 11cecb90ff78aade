"""What the text of a CSV file is: how it is encoded, where it is broken, and what its columns hold as they are written.

DuckDB reads; this only tells people what it cannot, and tells DuckDB what it does not find out.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import re
import zlib
from pathlib import Path
from typing import BinaryIO, Literal, NamedTuple

from tidemark.errors import BadRequest
from tidemark.tables import room

HEAD = 1 << 20
"""Bytes from which encoding, width and length of the lines are told."""
CHECKED = 1 << 26
"""Bytes of a file in which a broken line is searched."""
LONGEST_LINE = 1 << 22
"""Bytes: DuckDB takes half as many."""
DELIMITERS = ",;\t|"
_CHUNK = 1 << 20

Encoding = Literal["utf-8", "utf-16-le", "utf-16-be", "cp1252", "latin-1"]


class Head(NamedTuple):
    """The beginning of a file, unpacked. `kept`: how many bytes of the file it was read from."""

    content: bytes
    kept: int


def stream(path: Path) -> gzip.GzipFile | BinaryIO:
    """A file's bytes, unpacked where it is a `.gz`."""
    return gzip.open(path) if path.name.lower().endswith(".gz") else path.open("rb")


def head(path: Path) -> Head:
    """Raises BadRequest where it cannot be read or holds nothing."""
    try:
        with path.open("rb") as raw:
            packed = path.name.lower().endswith(".gz")
            content = (gzip.GzipFile(fileobj=raw) if packed else raw).read(HEAD)
            kept = raw.tell()
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise BadRequest(f"{path.name}: the gzip file is broken or ends early: {error}") from error
    except OSError as error:
        raise BadRequest(f"{path}: {error.strerror or error}") from error
    if not content.strip(b"\0 \t\r\n\xef\xbb\xbf\xff\xfe"):
        raise BadRequest(f"{path.name}: the file is empty")
    return Head(content, kept)


def wide(content: bytes) -> int:
    """In how many columns the first line is cut by the delimiter that cuts it most, and the second as often."""
    first, _, rest = content.decode("latin-1").lstrip().partition("\n")
    second = rest.partition("\n")[0]
    counts = [first.count(mark) for mark in DELIMITERS if not second or second.count(mark) == first.count(mark)]
    return max(counts, default=0) + 1


def wide_encoding(content: bytes) -> Encoding | None:
    """UTF-16, told by its mark or by its zeros; None where it is something else."""
    for mark, encoding in ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")):
        if content.startswith(mark):
            return "utf-16-le" if encoding == "utf-16-le" else "utf-16-be"
    begin = content[:1000]
    low, high = begin[::2].count(0), begin[1::2].count(0)
    if max(low, high) > 0.3 * len(begin) / 2 and min(low, high) == 0:
        return "utf-16-le" if high > low else "utf-16-be"
    return None


def encoding_of(path: Path) -> Encoding:
    """UTF-8, or what a file that is not UTF-8 was written in. Raises BadRequest where its lines differ, or is no text.

    Bytes from 0x80 to 0x9f are signs in Windows-1252 and control codes in Latin-1.
    """
    several, signs = False, False
    first: tuple[int, int] | None = None
    with stream(path) as lines:
        for number, line in enumerate(iter(lambda: lines.readline(LONGEST_LINE), b""), 1):
            if len(line) == LONGEST_LINE:
                raise BadRequest(f"{path.name}, line {number:,}: more than {LONGEST_LINE >> 20} MiB in one line")
            if line.isascii():
                continue
            try:
                line.decode()
                several = True
            except UnicodeDecodeError as error:
                first = first or (number, line[error.start])
                signs = signs or any(0x80 <= byte <= 0x9F for byte in line)
                several = several or _also_utf8(line)
            if first and several:
                number, byte = first
                raise BadRequest(
                    f"{path.name}, line {number:,}: the byte 0x{byte:02x} is no UTF-8, which other lines are in."
                    " Save the file in one encoding, best in UTF-8"
                )
    if first is None:
        return "utf-8"
    return "cp1252" if signs else "latin-1"


def _also_utf8(line: bytes) -> bool:
    """Whether a line that is not UTF-8 has a sign of several bytes in UTF-8, as hardly any other encoding has."""
    return (
        re.search(rb"[\xc3-\xc9][\x80-\xbf](?![\x80-\xff])|[\xe2-\xe9][\x80-\xbf]{2}(?![\x80-\xff])", line) is not None
    )


def to_utf8(path: Path, encoding: Encoding, into: Path) -> Path:
    """The file written again in UTF-8. Raises BadRequest where it is not in that encoding."""
    out = into / re.sub(r"\.gz$", "", path.name, flags=re.IGNORECASE)
    left = room.free(into)
    decoder = codecs.getincrementaldecoder(encoding)()
    with stream(path) as content, out.open("w", encoding="utf-8", newline="") as written:
        try:
            while chunk := content.read(_CHUNK):
                left -= 2 * len(chunk)  # a byte above 0x7f takes two in UTF-8
                if left < 0:
                    raise BadRequest(f"{path.name}: unpacked, it has no room in {into}")
                written.write(decoder.decode(chunk).removeprefix("\ufeff"))
            written.write(decoder.decode(b"", final=True))
        except UnicodeDecodeError as error:
            raise BadRequest(
                f"{path.name}: a byte 0x{error.object[error.start]:02x} is no {encoding.upper()}"
            ) from error
    return out


_LINE_END = re.compile(r"\r\n|\r|\n")  # as the reader counts lines


def broken_line(path: Path) -> str | None:
    """The first line that does not fit its header, or whose quote does not end; None where all seem right."""
    with stream(path) as content:
        lines = content.read(CHECKED).decode("utf-8", "replace")
    begin = lines.lstrip("\ufeff")
    first = begin.partition("\n")[0]
    delimiter = max(DELIMITERS, key=first.count)
    reader = csv.reader(io.StringIO(begin, newline=""), delimiter=delimiter, strict=True)
    width, before = 0, 0
    try:
        for row in reader:
            if width == 0:
                width = len(row)
            elif row and len(row) != width:
                return f"line {before + 1:,}: {len(row)} columns where the header has {width}"
            before = reader.line_num
    except csv.Error:
        if reader.line_num > before + 1 or '"' in _LINE_END.split(begin, before + 1)[before]:
            return f"line {before + 1:,}: a quote that does not end, or ends before its column does"
        return f"line {before + 1:,} cannot be read"
    return None


# -- what a column holds as it is written

_FORMS = [
    re.compile(form)
    for form in (
        r"\d{4}-\d{1,2}-\d{1,2}([ T].*)?",
        r"\d{4}/\d{1,2}/\d{1,2}( .*)?",
        r"\d{1,2}/\d{1,2}/\d{2,4}( .*)?",
        r"\d{1,2}\.\d{1,2}\.\d{2,4}( .*)?",
        r"\d{1,2}-\d{1,2}-\d{2,4}( .*)?",
        r"\d{1,2}[ -][A-Za-z]{3,9}\.?[ -]\d{2,4}( .*)?",
        r"[A-Za-z]{3,9}\.? \d{1,2},? \d{4}( .*)?",
    )
]
_MOSTLY = 0.9
_DAY_OR_MONTH = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-]\d{2,4}")
_COMMA = re.compile(r"[+-]?(\d+|\d{1,3}(\.\d{3})+),\d+")
_WHOLE = re.compile(r"[+-]?\d+")
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+")
_POINT = re.compile(r"[+-]?\d*\.\d+")


def date_forms(values: list[str]) -> list[str]:
    """The first date of each form in which a column holds dates; none where it holds something else."""
    found: dict[int, str] = {}
    fitting = 0
    for value in values:
        form = next((place for place, form in enumerate(_FORMS) if form.fullmatch(value)), None)
        if form is not None:
            fitting += 1
            found.setdefault(form, value)
    return list(found.values()) if values and fitting >= _MOSTLY * len(values) else []


def order_untold(values: list[str]) -> str | None:
    """A date that may be read in two ways, where no other of the column tells which is meant."""
    pairs = [(match, value) for value in values if (match := _DAY_OR_MONTH.fullmatch(value.partition(" ")[0]))]
    if not pairs or any(int(part) > 12 for match, _ in pairs for part in match.groups()):
        return None
    return next((value for match, value in pairs if int(match[1]) != int(match[2])), None)


class Commas(NamedTuple):
    """How numbers with commas are written in a file. `unclear`: a column, and a number of it that may be two."""

    decimal: bool
    thousands: bool
    unclear: list[tuple[str, str]]


def commas(columns: dict[str, list[str]]) -> Commas:
    """Whether a comma is the decimal mark: where it parts no thousands, and no column has points for that."""
    decimal, thousands, unclear = False, False, []
    points = any(values and all(map(_POINT.fullmatch, values)) for values in columns.values())
    for name, values in columns.items():
        if not values or not all(_COMMA.fullmatch(value) or _WHOLE.fullmatch(value) for value in values):
            continue
        marked = [value for value in values if "," in value]
        if not marked:
            continue
        if points or all(map(_THOUSANDS.fullmatch, marked)):
            unclear.append((name, marked[0]))
        else:
            decimal = True
            thousands = thousands or any("." in value for value in marked)
    return Commas(decimal, thousands, unclear)
