"""What is installed is what was looked at: locked, pinned, under licences that are allowed; no secret is committed."""

from __future__ import annotations

import json
import re
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from infra.supply import audit, licences, locks, sbom
from infra.supply.audit import Ignored, Unanswered, Vulnerable
from infra.supply.licences import Row
from tests import trust

ROOT = locks.ROOT
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
DOCKERFILES = sorted((ROOT / "infra" / "images").glob("*/Dockerfile"))
USES = re.compile(r"^\s*-?\s*uses:\s*(?P<action>\S+)(?:\s+#\s*(?P<tag>\S+))?", re.MULTILINE)
PINNED = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}")
BASE = re.compile(r"^FROM (?:--\S+ )?(?P<image>\S+)", re.MULTILINE)
IMAGE = re.compile(r"[\w./-]+:\d+\.\d+[\w.-]*")
# Where a package is fetched from; npm's locks tell of other addresses too, as of whom one may pay.
HOST = re.compile(r"--(?:extra-)?index-url|--find-links| @ \w+://|\"resolved\": \"\w+://|^\w+\+?\w*://", re.MULTILINE)
BASELINE = ROOT / ".secrets.baseline"
PAGE = ROOT / "docs" / "supply-chain.md"


def uses() -> list[re.Match[str]]:
    return [found for path in WORKFLOWS for found in USES.finditer(path.read_text())]


def test_every_package_is_locked_by_version_and_hash_and_no_lock_names_a_registry() -> None:
    hashes: set[str] = set()
    packages: set[tuple[str, str]] = set()
    for path in (*locks.REQUIREMENTS, *locks.PACKAGE_LOCKS):
        assert not HOST.search(path.read_text()), locks.name_of(path)
        some = list(locks.npm(path) if path.suffix == ".json" else locks.python(path))
        assert some, locks.name_of(path)
        for package in some:
            assert package.hashes, (locks.name_of(path), package.name)
            packages.add((package.name, package.version))
            hashes |= {digest for _, digest in package.hashes}
    assert {path.parent for path in locks.PACKAGE_LOCKS} == {
        path.parent for path in ROOT.rglob("package-lock.json") if "node_modules" not in path.parts
    }
    images = {found["image"] for path in DOCKERFILES for found in BASE.finditer(path.read_text())}
    trust.tell(
        "locks",
        packages=len(packages),
        locks=len(locks.REQUIREMENTS) + len(locks.PACKAGE_LOCKS),
        hashes=len(hashes),
        actions=len(uses()),
        images=len(images),
        refused=sum(licences.refused(row) for row in licences.told()),
    )


def test_every_group_has_its_lock() -> None:
    groups = re.search(r"^GROUPS := (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert groups is not None
    assert {path.stem for path in locks.REQUIREMENTS} == {*groups[1].split(), "localstack"}


def test_every_action_is_pinned_by_its_commit_and_says_its_version() -> None:
    found = uses()
    assert found
    for one in found:
        assert PINNED.fullmatch(one["action"]), one["action"]
        assert one["tag"], one["action"]
        assert re.fullmatch(r"v\d+\.\d+\.\d+", one["tag"]), one[0]
    versions = {one["action"]: one["tag"] for one in found}
    assert len({action.partition("@")[0] for action in versions}) == len(versions), "one version of each"


def test_no_workflow_may_write_but_where_it_says_so() -> None:
    for path in WORKFLOWS:
        text = path.read_text()
        assert re.search(r"^permissions:\n  contents: read$", text, re.MULTILINE), path.name
        assert "pull_request_target" not in text
        assert "write-all" not in text
        assert text.count("persist-credentials: false") == text.count("actions/checkout@")


def test_every_base_image_is_pinned_by_digest_and_those_of_compose_by_their_tag() -> None:
    for path in DOCKERFILES:
        for found in BASE.finditer(path.read_text()):
            name, _, digest = found["image"].partition("@sha256:")
            assert IMAGE.fullmatch(name), found["image"]
            assert re.fullmatch(r"[0-9a-f]{64}", digest), found["image"]
    images = re.findall(r"^ *image: (\S+)$", (ROOT / "compose.yaml").read_text(), re.MULTILINE)
    assert images
    assert all(IMAGE.fullmatch(image.partition("@")[0]) for image in images), images


def test_every_package_has_a_licence_on_the_page_that_is_allowed() -> None:
    told = licences.told()
    assert {(row.name, row.version, row.shipped) for row in told} == {
        (package.name, package.version, shipped) for package, shipped in licences.locked().items()
    }, "run `make licences`"
    assert licences.page(told) == licences.PAGE.read_text(), "run `make licences`"
    assert [row for row in told if licences.refused(row)] == []


def test_the_page_says_of_what_is_installed_here_what_that_says_itself() -> None:
    here = licences.installed([ROOT / ".venv"])
    versions = Counter(row.name for row in licences.told())
    # Of a package that has a version for each Python, this one's may be another than that the page was written with.
    told = {(row.name, row.version): row.licence for row in licences.told() if versions[row.name] == 1}
    assert len(here) > 200
    assert {
        package: (told[package], licence)
        for package, licence in here.items()
        if package in told and package[0] not in licences.READ and told[package] != licence
    } == {}


@pytest.mark.parametrize(
    ("licence", "shipped", "expected"),
    [
        ("MIT", True, False),
        ("MIT OR GPL-3.0-only", True, False),
        ("MIT AND GPL-3.0-only", True, True),
        ("MPL-2.0 AND (Apache-2.0 OR MIT)", True, False),
        ("LGPL-2.1-only", True, True),
        ("LGPL-2.1-only", False, False),
        ("AGPL-3.0-only", False, True),
        ("", False, True),
    ],
)
def test_a_licence_that_is_not_allowed_is_refused(licence: str, shipped: bool, expected: bool) -> None:
    assert licences.refused(Row("a", "1", licence, shipped)) is expected


@pytest.mark.parametrize("path", [ROOT / "requirements" / "fn-ingest.txt", locks.PACKAGE_LOCKS[0]], ids=locks.name_of)
def test_a_bill_of_materials_has_every_package_with_hash_and_licence(path: Path) -> None:
    told = {(row.name, row.version): row.licence for row in licences.told()}
    made = sbom.bill(path, told)
    assert (made["bomFormat"], made["specVersion"]) == ("CycloneDX", "1.6")
    assert json.dumps(made) == json.dumps(sbom.bill(path, told)), "alike for the same state"
    packages = set(locks.npm(path) if path.suffix == ".json" else locks.python(path))
    assert {(one["name"], one["version"]) for one in made["components"]} == {(p.name, p.version) for p in packages}
    refs = [one["bom-ref"] for one in made["components"]]
    assert len(set(refs)) == len(refs)
    for one in made["components"]:
        assert one["purl"].startswith(("pkg:pypi/", "pkg:npm/"))
        assert one["licenses"][0]
        assert one.get("hashes") or one["properties"]


# -- the audit: what services have answered, and what must not be taken for a clean answer

VULNERABLE = {
    "dependencies": [
        {"name": "idna", "version": "3.10", "vulns": []},
        {
            "name": "jinja2",
            "version": "2.10",
            "vulns": [{"id": "PYSEC-2019-217", "aliases": ["CVE-2019-10906"], "fix_versions": ["2.10.1"]}],
        },
    ]
}
SKIPPED = {"dependencies": [{"name": "jinja2", "skip_reason": "Dependency not found on PyPI and could not be audited"}]}
NPM = {
    "auditReportVersion": 2,
    "vulnerabilities": {
        "ws": {
            "via": [{"url": "https://github.com/advisories/GHSA-3h5v-q93c-6h6q", "range": ">=8.0.0 <8.17.1"}],
            "fixAvailable": True,
        },
        "engine.io": {"via": ["ws"], "fixAvailable": True},
    },
}
REFUSED = {"message": "405 Method Not Allowed - POST", "statusCode": 405}
PUT_UP_WITH = """
[[ignored]]
advisory = "CVE-2019-10906"
package = "jinja2"
reason = "no template comes from outside"
until = 2027-03-31
"""


def test_what_is_vulnerable_is_told_unless_it_is_put_up_with() -> None:
    (found,) = audit.read_pip_audit(VULNERABLE, 2)
    assert found == Vulnerable("jinja2", "2.10", frozenset({"PYSEC-2019-217", "CVE-2019-10906"}), "fixed in 2.10.1")
    assert str(found) == "jinja2 2.10: CVE-2019-10906, PYSEC-2019-217; fixed in 2.10.1"
    (listed,) = audit.ignored(PUT_UP_WITH, date(2026, 11, 29))
    assert listed == Ignored("CVE-2019-10906", "jinja2", "no template comes from outside", date(2027, 3, 31))
    assert audit.unlisted([found], []) == [found]
    assert audit.unlisted([found], [listed]) == []
    assert audit.unlisted([found], [listed._replace(package="idna")]) == [found]
    (npm,) = audit.read_npm_audit(NPM)
    assert (npm.package, npm.names) == ("ws", frozenset({"GHSA-3h5v-q93c-6h6q"}))


@pytest.mark.parametrize(("told", "asked"), [(SKIPPED, 1), (VULNERABLE, 3)], ids=["passed over", "left out"])
def test_a_package_of_which_nobody_answers_is_not_clean(told: dict[str, Any], asked: int) -> None:
    with pytest.raises(Unanswered, match=f"of {asked} Python packages there is no answer"):
        audit.read_pip_audit(told, asked)


def test_npm_that_refuses_is_not_clean() -> None:
    with pytest.raises(Unanswered, match="npm's advisories do not answer: 405 Method Not Allowed"):
        audit.read_npm_audit(REFUSED)


def test_a_service_that_knows_nothing_is_not_clean(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(audit, "ask_python", lambda some: [])
    monkeypatch.setattr(audit, "ask_npm", lambda path: [])
    assert audit.main() == audit.UNKNOWN
    assert "requirements/*.txt: NOT AUDITED: PyPI's advisories do not know jinja2 2.10" in capsys.readouterr().out
    monkeypatch.setattr(
        audit,
        "ask_python",
        lambda some: [Vulnerable("jinja2", "2.10", frozenset(), "")] if audit.CANARY in some else [],
    )
    assert audit.main() == 0


def test_what_is_put_up_with_has_a_reason_and_a_day_that_has_not_passed() -> None:
    audit.ignored(audit.IGNORED.read_text(), date.min)
    with pytest.raises(ValueError, match="was to be looked at again by 2027-03-31"):
        audit.ignored(PUT_UP_WITH, date(2027, 4, 1))
    with pytest.raises(ValueError, match="without a reason"):
        audit.ignored(PUT_UP_WITH.replace("no template comes from outside", " "), date(2026, 11, 29))


def test_every_pin_is_asked_of_once() -> None:
    sets = audit.pins()
    wanted = {(package.name, package.version) for path in locks.REQUIREMENTS for package in locks.python(path)}
    assert set().union(*sets) == wanted
    assert sum(map(len, sets)) == len(wanted)
    for some in sets:
        assert len({name for name, _ in some}) == len(some)


def test_whatever_looks_like_a_secret_and_is_none_is_explained() -> None:
    """`make lint` looks for secrets. Nothing is put up with in a file: the words that are none are on the page."""
    told = json.loads(BASELINE.read_text())
    assert told["results"] == {}
    filters = {one["path"].rpartition(".")[2]: one.get("pattern", []) for one in told["filters_used"]}
    patterns = [*filters["should_exclude_secret"], *filters["should_exclude_file"]]
    explained = re.findall(r"^\| `([^`]+)` \|", PAGE.read_text().partition("## Secrets")[2], re.MULTILINE)
    assert sorted(patterns) == sorted(explained)
