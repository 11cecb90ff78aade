"""CSV files as DuckDB is to read them: what it does not find out by itself is told to it, and to the user."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import duckdb

from tidemark.errors import BadRequest
from tidemark.tables import csv_text, reach
from tidemark.tables.differing import differing

MOST_TRIES = 70
"""A column at a time is read in another way, and all may have to be."""
_LOOKED_AT = 20_000
"""Rows whose text is looked at; DuckDB tells the types from as many."""
_COMPARED = 20
"""Files whose columns are compared."""
_WHOLE = {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT"}
_LINE = re.compile(r"CSV Error on Line: (\d+)")
_FILE = re.compile(r"^\s*file = (.+)$", re.MULTILINE)
_WIDTH = re.compile(r"Expected Number of Columns: (\d+) Found: (\d+)")
_VALUE = re.compile(r'converting column "(.+?)"\. Could not convert string "(.*?)" to \'(.+?)\'', re.DOTALL)


class CsvFiles:
    """CSV files of one table. `notes`: what users should know of how they are read."""

    def __init__(self, files: list[Path], most_columns: int) -> None:
        self.files = files
        self.notes: list[str] = []
        self.whole: frozenset[str] = frozenset()
        self._most_columns = most_columns
        self._types: dict[str, str] = {}
        self._told: dict[str, str] = {}
        self._marks: dict[str, str] = {"quotechar": '"'}
        self._decoded = False

    def prepare(self, into: Path) -> None:
        """Look at how the files begin; what is in UTF-16 is written again below `into`. Raises BadRequest."""
        self.files = reach.plainly_named(self.files, into)
        for place, file in enumerate(self.files):
            begin = csv_text.head(file).content
            encoding = csv_text.wide_encoding(begin)
            if encoding:
                self.files[place] = self._decode(file, encoding, into, place)
            elif b"\0" in begin[:1000]:
                raise BadRequest(f"{file.name} is no text, so no CSV either")
            elif (count := csv_text.wide(begin)) > self._most_columns:
                raise BadRequest(too_wide(file.name, count, self._most_columns))

    def rows(self) -> int:
        """About how many rows there are, from the length of the first lines and the size of the files."""
        begin = csv_text.head(self.files[0])
        lines = max(begin.content.count(b"\n"), 1)
        return int(sum(file.stat().st_size for file in self.files) * lines / max(begin.kept, 1))

    def reads(self, connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyRelation:
        """The table as it is known to be written so far. Raises BadRequest and duckdb.Error."""
        found = self._read(connection, self.files, dtype=self._types or None)
        if len(found.columns) == 1 and any(mark in found.columns[0] for mark in csv_text.DELIMITERS):
            self._must_be_whole(self.files[0])
        self._look(connection, found)
        types = {name: str(kind) for name, kind in zip(found.columns, found.types, strict=True)}
        self.whole = self.whole | {name for name, kind in types.items() if kind in _WHOLE}
        # DuckDB rounds 1.5 where it took a column for whole numbers from its first rows.
        wanted = {**dict.fromkeys(self.whole & types.keys(), "DOUBLE"), **self._types}
        self.notes = [*self._told.values(), *self._files_differ(connection)]
        return self._read(connection, self.files, dtype=wanted or None)

    def mend(self, error: Exception, into: Path) -> None:
        """Read otherwise what could not be read; returns where that is worth another try. Raises BadRequest."""
        text = str(error)
        line, file = _LINE.search(text), _FILE.search(text)
        where = f"{Path(file[1]).name if file else self.files[0].name}" + (f", line {int(line[1]):,}" if line else "")
        value, width = _VALUE.search(text), _WIDTH.search(text)
        if value and line and value[1] not in self._types:
            self._widen(value, where)
            return
        if "gzip" in text.lower():
            raise BadRequest(f"{where}: the gzip file is broken or ends early") from error
        if not self._decoded and self._decode_all(into):
            return
        if "unterminated quote" in text.lower():
            raise BadRequest(f"{where}: a quote that does not end") from error
        if width:
            raise BadRequest(f"{where}: {width[2]} columns where the header has {width[1]}") from error
        for one in self.files:
            self._must_be_whole(one)
        if self._marks.pop("quotechar", None):
            return
        raise BadRequest(f"{where} cannot be read: {_first_lines(text)}") from error

    def _read(self, connection: duckdb.DuckDBPyConnection, files: list[Path], **more: Any) -> duckdb.DuckDBPyRelation:
        options: dict[str, Any] = {name: value for name, value in (self._marks | more).items() if value is not None}
        if len(files) > 1:
            options["union_by_name"] = True
        names: Any = [str(file) for file in files]
        return connection.read_csv(names, **options)

    def _look(self, connection: duckdb.DuckDBPyConnection, found: duckdb.DuckDBPyRelation) -> None:
        """Tell decimal commas, and dates that are written in several forms or may be read in two ways."""
        rows = self._read(connection, self.files[:1], all_varchar=True).limit(_LOOKED_AT).to_arrow_table()
        written = {name: rows.column(name).drop_null().to_pylist() for name in rows.column_names}
        marks = csv_text.commas(written)
        if marks.decimal and "decimal" not in self._marks:
            self._marks |= {"decimal": ","} | ({"thousands": "."} if marks.thousands else {})
            self._told[","] = "Numbers are read with a decimal comma."
        for name, value in marks.unclear:
            self._told[name] = (
                f"{name} holds {value}, whose comma may be a decimal mark or part thousands; it is kept as text."
            )
        types = {name: str(kind) for name, kind in zip(found.columns, found.types, strict=True)}
        for name, values in written.items():
            forms, untold = csv_text.date_forms(values), csv_text.order_untold(values)
            if len(forms) > 1:
                self._types[name] = "VARCHAR"
                self._told[name] = f"{name} holds dates in several forms: {', '.join(forms)}; it is kept as text."
            elif forms and untold:
                self._types[name] = "VARCHAR"
                self._told[name] = f"{name} holds {untold}, which may be two days; it is kept as text."
            elif forms and types.get(name) == "VARCHAR" and name not in self._told:
                self._told[name] = f"{name} holds dates as {forms[0]}, a form that is not read; it is kept as text."

    def _widen(self, value: re.Match[str], where: str) -> None:
        name, written, kind = value.groups()
        self._types[name] = "VARCHAR"
        self._told[name] = f"{name} is kept as text: {where} holds {written!r}, which is no {_KINDS.get(kind, kind)}."

    def _decode_all(self, into: Path) -> bool:
        """Write again what is not in UTF-8; whether anything was."""
        self._decoded = True
        before = list(self.files)
        for place, file in enumerate(before):
            encoding = csv_text.encoding_of(file)
            if encoding != "utf-8":
                self.files[place] = self._decode(file, encoding, into, place)
        return self.files != before

    def _decode(self, file: Path, encoding: csv_text.Encoding, into: Path, place: int) -> Path:
        self._told[f"\0{place}"] = f"{file.name} is read as {_ENCODINGS[encoding]}."
        folder = into / str(place)
        folder.mkdir(exist_ok=True)
        return csv_text.to_utf8(file, encoding, folder)

    def _must_be_whole(self, file: Path) -> None:
        if fault := csv_text.broken_line(file):
            raise BadRequest(f"{file.name}, {fault}")

    def _files_differ(self, connection: duckdb.DuckDBPyConnection) -> list[str]:
        if len(self.files) == 1:
            return []
        each = [self._read(connection, [file], sample_size=1000) for file in self.files[:_COMPARED]]
        return differing([{name: str(kind) for name, kind in zip(one.columns, one.types, strict=True)} for one in each])


def too_wide(title: str, count: int, most: int) -> str:
    """What is said of a table with too many columns."""
    return (
        f"{title}: {count:,} columns; at most {most} are looked at at once."
        " Keep those that matter in a file of their own"
    )


_KINDS = {"DOUBLE": "number", "BIGINT": "number", "BOOLEAN": "yes or no", "DATE": "date as those before it"}
_ENCODINGS = {
    "utf-8": "UTF-8",
    "utf-16-le": "UTF-16",
    "utf-16-be": "UTF-16",
    "cp1252": "Windows-1252",
    "latin-1": "Latin-1",
}


def _first_lines(text: str) -> str:
    return " ".join(text.strip().split("\n")[:2])
