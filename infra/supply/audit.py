"""Whether what is locked is known to be vulnerable: pip-audit on every pin, `npm audit` on every package-lock.json.

Ends with 1 where something is, and with 2 where that could not be found out: a service that does not answer, or that
answers and knows nothing, is no clean audit. What is put up with stands in `requirements/audit-ignored.toml`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from infra.supply.locks import PACKAGE_LOCKS, REQUIREMENTS, ROOT, name_of, python

IGNORED = ROOT / "requirements" / "audit-ignored.toml"
PIP_AUDIT = ROOT / ".venv-audit" / "bin" / "pip-audit"
# Known to be vulnerable since 2019 (CVE-2019-10906): a service that does not say so has no advisories.
CANARY = ("jinja2", "2.10")
FOUND, UNKNOWN = 1, 2


class Vulnerable(NamedTuple):
    """A package that is known to be vulnerable, and by which advisory. `names`: all that the advisory is called."""

    package: str
    version: str
    names: frozenset[str]
    fixed: str

    def __str__(self) -> str:
        """For people."""
        return f"{self.package} {self.version}: {', '.join(sorted(self.names))}{self.fixed and f'; {self.fixed}'}"


class Ignored(NamedTuple):
    """An advisory that is put up with for a reason, until a day."""

    advisory: str
    package: str
    reason: str
    until: date


class Unanswered(Exception):
    """Nobody could say whether something is vulnerable."""


def ignored(text: str, today: date) -> list[Ignored]:
    """What is put up with. Raises ValueError where an entry gives no reason, or its day has passed."""
    found = [
        Ignored(entry["advisory"], entry["package"], entry["reason"], entry["until"])
        for entry in tomllib.loads(text).get("ignored", [])
    ]
    for entry in found:
        if not entry.reason.strip():
            raise ValueError(f"{entry.advisory} is ignored without a reason")
        if entry.until < today:
            raise ValueError(f"{entry.advisory} of {entry.package} was to be looked at again by {entry.until}")
    return found


def read_pip_audit(told: dict[str, Any], asked: int) -> list[Vulnerable]:
    """What pip-audit's JSON says. Raises Unanswered where it passed over a package, which by itself it calls fine."""
    dependencies = told["dependencies"]
    skipped = [entry["name"] for entry in dependencies if "skip_reason" in entry]
    if skipped or len(dependencies) != asked:
        first = ", ".join(skipped[:5])
        raise Unanswered(f"of {len(skipped)} of {asked} Python packages there is no answer ({first}, …)")
    return [
        Vulnerable(
            entry["name"],
            entry["version"],
            frozenset([one["id"], *one.get("aliases", [])]),
            f"fixed in {', '.join(one['fix_versions'])}" if one.get("fix_versions") else "",
        )
        for entry in dependencies
        for one in entry["vulns"]
    ]


def read_npm_audit(told: dict[str, Any]) -> list[Vulnerable]:
    """What `npm audit --json` says. Raises Unanswered where that is no audit."""
    if "auditReportVersion" not in told:
        raise Unanswered(f"npm's advisories do not answer: {told.get('message', 'no reason')}")
    found = []
    for name, entry in told["vulnerabilities"].items():
        for one in entry["via"]:
            if isinstance(one, dict):  # a name stands for what another entry says
                advisory = one["url"].rpartition("/")[2]
                fixed = "" if entry.get("fixAvailable") is False else "a fix is available"
                found.append(Vulnerable(name, one["range"], frozenset([advisory]), fixed))
    return found


def unlisted(found: Iterable[Vulnerable], listed: list[Ignored]) -> list[Vulnerable]:
    """What is vulnerable and not put up with."""
    pairs = {(entry.package, entry.advisory) for entry in listed}
    return [one for one in found if not any((one.package, name) in pairs for name in one.names)]


def pins() -> list[set[tuple[str, str]]]:
    """Every pin of every requirements file once, in as few sets as have each name once."""
    sets: list[set[tuple[str, str]]] = []
    for pin in sorted({(package.name, package.version) for path in REQUIREMENTS for package in python(path)}):
        for some in sets:
            if pin[0] not in {name for name, _ in some}:
                some.add(pin)
                break
        else:
            sets.append({pin})
    return sets


def ask_python(some: Iterable[tuple[str, str]]) -> list[Vulnerable]:
    """What PyPI's advisories say of some packages."""
    with TemporaryDirectory() as folder:
        asked = sorted(some)
        path = Path(folder) / "pins.txt"
        path.write_text("".join(f"{name}=={version}\n" for name, version in asked))
        # Nothing is resolved or installed: the pins are all there is.
        words = [str(PIP_AUDIT), "--requirement", str(path), "--no-deps", "--disable-pip", "--format", "json"]
        done = subprocess.run([*words, "--progress-spinner", "off"], capture_output=True, text=True, check=False)
        try:
            return read_pip_audit(json.loads(done.stdout), len(asked))
        except (ValueError, KeyError):
            said = done.stderr.strip().splitlines()
            raise Unanswered(f"pip-audit: {said[-1] if said else 'no answer'}") from None


def ask_npm(path: Path) -> list[Vulnerable]:
    """What npm's advisories say of a package-lock.json."""
    environment = {**os.environ, "PATH": f"{ROOT / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    words = ["npm", "audit", "--json", "--package-lock-only"]
    done = subprocess.run(words, cwd=path.parent, env=environment, capture_output=True, text=True, check=False)
    try:
        return read_npm_audit(json.loads(done.stdout))
    except ValueError:
        raise Unanswered("npm audit gave no answer") from None


def answers() -> Iterator[tuple[str, list[Vulnerable] | Unanswered]]:
    """By what was asked, what is known of it."""
    try:
        known = ask_python([CANARY])
        found: list[Vulnerable] | Unanswered = [one for some in pins() for one in ask_python(some)]
        if not known:
            found = Unanswered(f"PyPI's advisories do not know {' '.join(CANARY)}: they know nothing")
    except Unanswered as error:
        found = error
    yield "requirements/*.txt", found
    for path in PACKAGE_LOCKS:
        try:
            yield name_of(path), ask_npm(path)
        except Unanswered as error:
            yield name_of(path), error


def main() -> int:
    """Ask, and say what was found."""
    listed = ignored(IGNORED.read_text(), datetime.now(UTC).date())
    code = 0
    for what, found in answers():
        if isinstance(found, Unanswered):
            sys.stdout.write(f"{what}: NOT AUDITED: {found}\n")
            code = code or UNKNOWN
            continue
        left = unlisted(found, listed)
        sys.stdout.write(f"{what}: {len(left)} vulnerable, {len(found) - len(left)} put up with\n")
        for one in left:
            sys.stdout.write(f"  {one}\n")
            code = FOUND
    return code


if __name__ == "__main__":
    sys.exit(main())
