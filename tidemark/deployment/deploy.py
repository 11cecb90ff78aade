"""Deploying: what would change and cost is shown first, the Core stack goes first, and its token before the pages."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

from infra import bundles
from tidemark import keyring, tokens
from tidemark.adapters.secret_keys import READER_LIFETIME, give_reader_token
from tidemark.deployment import emulated, options, stacks
from tidemark.deployment.account import BOOTSTRAP_LEAST, Account, Finding, docker
from tidemark.deployment.cdk import Cdk, templates
from tidemark.errors import Misuse, TidemarkError
from tidemark.settings import variable

FIRST_LIFETIME = timedelta(days=30)
SETTINGS = {
    "ledger_table": "LedgerTable",
    "cells_table": "CellsTable",
    "history_table": "HistoryTable",
    "quarantine_table": "QuarantineTable",
    "runs_table": "RunsTable",
    "lake_bucket": "LakeBucket",
    "token_secret": "TokenSecret",
}
PREFECT_KEY = "PREFECT_API_KEY"
Say = Callable[[str], None]
_EVENT = ("stack", "count", "time", "status", "kind", "name")


@dataclass(frozen=True)
class Wanted:
    """What is to be deployed.

    `told`: options by name, see `options.merge`; `only`: these stacks, all where it is empty.
    """

    told: Mapping[str, str | None] = field(default_factory=dict)
    only: tuple[str, ...] = ()
    change_profile: bool = False


class Ready(NamedTuple):
    """A deployment that was looked at and not yet done."""

    assembly: Path
    names: list[str]
    options: dict[str, str]
    difference: str


class Outcome(NamedTuple):
    """Where everything is, a first token, of the scope `admin`, and what containers elsewhere are told of it.

    `distribution`: CloudFront's own name of the pages, which a domain must point to; empty where they are not deployed.
    """

    urls: dict[str, str]
    token: str
    settings: dict[str, str]
    distribution: str


class Deployment:
    """To one account, from one folder of working files. `now` is told what happens just now, to be shown in passing."""

    def __init__(self, account: Account, folder: Path, say: Say, now: Say = lambda _: None) -> None:
        self._account = account
        self._folder = folder
        self._say = say
        self._now = now
        without_images = account.emulated and docker().state != "ok"
        if without_images:
            say("images are not built: the emulator runs none, and there is no Docker here")
        self._cdk = Cdk({"CDK_DOCKER": "true"} if without_images else {}, folder)

    def check(self) -> list[Finding]:
        """What was found of the account. Raises TidemarkError where something that is needed is missing."""
        found = self._account.findings()
        needed = {"credentials", "region"} | ({"Docker"} if not self._account.emulated else set())
        for finding in found:
            if finding.state == "missing" and finding.what in needed:
                raise TidemarkError(f"{finding.what}: {finding.words}; {finding.remedy}")
        return found

    def prepare(self, wanted: Wanted) -> Ready:
        """Synthesise, and see what would change. Raises Misuse where that is not to be done."""
        there = {stack.name: stack.outputs for stack in stacks.deployed(self._account)}
        before = options.kept(there.get(stacks.CORE, {}))
        told = options.merge(before, wanted.told, change_profile=wanted.change_profile)
        has_key = bool(os.environ.get(PREFECT_KEY)) or "PrefectApi" in there.get(stacks.PIPELINES, {})
        if told.get("prefect_api_url") and not has_key:
            raise Misuse(f"--prefect-api-url: set {PREFECT_KEY}, the key of that API, the first time")
        self._say("synthesising the stacks: " + ", ".join(f"{name} {word}" for name, word in told.items()))
        assembly = self._folder / "cdk.out"
        # The emulator runs Lambdas on its own Python and processor.
        context = {"bundles": str(bundles.build("local"))} if self._account.emulated else {}
        store = {name: told[name] for name in options.STORE if name in told}
        context |= {name: told[name] for name in options.NAMES if name in told}
        self._cdk.synth(assembly, context, environment=store)
        if self._account.emulated:
            for part in emulated.fit(self._account, assembly):
                self._say(f"left out, as {self._account.where} does not know it: {part}")
        made = list(templates(assembly))
        names = [name for name in made if not wanted.only or name in wanted.only]
        if unknown := sorted(set(wanted.only) - set(made)):
            raise Misuse(f"there is no stack {', '.join(unknown)}; there are {', '.join(made)}")
        if self._account.bootstrapped() < BOOTSTRAP_LEAST:
            self._say("bootstrapping the account for the CDK")
            where = f"aws://{self._account.id}/{self._account.region}"
            self._cdk.run("bootstrap", where, cwd=self._folder)  # from a folder without a cdk.json
        self._say("comparing with what is deployed")
        return Ready(assembly, names, told, self._cdk.run("diff", *names, "--app", str(assembly), "--no-change-set"))

    def perform(self, ready: Ready) -> Outcome:
        """Deploy. Raises TidemarkError that says what failed and why; AWS has then rolled that stack back."""
        rest = [name for name in ready.names if name != stacks.CORE]
        if stacks.CORE in ready.names:
            self._deploy(ready, [stacks.CORE])
            self._give_token()
        if rest:
            self._deploy(ready, rest)
        return self.outcome()

    def _deploy(self, ready: Ready, names: list[str]) -> None:
        self._say(f"deploying {', '.join(names)}")
        how = ["--app", str(ready.assembly), "--require-approval", "never", "--exclusively", "--concurrency", "2"]
        if self._account.emulated:
            how += ["--method", "direct"]
        if stacks.PIPELINES in names and ready.options.get("prefect_api_url") and os.environ.get(PREFECT_KEY):
            how += ["--parameters", f"{stacks.PIPELINES}:PrefectKey={os.environ[PREFECT_KEY]}"]
        try:
            self._cdk.run("deploy", *names, *how, listen=self._progress)
        except TidemarkError as error:
            raise TidemarkError(self._why(names) or str(error)) from error

    def _progress(self, line: str) -> None:
        """What came of a resource: what failed, and what became of a stack, stays on the screen."""
        told = [part.strip() for part in line.split(" | ")]
        if len(told) < len(_EVENT) or not told[0].startswith(stacks.NAMES):
            return
        stack, count, _, status, kind, name = told[: len(_EVENT)]
        if status.endswith("FAILED") or kind == "AWS::CloudFormation::Stack":
            self._say(f"{stack}: {status.lower().replace('_', ' ')}: {name}")
        else:
            self._now(f"{stack} {count}: {name}")

    def _why(self, names: list[str]) -> str:
        for stack in stacks.deployed(self._account):
            if stack.name in names and not stack.status.endswith(("CREATE_COMPLETE", "UPDATE_COMPLETE")):
                why = "\n  ".join(stacks.reasons(self._account, stack.name)[:8])
                if why:
                    return f"{stack.name} was not deployed and is {stack.status.lower()}:\n  {why}"
        return ""

    def _give_token(self) -> None:
        """The explorer reads with a token of its own, which is there before it starts."""
        core = self._core(stacks.deployed(self._account))
        give_reader_token(self._account.client("secretsmanager"), core, keyring.read(self._secret(core)))

    def outcome(self) -> Outcome:
        """Where everything is, and a first token."""
        there = stacks.deployed(self._account)
        outputs = {name: value for stack in there for name, value in stack.outputs.items()}
        urls = {name: value for name, value in outputs.items() if name.endswith("Url")}
        core = self._core(there)
        secret = self._secret(core)
        told = {variable(name): core[output] for name, output in SETTINGS.items()}
        told[variable("api_token")] = tokens.mint(secret, "read", name="explorer", lifetime=READER_LIFETIME)
        told["API_ID"] = core["ApiId"]
        first = tokens.mint(secret, "admin", name="first", lifetime=FIRST_LIFETIME)
        return Outcome(urls, first, told, outputs.get("DistributionName", ""))

    @staticmethod
    def _core(there: list[stacks.Deployed]) -> dict[str, str]:
        for stack in there:
            if stack.name == stacks.CORE:
                return stack.outputs
        raise TidemarkError("the Core stack is not deployed")

    def _secret(self, core: Mapping[str, str]) -> str:
        answer = self._account.client("secretsmanager").get_secret_value(SecretId=core["TokenSecret"])
        return str(answer["SecretString"])
