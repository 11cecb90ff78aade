"""What the lock files hold: `requirements/*.txt` and each `package-lock.json`."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple

ROOT = Path(__file__).resolve().parents[2]
REQUIREMENTS = sorted((ROOT / "requirements").glob("*.txt"))
PACKAGE_LOCKS = tuple(
    ROOT / folder / "package-lock.json"
    for folder in ("web", "infra/cdk", "infra/postgres", "benchmarks/peers/node_socketio")
)
_PIN = re.compile(r"(?P<name>[A-Za-z0-9._-]+)(?:\[[^\]]*\])?==(?P<version>[^\s;\\]+)(?P<rest>.*)", re.DOTALL)
_HASH = re.compile(r"--hash=(sha256):([0-9a-f]{64})(?=\s|$)")


class Locked(NamedTuple):
    """A package at the one version that is installed. `hashes`: (algorithm, hexadecimal) of its files."""

    kind: Literal["pypi", "npm"]
    name: str
    version: str
    hashes: tuple[tuple[str, str], ...]
    licence: str = ""

    @property
    def purl(self) -> str:
        """Its package URL (https://github.com/package-url/purl-spec)."""
        return f"pkg:{self.kind}/{self.name.replace('@', '%40')}@{self.version}"


def lines(path: Path) -> list[str]:
    """The entries of a requirements file, each with its hashes; comments are left out."""
    text = "\n".join(line for line in path.read_text().splitlines() if not line.lstrip().startswith("#"))
    return [entry.strip() for entry in re.sub(r"\\\n", " ", text).splitlines() if entry.strip()]


def python(path: Path) -> Iterator[Locked]:
    """The packages of a requirements file. Raises ValueError where a line is no pin."""
    for line in lines(path):
        found = _PIN.fullmatch(line)
        if found is None:
            raise ValueError(f"{path.name}: {line[:80]!r} is not pinned")
        name = re.sub(r"[-_.]+", "-", found["name"]).lower()
        yield Locked("pypi", name, found["version"], tuple(_HASH.findall(found["rest"])))


def npm(path: Path) -> Iterator[Locked]:
    """The packages of a package-lock.json, but for the workspace's own."""
    for place, entry in json.loads(path.read_text())["packages"].items():
        _, found, name = place.rpartition("node_modules/")
        if not found or entry.get("link"):
            continue
        algorithm, _, digest = entry.get("integrity", "").partition("-")
        hashes = ((algorithm, base64.b64decode(digest).hex()),) if digest else ()
        yield Locked("npm", entry.get("name", name), entry["version"], hashes, entry.get("license", ""))


def name_of(path: Path) -> str:
    """What a lock file is called, below the project."""
    return path.relative_to(ROOT).as_posix()
