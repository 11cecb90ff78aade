"""Deploying the Core stack onto the local cloud: a real `cdk bootstrap` and `cdk deploy`, only where it changed."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

from infra import bundles
from tidemark import settings
from tidemark.errors import TidemarkError
from tidemark.local import stores
from tidemark.local.home import ROOT, Home, write_atomically
from tidemark.local.services import BIN, REGION, aws_environment

CDK = ROOT / "infra" / "cdk" / "node_modules" / "aws-cdk" / "bin" / "cdk"
Say = Callable[[str], None]


class Deployment:
    """The stack on one emulator."""

    def __init__(self, home: Home, redis_url: str, say: Say) -> None:
        self._home = home
        self._aws = aws_environment(home, home.port("ministack"))
        self._redis_url = redis_url
        self._say = say
        self._assembly = home.path / "cdk.out"

    def ensure(self) -> dict[str, str]:
        """The stack's outputs, after deploying it where what is deployed is not what is here.

        Raises TidemarkError with the tool's own words where that fails.
        """
        self._say("bundling the Lambdas")
        built = bundles.build("local")
        wanted = self._digest(built)
        outputs = stores.outputs(self._home)
        if outputs is not None and self._deployed() == wanted:
            self._say("nothing changed: not deployed again")
            return outputs
        self._home.deployed_file.unlink(missing_ok=True)
        self._say("cdk synth" if outputs else "cdk bootstrap, cdk synth")
        with ThreadPoolExecutor() as side_by_side:
            steps = [side_by_side.submit(self._synth, built)]
            if outputs is None:
                steps.append(side_by_side.submit(self._bootstrap))
            for step in steps:
                step.result()
        self._say("cdk deploy")
        assembly = ("--app", str(self._assembly))
        self._cdk("deploy", stores.STACK, *assembly, "--require-approval", "never", "--method", "direct")
        outputs = stores.outputs(self._home)
        if outputs is None:
            raise TidemarkError("the stack was deployed and is not there")
        write_atomically(self._home.deployed_file, json.dumps({"digest": wanted}))
        return outputs

    def _digest(self, built: Path) -> str:
        hasher = hashlib.sha256(built.name.encode())
        for path in [*sorted((ROOT / "infra" / "cdk").glob("*.py")), ROOT / "cdk.json"]:
            hasher.update(path.read_bytes())
        hasher.update(json.dumps([self._redis_url, asdict(settings.load(settings.StoreSettings))]).encode())
        return hasher.hexdigest()

    def _deployed(self) -> str | None:
        try:
            return str(json.loads(self._home.deployed_file.read_text())["digest"])
        except (FileNotFoundError, ValueError, KeyError):
            return None

    def _synth(self, built: Path) -> None:
        context = ("-c", f"bundles={built}", "-c", f"redis_url={self._redis_url}")
        self._cdk(
            "synth", "--quiet", "--app", f"{sys.executable} -m infra.cdk.app", "-o", str(self._assembly), *context
        )

    def _bootstrap(self) -> None:
        account = stores.client(self._home, "sts").get_caller_identity()["Account"]
        # From a folder without a cdk.json: bootstrapping needs no app, and would synthesise ours.
        self._cdk("bootstrap", f"aws://{account}/{REGION}", cwd=self._home.run)

    def _cdk(self, verb: str, *words: str, cwd: Path = ROOT) -> None:
        log = self._home.logs / f"cdk-{verb}.log"
        command = [str(BIN / "node"), str(CDK), verb, *words, "--ci", "--no-color", "--no-notices"]
        command += ["--no-version-reporting", "--no-asset-metadata", "--no-path-metadata"]
        environment = {**os.environ, **self._aws, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
        with log.open("w") as out:
            result = subprocess.run(command, cwd=cwd, env=environment, stdout=out, stderr=out, check=False)
        if result.returncode:
            raise TidemarkError(f"cdk {verb} failed ({log}):\n{_last_lines(log)}")


def _last_lines(path: Path, count: int = 8) -> str:
    return "\n".join(path.read_text(errors="replace").splitlines()[-count:])
