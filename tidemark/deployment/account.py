"""The AWS account that the environment names: is it there, and may it hold a deployment."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import Any, Literal, NamedTuple

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from tidemark.errors import TidemarkError

BOOTSTRAP = "/cdk-bootstrap/hnb659fds/version"
BOOTSTRAP_LEAST = 21
# Quotas that a deployment may run into: service, code, what it is, and how much is wanted.
QUOTAS = (
    ("lambda", "L-B99A9384", "Lambdas at once", 100),
    ("fargate", "L-3032A538", "Fargate processors", 6),
    ("fargate", "L-36FBB829", "Fargate Spot processors", 6),
    ("vpc", "L-F678F1CE", "VPCs in a region", 2),
)
State = Literal["ok", "missing", "unknown"]


class Finding(NamedTuple):
    """What was looked at, how it is, and what to do where it is not as it should be."""

    what: str
    state: State
    words: str
    remedy: str = ""


class Account:
    """Clients of one account and region. `where`: what it is called, AWS or an emulator's address."""

    def __init__(self) -> None:
        self._session = botocore.session.get_session()
        self.region = str(self._session.get_config_variable("region") or "")
        endpoint = os.environ.get("AWS_ENDPOINT_URL", "")
        self.emulated = bool(endpoint)
        self.where = f"the emulator at {endpoint}" if endpoint else f"AWS, {self.region}"
        self._id = ""

    def client(self, service: str, *, attempts: int = 4) -> Any:
        """A client of an AWS service."""
        config = Config(
            retries={"total_max_attempts": attempts, "mode": "standard"}, connect_timeout=5, read_timeout=60
        )
        return self._session.create_client(service, region_name=self.region or "us-east-1", config=config)

    @property
    def id(self) -> str:
        """The account's number. Raises TidemarkError where there are no credentials, or they are refused."""
        if not self._id:
            try:
                self._id = str(self.client("sts").get_caller_identity()["Account"])
            except (BotoCoreError, ClientError) as error:
                raise TidemarkError(f"no AWS account can be reached: {error}") from error
        return self._id

    def findings(self) -> list[Finding]:
        """Whether one can deploy from here, to there: all that can be said, whatever is missing."""
        found = [self._credentials()]
        if not self.region:
            found.append(Finding("region", "missing", "none is set", "set AWS_REGION, for example eu-west-1"))
        else:
            found.append(Finding("region", "ok", self.region))
        if all(finding.state == "ok" for finding in found):
            found.append(self._bootstrap())
            found += [self._quota(*quota) for quota in QUOTAS]
        engine = docker()
        if engine.state == "missing" and self.emulated:
            engine = engine._replace(state="unknown", words=f"{engine.words}, and the emulator runs no images")
        return [*found, engine]

    def _credentials(self) -> Finding:
        try:
            return Finding("credentials", "ok", f"account {self.id}")
        except TidemarkError as error:
            remedy = "set AWS_PROFILE, or run `aws configure sso`; then `aws sts get-caller-identity` must answer"
            return Finding("credentials", "missing", str(error), remedy)

    def bootstrapped(self) -> int:
        """The version of the CDK's bootstrap; 0 where there is none."""
        try:
            return int(self.client("ssm").get_parameter(Name=BOOTSTRAP)["Parameter"]["Value"])
        except (BotoCoreError, ClientError, ValueError):
            return 0

    def _bootstrap(self) -> Finding:
        version = self.bootstrapped()
        if version >= BOOTSTRAP_LEAST:
            return Finding("bootstrap", "ok", f"version {version}")
        words = f"version {version} is older than {BOOTSTRAP_LEAST}" if version else "the CDK's is not there yet"
        return Finding("bootstrap", "ok", f"{words}; `tidemark deploy` sees to it")

    def _quota(self, service: str, code: str, what: str, wanted: int) -> Finding:
        try:
            value = self.client("service-quotas").get_service_quota(ServiceCode=service, QuotaCode=code)
            allowed = float(value["Quota"]["Value"])
        except (BotoCoreError, ClientError) as error:
            return Finding(f"quota: {what}", "unknown", f"cannot be read ({type(error).__name__})")
        if allowed >= wanted:
            return Finding(f"quota: {what}", "ok", f"{allowed:,.0f}")
        remedy = f"aws service-quotas request-service-quota-increase --service-code {service} --quota-code {code}"
        remedy += f" --desired-value {wanted}"
        return Finding(f"quota: {what}", "missing", f"{allowed:,.0f}, and {wanted} are wanted", remedy)


def docker() -> Finding:
    """Whether images can be built here."""
    remedy = "start Docker, or let GitHub Actions deploy (`.github/workflows/deploy.yml`)"
    if not shutil.which("docker"):
        return Finding("Docker", "missing", "there is no docker command", remedy)
    command = ["docker", "info", "--format", "{{.ServerVersion}} {{.Architecture}}"]
    asked = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    if asked.returncode:
        return Finding("Docker", "missing", "its engine does not answer", remedy)
    words = asked.stdout.strip()
    if words.endswith(("aarch64", "arm64")):
        return Finding("Docker", "ok", words)
    return Finding("Docker", "ok", f"{words}: images for arm64 are built under emulation, which takes its time")
