"""Fuzz some targets for a while each, one after the other, and keep what reached something new.

    .venv-fuzz/bin/python -m tests.fuzz [TARGET …] [--seconds 3600]

What the fuzzer invents lies in `.tools/fuzz/TARGET`; at the end the fewest and smallest inputs that reach as much are
kept in `corpus/TARGET`. An input that does what it must not is laid into `found/TARGET`, where the tests find it.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from tests.fuzz import targets
from tests.trust import tell

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
WORK = ROOT / ".tools" / "fuzz"
COMPILED = "tidemark.cubes.kernels"  # by Numba, which cannot read what counts lines
AT_ONCE_S = 900  # in one process: the fuzzer's own memory grows, by some 80 bytes an input
KEPT_BYTES = 250_000  # of the corpus of one target
_TRIED = re.compile(r"stat::number_of_executed_units:\s*(\d+)")


class Fuzzed(NamedTuple):
    """What came of fuzzing a target: `inputs` tried in `seconds`, and how many of them did what they must not."""

    inputs: int
    seconds: int
    crashes: int


def fuzz(name: str, seconds: int) -> Fuzzed:
    """Try inputs for that long, or until one is found that does what it must not."""
    target, work = targets.load(name), WORK / name
    work.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(target.seeds()):
        (work / f"seed-{number}").write_bytes(seed)
    found = HERE / "found" / name
    found.mkdir(parents=True, exist_ok=True)
    before = set(found.iterdir())
    began = time.monotonic()
    tried, crashes, took = 0, 0, 0
    while took < seconds and not crashes:
        done = _run(
            target,
            *(str(work), *(str(folder) for folder in (HERE / "corpus" / name, found) if folder.is_dir())),
            f"-max_total_time={min(seconds - took, AT_ONCE_S)}",
            *(f"-artifact_prefix={found}/", "-print_final_stats=1"),
        )
        took = int(time.monotonic() - began)
        crashes = len(set(found.iterdir()) - before)
        if done.returncode and not crashes:
            raise SystemExit(f"{name}: the fuzzer ended by itself:\n{done.stdout[-4_000:]}")
        tried += sum(int(number) for number in _TRIED.findall(done.stdout)[-1:])
    if crashes:
        print(done.stdout[-6_000:])  # noqa: T201
    return Fuzzed(tried, took, crashes)


def keep(name: str) -> None:
    """The fewest inputs that reach as much as all that were tried, the small ones first."""
    target, corpus = targets.load(name), HERE / "corpus" / name
    with tempfile.TemporaryDirectory(dir=WORK) as folder:
        done = _run(target, "-merge=1", folder, *(str(one) for one in (corpus, WORK / name) if one.is_dir()))
        kept = sorted(Path(folder).iterdir(), key=lambda path: path.stat().st_size)
        if done.returncode or not kept:
            raise SystemExit(f"{name}: its corpus cannot be merged:\n{done.stdout[-4_000:]}")
        shutil.rmtree(corpus, ignore_errors=True)
        corpus.mkdir(parents=True)
        room = KEPT_BYTES
        for path in kept:
            content = path.read_bytes()
            room -= len(content)
            if room < 0:
                break
            (corpus / hashlib.sha256(content).hexdigest()[:16]).write_bytes(content)


def _run(target: targets.Target, *arguments: str) -> subprocess.CompletedProcess[str]:
    limits = (f"-timeout={target.seconds}", f"-rss_limit_mb={target.megabytes}", f"-max_len={target.most}")
    command = [sys.executable, "-m", "tests.fuzz", "--inside", target.name, *limits, *arguments]
    return subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "TZ": "UTC"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )


def inside(name: str, arguments: list[str]) -> None:
    """In the fuzzer's own process: lead it by the lines of the target's modules."""
    import atheris

    with atheris.instrument_imports(include=list(targets.MODULES[name]), exclude=[COMPILED]):
        check = targets.load(name).check
    again = WORK / f"{name}.sh"  # what libFuzzer starts where it merges
    again.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m tests.fuzz --inside {name} "$@"\n')
    again.chmod(0o755)
    atheris.Setup([str(again), *arguments], check, enable_python_coverage=True)
    atheris.Fuzz()


def main() -> None:
    """See above."""
    if sys.argv[1:2] == ["--inside"]:
        inside(sys.argv[2], sys.argv[3:])
        return
    asked = argparse.ArgumentParser(description="Fuzz what comes from outside.")
    asked.add_argument("targets", nargs="*", default=list(targets.NAMES), help="; ".join(targets.NAMES))
    asked.add_argument("--seconds", type=int, default=3_600, help="for each target")
    asked.add_argument("--keep", action=argparse.BooleanOptionalAction, default=True, help="what reached something new")
    given = asked.parse_args()
    worst = 0
    for name in given.targets:
        seen = fuzz(name, given.seconds)
        print(f"{name}: {seen.inputs:,} inputs in {seen.seconds:,} s, {seen.crashes} found wrong", flush=True)  # noqa: T201
        tell(f"fuzzed {name}", **seen._asdict())
        worst = max(worst, seen.crashes)
        if given.keep and not seen.crashes:
            keep(name)
    sys.exit(min(worst, 1))


if __name__ == "__main__":
    main()
