"""Is a batch what it claims to be? Good rows, quarantined rows with reasons, or the whole file refused.

A batch is a CSV in UTF-8 with a header and no commas or newlines inside values, so that a line is a row, always:
every line after the header ends up in exactly one place.
"""

from __future__ import annotations

import hashlib
import warnings
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import msgspec
import numpy as np
import pandas as pd

from tidemark.housing.columns import BY_NAME, CATEGORY, COLUMNS, ID, NAMES, NUMBERS, Column
from tidemark.housing.reading import Lines, NotReadable, Raw, lines_of, quoted, read

with warnings.catch_warnings():
    warnings.simplefilter("ignore", UserWarning)  # of typeguard's version, which only its generic types concern
    import pandera.pandas as pa

MOST_BYTES = 256_000_000  # some four million rows; checking takes five times as much memory
MOST_BAD = 0.2
MOST_TEXT = 0.5
MOST_NULLS = 0.2
"""Of a column that may have none: below it the rows are quarantined, above it the batch is not what it should be."""
SPARE_ROOMS = "spare_rooms"
FIRST_LINE = "first_line"

RefusalKind = Literal[
    "too_large",
    "empty",
    "no_rows",
    "not_csv",
    "missing_column",
    "unknown_column",
    "cut_off",
    "wrong_sha256",
    "wrong_rows",
    "not_numbers",
    "too_many_nulls",
    "too_many_bad",
    "not_checked",
]


class Refusal(msgspec.Struct, frozen=True):
    """Why nothing of a batch is taken. `line` is the first line concerned, `share` is of the rows, 0..1."""

    kind: RefusalKind
    reason: str
    column: str | None = None
    line: int | None = None
    share: float | None = None


class Quarantined(msgspec.Struct, frozen=True):
    """A row that is not taken: its line in the file (the header is 1), its text, and everything wrong with it."""

    line: int
    row: str
    reasons: list[str]


def _no_rows() -> pd.DataFrame:
    return pd.DataFrame({**{c: pd.Series(dtype="float64") for c in NUMBERS}, CATEGORY: pd.Series(dtype="str")})[
        list(NAMES)
    ].assign(**{ID: pd.Series(dtype="int64")})


@dataclass(frozen=True, kw_only=True)
class Checked:
    """A batch, each of its `lines` rows in one place. Where there is a `refusal`, the two others are empty.

    `rows`: the ten columns in their order (float64, text) and `block_id` (int64, a hash of the ten). `reasons`: how
    often each thing is wrong with the quarantined rows, whatever the value.
    """

    sha256: str
    lines: int
    rows: pd.DataFrame = field(default_factory=_no_rows)
    quarantined: list[Quarantined] = field(default_factory=list)
    reasons: dict[str, int] = field(default_factory=dict)
    refusal: Refusal | None = None


def _schema() -> pa.DataFrameSchema:
    columns = {}
    for column in COLUMNS:
        if column.kind == "number":
            unit = column.unit if column.unit.startswith("°") else f" {column.unit}"
            words = f"is outside {column.low:,.10g} to {column.high:,.10g}{unit}"
            check = pa.Check.in_range(column.low, column.high, error=words)
        else:
            check = pa.Check.isin(column.categories, error=f"is none of {', '.join(column.categories)}")
        columns[column.name] = pa.Column(None, check, nullable=True)
    # Checks over several columns report every cell of a row, so each stands as a column of its own.
    columns[SPARE_ROOMS] = pa.Column(float, pa.Check.ge(0, error="more bedrooms than rooms"), nullable=True)
    columns[FIRST_LINE] = pa.Column(int, pa.Check.eq(0, error="the same row as line"))
    return pa.DataFrameSchema(columns)


SCHEMA = _schema()


def check(content: bytes, *, stated_sha256: str | None = None, stated_rows: int | None = None) -> Checked:
    """Check a batch. `stated_*`: what the sender says of the whole file, None where nothing is said.

    Nothing is raised for a bad batch: `refusal` says why nothing of it is taken.
    """
    digest = hashlib.sha256(content).hexdigest()
    if len(content) > MOST_BYTES:
        words = f"The file has {len(content):,} bytes; a batch may have {MOST_BYTES:,} at most. Send it in parts."
        return Checked(sha256=digest, lines=0, refusal=Refusal("too_large", words))
    lines = lines_of(content)
    try:
        refusal = _refuse_bytes(content, digest, lines, stated_sha256, stated_rows)
        if refusal is None:
            raw = read(content)
            refusal = _refuse_end(lines, raw, stated_sha256) or _refuse_columns(raw)
            if refusal is None:
                return _sort(digest, lines, raw)
    except NotReadable as error:
        refusal = Refusal(error.kind, str(error), column=error.column, line=error.line)
    except Exception as error:  # noqa: BLE001  # whatever is in a file, it must not keep those behind it from being taken
        refusal = Refusal("not_checked", f"The file cannot be checked: {type(error).__name__}: {str(error)[:200]}")
    return Checked(sha256=digest, lines=lines.rows, refusal=refusal)


def _refuse_bytes(
    content: bytes, digest: str, lines: Lines, stated_sha256: str | None, stated_rows: int | None
) -> Refusal | None:
    if not content.strip():
        return Refusal("empty", "The file is empty: there is nothing to take in.")
    if stated_sha256 is not None and digest != stated_sha256.strip().lower():
        return Refusal(
            "wrong_sha256",
            f"These are not the bytes that were announced (sha256 {digest[:12]}… instead of {stated_sha256[:12]}…): "
            "the upload stopped half-way, or the file was changed. Send it again.",
        )
    if stated_rows is not None and lines.rows != stated_rows:
        return Refusal(
            "wrong_rows",
            f"The file has {lines.rows:,} rows where {stated_rows:,} were announced: "
            "the upload stopped half-way, or the file was changed. Send it again.",
            line=lines.rows + 1,
        )
    return None


def _refuse_end(lines: Lines, raw: Raw, stated_sha256: str | None) -> Refusal | None:
    last = lines.rows + 1
    fields = raw.fields_of_misfits.get(last)
    if fields is not None and fields < len(NAMES):
        return Refusal(
            "cut_off",
            f"The last line ({last:,}) has {fields} of {len(NAMES)} fields: the file was cut off. Send it again.",
            line=last,
        )
    if not lines.ended and stated_sha256 is None:  # bytes that equal the announced ones are all there
        return Refusal(
            "cut_off",
            f"The last line ({last:,}) does not end with a newline, so that it may have been cut off. "
            "Send the file again, whole, or state its sha256.",
            line=last,
        )
    return None


def _refuse_columns(raw: Raw) -> Refusal | None:
    rows = len(raw.frame)
    for column in COLUMNS if rows else ():
        text = raw.not_numbers.get(column.name)
        if text is not None and (count := int(text.sum())) > MOST_TEXT * rows:
            line = int(raw.lines[text.argmax()])
            return Refusal(
                "not_numbers",
                f"{column.name} holds text where numbers are due in {_of(count, rows)}, first in line {line:,}: "
                f"{quoted(raw.text(column.name, int(text.argmax())))}.",
                column.name,
                line,
                count / rows,
            )
        empty = raw.empty(column.name)
        count = int(empty.sum())
        if count > (column.nulls or MOST_NULLS) * rows:
            line = int(raw.lines[empty.argmax()])
            allowed = f"at most {column.nulls:.0%} may be" if column.nulls else "none may be"
            return Refusal(
                "too_many_nulls",
                f"{column.name} is empty in {_of(count, rows)}, first in line {line:,}; {allowed}.",
                column.name,
                line,
                count / rows,
            )
    return None


def _sort(digest: str, lines: Lines, raw: Raw) -> Checked:
    frame = raw.frame
    frame[ID] = pd.util.hash_pandas_object(frame[list(NAMES)], index=False).to_numpy().view(np.int64)
    faults = _faults(raw)
    bad = np.array(sorted(faults), dtype=np.int64)
    if len(bad) > MOST_BAD * lines.rows:
        return Checked(sha256=digest, lines=lines.rows, refusal=_too_many(faults, lines.rows))
    good = frame[~np.isin(raw.lines, bad)] if len(bad) else frame
    texts = lines.texts(bad)
    quarantined = [Quarantined(line, texts[line], [fault.text for fault in faults[line]]) for line in texts]
    return Checked(
        sha256=digest,
        lines=lines.rows,
        rows=good.reset_index(drop=True),
        quarantined=quarantined,
        reasons={kind: len(lines) for kind, lines in _by_kind(faults).items()},
    )


class Fault(NamedTuple):
    """Something wrong with a row: of which kind it is, whatever the value, and in words with the value."""

    kind: str
    text: str


Faults = dict[int, list[Fault]]
"""By line."""


def _by_kind(faults: Faults) -> dict[str, list[int]]:
    """The lines with each kind of fault, the most frequent first."""
    lines: dict[str, list[int]] = defaultdict(list)
    for line, found in sorted(faults.items()):
        for fault in found:
            lines[fault.kind].append(line)
    return dict(sorted(lines.items(), key=lambda item: -len(item[1])))


def _faults(raw: Raw) -> Faults:
    faults: Faults = defaultdict(list)
    for line, fields in raw.fields_of_misfits.items():
        words = f"the row has {fields} fields instead of {len(NAMES)}"
        faults[line].append(Fault(f"the row has other than {len(NAMES)} fields", words))
    for column in COLUMNS:
        _add_unreadable(faults, raw, column)
    frame = raw.frame.drop(columns=ID)
    frame[SPARE_ROOMS] = frame["total_rooms"] - frame["total_bedrooms"]
    frame[FIRST_LINE] = _first_lines(raw)
    try:
        SCHEMA.validate(frame, lazy=True)
    except pa.errors.SchemaErrors as errors:
        cases = errors.failure_cases
        for column, why, value, place in zip(
            cases["column"], cases["check"], cases["failure_case"], cases["index"], strict=True
        ):
            line = int(raw.lines[int(place)])
            if column == SPARE_ROOMS:
                faults[line].append(Fault(f"the row has {why}", f"the row has {why}"))
            elif column == FIRST_LINE:
                faults[line].append(Fault(f"the row is {why} before", f"the row is {why} {value:,}"))
            else:
                shown = quoted(value) if column == CATEGORY else f"{value:,.10g}"
                faults[line].append(Fault(f"{column} {why}", f"{column} {shown} {why}"))
    return faults


def _add_unreadable(faults: Faults, raw: Raw, column: Column) -> None:
    text = raw.not_numbers.get(column.name)
    if text is not None:
        for place in np.flatnonzero(text):
            shown = quoted(raw.text(column.name, int(place)))
            words = Fault(f"{column.name} is not a number", f"{column.name} {shown} is not a number")
            faults[int(raw.lines[place])].append(words)
    if column.nulls == 0:
        for place in np.flatnonzero(raw.empty(column.name)):
            faults[int(raw.lines[place])].append(Fault(f"{column.name} is empty", f"{column.name} is empty"))


def _first_lines(raw: Raw) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """For a row that an earlier line holds already, that line; 0 for all others."""
    first = np.zeros(len(raw.frame), dtype=np.int64)
    alike = raw.frame[ID].duplicated(keep=False).to_numpy()
    if alike.any():  # the hash finds the few that may be the same, their values decide
        some = raw.frame.loc[alike, list(NAMES)]
        lines = pd.Series(raw.lines[alike], index=some.index)
        firsts = lines.groupby([some[name] for name in NAMES], dropna=False).transform("min")
        first[alike] = np.where(firsts < lines, firsts, 0)
    return first


def _too_many(faults: Faults, rows: int) -> Refusal:
    kind, lines = next(iter(_by_kind(faults).items()))
    column = kind.split(" ")[0]
    return Refusal(
        "too_many_bad",
        f"{_of(len(faults), rows)} are bad, more than {MOST_BAD:.0%}; most often ({len(lines):,} times, first in line "
        f"{lines[0]:,}): {kind}.",
        column if column in BY_NAME else None,
        lines[0],
        len(faults) / rows,
    )


def _of(count: int, rows: int) -> str:
    return f"{count:,} of {rows:,} rows ({count / rows:.1%})"
