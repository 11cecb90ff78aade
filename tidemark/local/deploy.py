"""Deploying the Core stack onto the local cloud: a real `cdk bootstrap` and `cdk deploy`, only where it changed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

from infra import bundles
from tidemark import settings
from tidemark.deployment.cdk import QUIET, Cdk
from tidemark.errors import TidemarkError
from tidemark.local import stores
from tidemark.local.home import ROOT, Home, write_atomically
from tidemark.local.services import REGION, aws_environment

Say = Callable[[str], None]


class Deployment:
    """The stack on one emulator."""

    def __init__(self, home: Home, redis_url: str, say: Say) -> None:
        self._home = home
        plain = ("--no-asset-metadata", "--no-path-metadata")
        self._cdk = Cdk(aws_environment(home, home.port("ministack")), home.logs, (*QUIET, *plain))
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
        self._cdk.run("deploy", stores.STACK, *assembly, "--require-approval", "never", "--method", "direct")
        outputs = stores.outputs(self._home)
        if outputs is None:
            raise TidemarkError("the stack was deployed and is not there")
        write_atomically(self._home.deployed_file, json.dumps({"digest": wanted}))
        return outputs

    def _digest(self, built: Path) -> str:
        hasher = hashlib.sha256(built.name.encode())
        for path in [*sorted((ROOT / "infra" / "cdk").glob("*.py")), ROOT / "cdk.json"]:
            hasher.update(path.read_bytes())
        told = [asdict(settings.load(settings.StoreSettings)), asdict(settings.load(settings.RetentionSettings))]
        hasher.update(json.dumps([self._redis_url, *told]).encode())
        return hasher.hexdigest()

    def _deployed(self) -> str | None:
        try:
            return str(json.loads(self._home.deployed_file.read_text())["digest"])
        except (FileNotFoundError, ValueError, KeyError):
            return None

    def _synth(self, built: Path) -> None:
        self._cdk.synth(self._assembly, {"bundles": str(built), "redis_url": self._redis_url})

    def _bootstrap(self) -> None:
        account = stores.client(self._home, "sts").get_caller_identity()["Account"]
        # From a folder without a cdk.json: bootstrapping needs no app, and would synthesise ours.
        self._cdk.run("bootstrap", f"aws://{account}/{REGION}", cwd=self._home.run)
