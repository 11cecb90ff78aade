"""A disk that is full: what is there goes on, nothing is lost, and whoever asks is told in words."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.trust import tell
from tidemark.settings import variable

TIDEMARK = str(Path(sys.executable).parent / "tidemark")
DISK = "1300m"  # what is unpacked for the local cloud takes half of it
SALES = 120


class SmallDisk:
    """A disk of its own in a namespace of its own, for which no rights are needed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        mounted = f"mount -t tmpfs -o size={DISK} tmpfs {folder} && echo mounted && exec cat"
        self._holder = subprocess.Popen(
            ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", mounted],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert self._holder.stdout
        self.said = self._holder.stdout.readline().strip()

    def run(self, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """A command that sees the disk."""
        inside = ["nsenter", "--target", str(self._holder.pid), "--user", "--mount", "--preserve-credentials"]
        set_ = [f"{name}={value}" for name, value in variables.items()]
        return subprocess.run([*inside, "env", *set_, *command], capture_output=True, text=True, check=False)

    def fill(self) -> None:
        """Leave no byte of it."""
        self.run("dd", "if=/dev/zero", f"of={self.folder / 'full'}", "bs=64k")

    def free(self) -> None:
        """Give back what filled it."""
        self.run("rm", str(self.folder / "full"))

    def close(self) -> None:
        """It is gone with all that is on it, once no process uses it."""
        self._holder.communicate()


class SmallCloud:
    """A local cloud on it."""

    def __init__(self, disk: SmallDisk) -> None:
        self.disk = disk
        self.home = str(disk.folder / "home")

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """`tidemark WORDS`."""
        done = self.disk.run(TIDEMARK, *words, **{variable("home"): self.home})
        assert "Traceback" not in done.stdout + done.stderr, done.stderr
        return done

    def up(self) -> None:
        started = self.run("up", "--detach", "--only", "core", "--no-simulate")
        assert started.returncode == 0, started.stderr

    def posted(self, first: int) -> Any:
        """The summary of posting sales drawn from a seed of their own."""
        words = ("--source", "rich", "--seed", str(first), "--rate", "1000", "--limit", str(SALES), "--json")
        done = self.run("simulate", *words)
        return json.loads(done.stdout)["statuses"]

    def audit(self, *words: str) -> Any:
        done = self.run("audit", "--json", *words)
        return json.loads(done.stdout)


@pytest.fixture
def small(tmp_path: Path) -> Iterator[SmallCloud]:
    """One without a page."""
    disk = SmallDisk(tmp_path)
    if disk.said != "mounted":
        disk.close()
        pytest.skip(f"this machine gives no namespace of one's own: {disk.said}")
    cloud = SmallCloud(disk)
    try:
        yield cloud
    finally:
        cloud.run("down", "--wipe")
        disk.close()


@pytest.mark.long
@pytest.mark.timeout(600)
def test_a_full_disk_loses_nothing(small: SmallCloud) -> None:
    small.up()
    assert small.posted(1) == {"accepted": SALES}
    small.disk.fill()

    assert small.posted(1) == {"duplicate": SALES}
    taken = small.posted(2).get("accepted", 0)
    refused = small.run("audit")
    assert (refused.returncode, "No space left on device" in refused.stderr) == (1, True), refused.stderr
    refused = small.run("down")
    assert (refused.returncode, "all goes on" in refused.stderr) == (1, True), refused.stderr
    assert small.posted(1) == {"duplicate": SALES}

    small.disk.free()
    assert small.run("down").returncode == 0
    small.up()
    assert small.posted(1) == {"duplicate": SALES}
    assert small.posted(2) == {
        status: count for status, count in (("accepted", SALES - taken), ("duplicate", taken)) if count
    }
    small.audit("--repair")  # the emulator says that it took objects that it could not write: they were in memory alone
    found = small.audit()
    assert found["counters"]["tickets"] == 2 * SALES
    wrong = len(found["counters"]["differences"])
    wrong += sum(len(found["lake"][name]) for name in ("missing", "different", "unknown"))
    tell("full disk", sales=found["counters"]["tickets"], meanwhile=taken, differences=wrong)
    assert wrong == 0
