"""Following a Dockerfile without Docker: its stages become folders, its steps are run as they are written.

An absolute path of the image is one below the stage's folder. What needs an engine is left out and told: `USER`, and
the user that it names.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from infra.images import ROOT, Image

PLACES = ("/opt", "/srv", "/tmp", "/web", "/home")  # names within an image


class Step(NamedTuple):
    """An instruction and what is said after it."""

    word: str
    rest: str


class Made(NamedTuple):
    """A stage that was followed: its folder, its variables, and where its commands are run."""

    folder: Path
    environment: dict[str, str]
    workdir: Path

    def run(self, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """A command as a container of the stage would run it."""
        return subprocess.run(
            command,
            cwd=self.workdir,
            env={**self.environment, **variables},
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )


def steps(image: Image) -> list[Step]:
    """The instructions of an image's Dockerfile."""
    text = re.sub(r"\\\n\s*", " ", (ROOT / image.file).read_text())
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [Step(word.upper(), rest.strip()) for word, _, rest in (line.partition(" ") for line in lines)]


def context(image: Image, into: Path) -> Path:
    """What Docker would be given: the files that the image's ignore file lets through."""
    for name in image.contents():
        (into / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, into / name)
    return into


def follow(image: Image, below: Path, path: str, *, stages: Mapping[str, Path] | None = None) -> Made:
    """Follow all of it. `path`: where `python`, `node` and `npm` of the image's base are found."""
    given = context(image, below / "context")
    made: dict[str, Made] = {}
    now = Made(below, {}, below)
    for number, step in enumerate(steps(image)):
        if step.word == "FROM":
            name = step.rest.split(" AS ")[1] if " AS " in step.rest else "last"
            folder = below / f"{number}-{name}"
            folder.mkdir()
            now = made[name] = Made(folder, {**_machines(), "PATH": path}, folder)
        elif step.word == "WORKDIR":
            now = now._replace(workdir=_inside(now.folder, step.rest))
            now.workdir.mkdir(parents=True, exist_ok=True)
            made[next(name for name, other in made.items() if other.folder == now.folder)] = now
        elif step.word == "COPY":
            _copy(step.rest, now, made, given)
        elif step.word == "ENV":
            for pair in shlex.split(step.rest):
                key, _, value = pair.partition("=")
                value = _within(now.folder, value).replace("$PATH", now.environment["PATH"])
                now.environment[key] = value
        elif step.word == "RUN" and not step.rest.startswith("useradd"):
            done = now.run("/bin/sh", "-euc", _within(now.folder, step.rest))
            told = [line for line in (done.stdout + done.stderr).splitlines() if "WARNING" not in line]
            assert done.returncode == 0, "\n".join([step.rest, *told[-30:]])
    return now


def said(image: Image, word: str) -> list[str]:
    """What the image's `CMD`, or the command of its `HEALTHCHECK`, is."""
    (rest,) = [step.rest for step in steps(image) if step.word == word]
    found: list[str] = json.loads(rest[rest.index("[") :])
    return found


def _machines() -> dict[str, str]:
    """This machine's variables, by which its programs find the package indexes; none of Python's or of ours."""
    ours = ("PYTHON", "VIRTUAL_ENV", "TIDEMARK_", "AWS_")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)}


def _copy(rest: str, now: Made, made: dict[str, Made], given: Path) -> None:
    source = given
    if rest.startswith("--from="):
        stage, _, rest = rest.removeprefix("--from=").partition(" ")
        source = made[stage].folder
    *names, place = rest.split()
    for name in names:
        found = source / name.lstrip("/")
        into = _inside(now.folder, place) if place.startswith("/") else now.workdir / place
        if found.is_dir():
            shutil.copytree(found, into, symlinks=True, dirs_exist_ok=True)
            _move(into, source, now.folder)
        else:
            target = into / found.name if place.endswith("/") else into
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(found, target)


def _move(folder: Path, before: Path, after: Path) -> None:
    """Scripts of a virtual environment name the place where it was made: here that is another than in the image."""
    for script in (folder / "bin").glob("*") if (folder / "bin").is_dir() else ():
        if script.is_file() and not script.is_symlink() and script.stat().st_size < 100_000:
            content = script.read_bytes()
            if os.fsencode(before) in content:
                script.write_bytes(content.replace(os.fsencode(before), os.fsencode(after)))


def _inside(folder: Path, place: str) -> Path:
    return folder / place.lstrip("/")


def _within(folder: Path, text: str) -> str:
    """The text with the image's absolute paths below a folder."""
    places = "|".join(place.lstrip("/") for place in PLACES)
    return re.sub(rf"(?<![\w./])/({places})(?=[/\s:'\"]|$)", rf"{folder}/\1", text)
