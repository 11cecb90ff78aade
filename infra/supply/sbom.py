"""Bills of materials in CycloneDX's JSON (https://cyclonedx.org/docs/1.6/json/): `python -m infra.supply.sbom FOLDER`.

One a lock file, from the lock file alone: every package with its package URL, the hashes of its files and its licence.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

from infra.supply.licences import told
from infra.supply.locks import PACKAGE_LOCKS, REQUIREMENTS, ROOT, Locked, name_of, npm, python
from tidemark import __version__

ALGORITHMS = {"sha1": "SHA-1", "sha256": "SHA-256", "sha384": "SHA-384", "sha512": "SHA-512"}


def bill(path: Path, licences: dict[tuple[str, str], str]) -> dict[str, Any]:
    """The bill of one lock file; `licences`: by name and version."""
    packages = sorted(set(npm(path) if path.suffix == ".json" else python(path)))
    # Its number is of its content, and not drawn: two builds of one state are one bill.
    number = UUID(bytes=sha256(path.read_bytes()).digest()[:16], version=4)
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{number}",
        "version": 1,
        "metadata": {
            "timestamp": _committed(),
            "component": {
                "type": "application",
                "bom-ref": f"tidemark/{name_of(path)}",
                "name": f"tidemark/{name_of(path)}",
                "version": __version__,
                "licenses": [{"license": {"id": "MIT"}}],
            },
        },
        "components": [_component(package, licences[package.name, package.version]) for package in packages],
    }


def _component(package: Locked, licence: str) -> dict[str, Any]:
    # A package has a file for each system, and CycloneDX's hashes are of one: each file is a distribution of its own.
    files = [{"alg": ALGORITHMS[name], "content": digest} for name, digest in package.hashes]
    made: dict[str, Any] = {
        "type": "library",
        "bom-ref": package.purl,
        "name": package.name,
        "version": package.version,
        "purl": package.purl,
        "licenses": [{"expression": licence}] if " " in licence else [{"license": {"id": licence}}],
    }
    if len(files) == 1:
        return {**made, "hashes": files}
    made["properties"] = [{"name": "tidemark:file:sha256", "value": one["content"]} for one in files]
    return made


def _committed() -> str:
    """When the commit was made that is looked at."""
    asked = ["git", "log", "-1", "--format=%ct"]
    seconds = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return datetime.fromtimestamp(int(seconds), UTC).isoformat()


def main(folder: Path) -> None:
    """Write all bills into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    licences = {(row.name, row.version): row.licence for row in told()}
    for path in (*REQUIREMENTS, *PACKAGE_LOCKS):
        name = re.sub(r"[^a-z0-9]+", "-", name_of(path).removesuffix(path.suffix))
        made = bill(path, licences)
        (folder / f"{name}.cdx.json").write_text(json.dumps(made, indent=1) + "\n")
        sys.stdout.write(f"{folder / f'{name}.cdx.json'}: {len(made['components'])} packages\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
