"""A wrong call gets one clear line and an exit code."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.cloud import TIDEMARK
from tidemark import settings
from tidemark.errors import SettingsError


def call(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "TIDEMARK_HOME": str(home), "COLUMNS": "200"}
    return subprocess.run([str(TIDEMARK), *words], env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["fly"], 2, "No such command 'fly'"),
        (["simulate", "--wings"], 2, "No such option: --wings"),
        (["simulate", "--rate", "5", "--max"], 2, "exclude each other"),
        (["simulate", "--rate", "-1"], 2, "--rate: expected more than 0"),
        (["simulate", "--faults", "fire=1"], 2, "there is no fault 'fire'"),
        (["simulate", "--max"], 1, "not running here"),
        (["up", "--only", "roof"], 2, "there is no part roof"),
        (["status"], 1, "not running here"),
        (["audit"], 1, "not running here"),
        (["token", "everything"], 2, "there is no scope 'everything'"),
        (["data", "fetch", "moon.csv"], 2, "there is no data file 'moon.csv'"),
        (["bench", "patience"], 2, "there is no benchmark 'patience'"),
        (["model", "check", "nothing.model"], 2, "nothing.model: No such file or directory"),
        (["model", "check", __file__], 1, "this file is no sales model, or only a part of one"),
        (["model", "tell", __file__], 2, "test_cli.py, line 1: Expected `object`"),
        (["model", "rollback"], 1, "not running here"),
        (["model", "rollback", "weather"], 2, "there is no model 'weather'; there are sales, demand"),
        (["train"], 1, "not running here"),
    ],
)
def test_a_wrong_call(tmp_path: Path, words: list[str], code: int, message: str) -> None:
    done = call(tmp_path, *words)
    assert done.returncode == code
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr


def test_down_where_nothing_runs_is_no_error(tmp_path: Path) -> None:
    done = call(tmp_path, "down")
    assert (done.returncode, done.stderr) == (0, "nothing was running\n")


def test_a_home_that_cannot_be_written_is_said_to_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = call(tmp_path / "file", "up", "--detach")
    assert done.returncode == 1
    assert "cannot be written" in done.stderr


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({}, "missing required field TIDEMARK_LAKE_BUCKET"),
        ({"TIDEMARK_LAKE_BUCKET": "b"}, ""),
    ],
)
def test_a_missing_setting_is_named(environment: dict[str, str], message: str) -> None:
    if message:
        with pytest.raises(SettingsError, match=message):
            settings.load(settings.ArchiveSettings, environment)
    else:
        assert settings.load(settings.ArchiveSettings, environment).lake_bucket == "b"


def test_a_setting_that_makes_no_sense_is_named() -> None:
    with pytest.raises(SettingsError, match="TIDEMARK_STORE_OPENS"):
        settings.load(settings.StoreSettings, {"TIDEMARK_STORE_OPENS": "noon"})
    with pytest.raises(SettingsError, match="TIDEMARK_STORE_CLOSES"):
        settings.load(settings.StoreSettings, {"TIDEMARK_STORE_OPENS": "22"}).store()
