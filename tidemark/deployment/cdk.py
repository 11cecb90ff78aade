"""The CDK's own command, run the same way for the local cloud and for AWS."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tidemark.errors import TidemarkError

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
TOOL = ROOT / "infra" / "cdk" / "node_modules" / "aws-cdk" / "bin" / "cdk"
QUIET = ("--ci", "--no-color", "--no-notices", "--no-version-reporting")
SHOWN_LINES = 12
Listen = Callable[[str], None]


class Cdk:
    """Runs `cdk VERB …`. `environment`: what its processes see beside this one's; `logs`: where each run is written.

    `words` are given to every run.
    """

    def __init__(self, environment: Mapping[str, str], logs: Path, words: tuple[str, ...] = QUIET) -> None:
        self._environment = {**os.environ, **environment, "PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}"}
        self._logs = logs
        self._words = words

    def run(
        self,
        verb: str,
        *words: str,
        cwd: Path = ROOT,
        listen: Listen | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> str:
        """What the command printed; `listen` is told each line as it comes, `environment` is what this run sees more.

        Raises TidemarkError with the tool's last words where it fails.
        """
        self._logs.mkdir(parents=True, exist_ok=True)
        log = self._logs / f"cdk-{verb}.log"
        command = [str(BIN / "node"), str(TOOL), verb, *words, *self._words]
        lines: list[str] = []
        with log.open("w") as written:
            process = subprocess.Popen(
                command,
                cwd=cwd,
                env={**self._environment, **(environment or {})},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            assert process.stdout is not None
            for line in process.stdout:
                written.write(line)
                lines.append(line.rstrip())
                if listen:
                    listen(line.rstrip())
        if process.wait():
            told = "\n".join(line for line in lines[-SHOWN_LINES:] if line)
            raise TidemarkError(f"cdk {verb} failed ({log}):\n{told}")
        return "\n".join(lines)

    def synth(
        self,
        into: Path,
        context: Mapping[str, str],
        listen: Listen | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Synthesise the app into a folder."""
        app = f"{sys.executable} -m infra.cdk.app"
        given = [word for name, value in context.items() if value for word in ("-c", f"{name}={value}")]
        self.run("synth", "--quiet", "--app", app, "-o", str(into), *given, listen=listen, environment=environment)


def templates(assembly: Path) -> dict[str, dict[str, Any]]:
    """A synthesised app's templates, by the names of their stacks, in the order in which they are deployed."""
    manifest = json.loads((assembly / "manifest.json").read_text())["artifacts"]
    stacks = {name: found for name, found in manifest.items() if found["type"] == "aws:cloudformation:stack"}
    ordered: list[str] = []

    def place(name: str) -> None:
        for other in stacks[name].get("dependencies", []):
            if other in stacks:
                place(other)
        if name not in ordered:
            ordered.append(name)

    for name in stacks:
        place(name)
    return {name: json.loads((assembly / stacks[name]["properties"]["templateFile"]).read_text()) for name in ordered}
