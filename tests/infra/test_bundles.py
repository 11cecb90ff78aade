"""The Lambda bundles: small, whole, quick to start. Each is built as it is deployed."""

from __future__ import annotations

import secrets
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from infra import bundles
from tidemark.errors import TidemarkError

# Imports that would cost an ingest Lambda its quick start.
TOO_HEAVY = {"boto3", "fastapi", "pydantic", "tensorflow", "redis", "httpx", "asyncio", "pandas", "duckdb"}
MODULES_AT_MOST = 900
SETTINGS = dict.fromkeys(
    (
        "TIDEMARK_LEDGER_TABLE",
        "TIDEMARK_CELLS_TABLE",
        "TIDEMARK_HISTORY_TABLE",
        "TIDEMARK_QUARANTINE_TABLE",
        "TIDEMARK_FEEDBACK_TABLE",
        "TIDEMARK_RUNS_TABLE",
        "TIDEMARK_LAKE_BUCKET",
        "TIDEMARK_ARCHIVE_FAILED_QUEUE",
        "TIDEMARK_PUBLISH_FAILED_QUEUE",
        "TIDEMARK_ARCHIVE_FUNCTION",
        "TIDEMARK_PUBLISH_FUNCTION",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
    ),
    "x",
)


@pytest.fixture(scope="module")
def built() -> Path:
    return bundles.build("local")


def imported(bundle: Path, name: str) -> set[str]:
    """The modules that a handler imports, in a Python that has nothing but its bundle."""
    code = f"import sys; sys.path.insert(0, {str(bundle)!r}); import functions.{name}.handler; print(*sys.modules)"
    environment = {
        **SETTINGS,
        "TIDEMARK_PERSON_KEY": secrets.token_hex(32),
        "AWS_DEFAULT_REGION": "eu-west-1",
        "PATH": "/usr/bin:/bin",
    }
    done = subprocess.run(
        [sys.executable, "-S", "-E", "-c", code],
        cwd=bundle,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return set(done.stdout.split())


@pytest.mark.parametrize("name", [name for name in bundles.FUNCTIONS if name != "authorize"])
def test_a_handler_starts_from_its_bundle_alone(built: Path, name: str) -> None:
    assert f"functions.{name}.handler" in imported(built / name, name)


def test_a_bundle_holds_none_of_its_siblings(built: Path) -> None:
    for name in bundles.FUNCTIONS:
        own = {path.name for path in (built / name / "functions").iterdir() if path.is_dir()} - {"__pycache__"}
        assert own == {name}
    assert not (built / "ingest" / "fastapi").exists()
    assert not (built / "api" / "numpy").exists()
    assert not (built / "ingest" / "tidemark" / "kpis.py").exists()


def test_ingest_imports_no_more_than_its_budget(built: Path) -> None:
    modules = imported(built / "ingest", "ingest")
    assert not {module.split(".")[0] for module in modules} & TOO_HEAVY
    assert len(modules) <= MODULES_AT_MOST


def test_what_prices_houses_has_nothing_of_what_trains(built: Path) -> None:
    trains = {"scipy", "lightgbm", "sklearn", "pandas"}
    held = {path.name.split("-")[0].removesuffix(".py") for path in (built / "predict").iterdir()}
    modules = imported(built / "predict", "predict")
    assert not {name.split("_")[0] for name in held} & {*trains, "scikit"}
    assert not {module.split(".")[0] for module in modules} & (TOO_HEAVY | trains)
    assert len(modules) <= MODULES_AT_MOST


def test_what_keeps_the_policy_holds_what_it_imports_and_nothing_else(built: Path) -> None:
    modules = imported(built / "retain", "retain")
    own = {
        ".".join(path.relative_to(built / "retain").with_suffix("").parts).removesuffix(".__init__")
        for folder in ("tidemark", "functions")
        for path in (built / "retain" / folder).rglob("*.py")
    }
    ours = {name for name in modules if name.split(".")[0] in ("tidemark", "functions")}
    assert ours | {"tidemark", "functions"} == own | {"tidemark", "functions"}
    held = {path.name.split("-")[0].removesuffix(".py") for path in (built / "retain").iterdir()}
    assert not {*held, *(module.split(".")[0] for module in modules)} & {*TOO_HEAVY, "numpy", "pyarrow"} - {"asyncio"}


@pytest.mark.parametrize("name", ["ingest", "predict"])
def test_a_bundle_on_a_quick_path_is_small_and_compiled(built: Path, tmp_path: Path, name: str) -> None:
    bundle = built / name
    with zipfile.ZipFile(tmp_path / "b.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for path in bundle.rglob("*"):
            if path.is_file():
                archive.write(path, path.relative_to(bundle))
    assert (tmp_path / "b.zip").stat().st_size <= 30_000_000
    assert list((bundle / "functions" / name / "__pycache__").glob("handler.*.pyc"))


def test_bundles_are_built_once_whole_and_old_ones_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []

    def build_one(name: str, target: str, into: Path) -> None:
        into.mkdir(parents=True)
        made.append(name)
        if len(made) == 3:
            raise TidemarkError("no network")

    monkeypatch.setattr(bundles, "_build_one", build_one)
    old, aws = tmp_path / "local-0123", tmp_path / "aws-0123"
    old.mkdir()
    aws.mkdir()
    with pytest.raises(TidemarkError, match="no network"):
        bundles.build("local", tmp_path)
    assert sorted(tmp_path.iterdir()) == [aws, old]
    built = bundles.build("local", tmp_path)
    assert sorted(tmp_path.iterdir()) == sorted([aws, built])
    assert {path.name for path in built.iterdir()} == set(bundles.FUNCTIONS)
    assert bundles.build("local", tmp_path) == built
    assert len(made) == 3 + len(bundles.FUNCTIONS)


def test_bundles_that_another_built_in_the_meantime_are_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / f"local-{bundles.digest('local')[:16]}"
    monkeypatch.setattr(bundles, "_build_one", lambda *_: (folder / "another").mkdir(parents=True, exist_ok=True))
    assert bundles.build("local", tmp_path) == folder
    assert [path.name for path in folder.iterdir()] == ["another"]
