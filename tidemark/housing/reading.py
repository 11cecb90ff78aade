"""A batch's bytes as columns, and which line each row was.

A file of numbers is parsed as numbers at once; only one that holds anything else is read as text and sifted.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from tidemark.errors import TidemarkError
from tidemark.housing.columns import CATEGORY, NAMES, NUMBERS

EMPTY = ["", "NA", "N/A", "NaN", "nan", "null", "NULL", "None"]
NUMBER = r"^[ \t]*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?[ \t]*$"
BOM = b"\xef\xbb\xbf"
LONG, MANY = 60, 12  # characters of a stranger's text, and names, that a sentence repeats
_PLAIN = re.compile(rf"[\w .()%-]{{1,{LONG}}}")  # names that need no quotes

Unreadable = Literal["not_csv", "missing_column", "unknown_column", "no_rows"]
Mask: TypeAlias = npt.NDArray[np.bool_]


class NotReadable(TidemarkError):
    """The bytes are no such CSV."""

    def __init__(
        self,
        kind: Unreadable,
        reason: str,
        *,
        column: str | None = None,
        line: int | None = None,
    ) -> None:
        super().__init__(reason)
        self.kind: Unreadable = kind
        self.column = column
        self.line = line


@dataclass(frozen=True)
class Lines:
    """A file's lines: how many rows follow the header, and whether the last one is ended."""

    content: bytes
    rows: int
    ended: bool

    def texts(self, numbers: npt.NDArray[np.int64]) -> dict[int, str]:
        """The lines with these numbers (the header is 1), as they are in the file."""
        if len(numbers) == 0:
            return {}
        lines = self.content.splitlines()
        return {int(number): lines[number - 1].decode("utf-8", "replace") for number in numbers}


def lines_of(content: bytes) -> Lines:
    """A file's lines; each is ended by CR, LF, or both, as for `bytes.splitlines`."""
    ends = content.count(b"\n")
    if b"\r" in content:
        ends += content.count(b"\r") - content.count(b"\r\n")
    ended = content.endswith((b"\n", b"\r"))
    return Lines(content, max(ends + (not ended and bool(content)) - 1, 0), ended)


@dataclass
class Raw:
    """What was read: `frame` has the ten columns in their order, NaN where there is no number.

    `lines`: each row's line. `not_numbers`: by column, where there is text that is no number. `fields_of_misfits`: the
    lines that have another number of fields, which `frame` does not hold.
    """

    frame: pd.DataFrame
    lines: npt.NDArray[np.int64]
    fields_of_misfits: dict[int, int]
    not_numbers: dict[str, Mask] = field(default_factory=dict)
    texts: dict[str, pa.Array] = field(default_factory=dict)

    def text(self, column: str, place: int) -> str:
        """What stands in a column of the row at `place`, as text. Only for columns in `not_numbers`."""
        return str(self.texts[column][place].as_py())

    def empty(self, column: str) -> Mask:
        """Which rows have nothing in a column."""
        nothing: Mask = self.frame[column].isna().to_numpy()
        text = self.not_numbers.get(column)
        return nothing if text is None else nothing & ~text


def read(content: bytes) -> Raw:
    """A batch's rows. Raises NotReadable where the bytes are no CSV in UTF-8 with these ten columns."""
    header = _header(content)
    if lines_of(content).rows == 0:
        raise NotReadable("no_rows", "The file has a header and no rows: there is nothing to take in.")
    misfits: dict[int, int] = {}
    try:
        table = _parse(content, header, misfits, pa.float64())
        raw = _raw(table, misfits)
        if all(np.isfinite(c.drop_null().to_numpy()).all() for c in table.select(NUMBERS).itercolumns()):
            return raw
    except pa.ArrowInvalid:  # not all of it is numbers
        misfits.clear()
    try:
        return _sift(_parse(content, header, misfits, pa.string()), misfits)
    except pa.ArrowInvalid as error:
        raise NotReadable("not_csv", f"The file cannot be read as CSV: {str(error)[:200]}") from error


def _header(content: bytes) -> list[str]:
    """The names of the first line."""
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as error:
        before = lines_of(content[: error.start])
        line = before.rows + 1 + before.ended
        raise NotReadable(
            "not_csv", f"The file is not text in UTF-8: line {line:,} holds bytes that are none.", line=line
        ) from error
    first = content.removeprefix(BOM).splitlines()[0] if len(content) < 1 << 16 else _first_line(content)
    names = [name.strip().strip('"') for name in first.decode("utf-8").split(",")]
    if len(names) == 1 and names[0] not in NAMES:
        raise NotReadable("not_csv", "The file is no CSV: its first line has no commas.", line=1)
    missing = [name for name in NAMES if name not in names]
    unknown = [name for name in names if name not in NAMES]
    twice = sorted({name for name in names if names.count(name) > 1})
    also = f" It has {_listed(unknown)} instead." if unknown else ""
    if missing:
        raise NotReadable(
            "missing_column",
            f"The header (line 1) lacks the column{'s' * (len(missing) > 1)} {_listed(missing)}.{also}",
            column=missing[0],
            line=1,
        )
    if unknown or twice:
        what = f"{_listed(unknown)}, which no batch has" if unknown else f"{_listed(twice)} more than once"
        raise NotReadable("unknown_column", f"The header (line 1) has {what}.", column=(unknown or twice)[0], line=1)
    return names


def _first_line(content: bytes) -> bytes:
    ends = [place for end in (b"\n", b"\r") if (place := content.find(end)) >= 0]
    return content[: min(ends, default=len(content))].removeprefix(BOM)


def _listed(names: list[str]) -> str:
    shown = [name if _PLAIN.fullmatch(name) else quoted(name) for name in names[:MANY]]
    return ", ".join(shown) + (f" and {len(names) - MANY:,} more" if len(names) > MANY else "")


def quoted(text: str) -> str:
    """A text of a stranger's, in quotes, and no longer than a sentence bears."""
    return repr(text if len(text) <= LONG else f"{text[:LONG]}…")


def _parse(content: bytes, header: list[str], misfits: dict[int, int], numbers: pa.DataType) -> pa.Table:
    def misfit(row: Any) -> str:
        misfits[row.number] = row.actual_columns
        return "skip"

    # No quoting: a line is a row. One block, one thread: rows that do not fit are told with their numbers.
    table = pyarrow.csv.read_csv(
        pa.BufferReader(content),
        read_options=pyarrow.csv.ReadOptions(
            use_threads=False, column_names=header, skip_rows=1, block_size=min(len(content) + 1, 2**31 - 1)
        ),
        parse_options=pyarrow.csv.ParseOptions(quote_char=False, ignore_empty_lines=False, invalid_row_handler=misfit),
        convert_options=pyarrow.csv.ConvertOptions(
            check_utf8=False,
            column_types={**dict.fromkeys(NUMBERS, numbers), CATEGORY: pa.string()},
            null_values=EMPTY,
            strings_can_be_null=True,
        ),
    )
    return table.select(NAMES).combine_chunks()


def _raw(table: pa.Table, misfits: dict[int, int]) -> Raw:
    lines = np.arange(2, 2 + table.num_rows + len(misfits), dtype=np.int64)
    if misfits:
        lines = np.delete(lines, np.array(sorted(misfits)) - 2)
    category = table[CATEGORY].combine_chunks()
    frame = pd.DataFrame(
        {name: table[name].to_numpy() for name in NUMBERS} | {CATEGORY: pd.array(_bare(category), dtype="str")}
    )
    return Raw(frame[list(NAMES)], lines, misfits)


def _bare(text: pa.Array) -> pa.Array:
    """Without white space and quotes around; null where nothing is left."""
    bare = pc.ascii_trim(pc.ascii_trim_whitespace(text), '"')
    return pc.if_else(pc.is_in(bare, value_set=pa.array(EMPTY)), None, bare)


def _sift(table: pa.Table, misfits: dict[int, int]) -> Raw:
    columns: dict[str, Any] = {}
    texts: dict[str, pa.Array] = {}
    not_numbers: dict[str, Mask] = {}
    for name in NUMBERS:
        text = _bare(table[name].combine_chunks())
        fits = pc.match_substring_regex(text, NUMBER)
        numbers = pc.cast(pc.ascii_trim_whitespace(pc.if_else(fits, text, None)), pa.float64())
        columns[name] = numbers
        wrong = pc.and_(pc.is_valid(text), pc.invert(pc.fill_null(fits, False)))
        mask = wrong.to_numpy(zero_copy_only=False)
        if mask.any():
            not_numbers[name], texts[name] = mask, text
    columns[CATEGORY] = table[CATEGORY]
    raw = _raw(pa.table(columns).select(NAMES), misfits)
    raw.not_numbers, raw.texts = not_numbers, texts
    return raw
