"""Destroying: empty, delete, and then see for oneself that nothing is left but what is kept on purpose."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import NamedTuple

from botocore.exceptions import ClientError

from tidemark.deployment import stacks
from tidemark.deployment.account import Account
from tidemark.deployment.stacks import Part
from tidemark.errors import TidemarkError

TAG, PROJECT = "project", "tidemark"
AT_ONCE = 1_000  # AWS, DeleteObjects
POLL_S = 2.0
LONGEST_S = 45 * 60  # CloudFront takes its time
Say = Callable[[str], None]


class Left(NamedTuple):
    """What is still there. `kept`: on purpose; `going`: AWS deletes it by itself; `stray`: nobody knows why."""

    kept: list[str]
    going: list[str]
    stray: list[str]


class Destruction:
    """Of every stack of one account and region."""

    def __init__(self, account: Account, say: Say) -> None:
        self._account = account
        self._say = say
        self.stacks = stacks.deployed(account)
        self.parts: list[Part] = [part for stack in self.stacks for part in stacks.parts(account, stack.name)]

    @property
    def kept(self) -> list[Part]:
        """What will outlive its stack, on purpose."""
        return [part for part in self.parts if part.kept]

    def perform(self) -> Left:
        """Delete everything. Raises TidemarkError where a stack cannot be deleted, with what is in the way."""
        protected = [stack.name for stack in self.stacks if stack.protected]
        if protected:
            ask = "aws cloudformation update-termination-protection --no-enable-termination-protection --stack-name"
            raise TidemarkError(f"protected against deletion: {', '.join(protected)}. To lift that: {ask} NAME")
        for part in self.parts:
            if part.kind == "AWS::S3::Bucket" and not part.kept:
                self._empty(part.identifier)
        for stack in reversed(self.stacks):
            self._delete(stack.name)
        return self.left()

    def left(self) -> Left:
        """What of the project is still there, by its tag."""
        kept = {part.identifier for part in self.kept}
        found = Left([], [], [])
        for arn in self._tagged():
            on_purpose = any(identifier and identifier in arn for identifier in kept)
            (found.kept if on_purpose else found.going if self._goes(arn) else found.stray).append(arn)
        return found

    def _goes(self, arn: str) -> bool:
        """Whether something that can be asked for is only a memory of AWS's: a stopped service, a key in its last days.

        Versions of tasks, which would stay, are deleted here.
        """
        service, rest = arn.split(":")[2], arn.split(":", 5)[5]
        kind = rest.partition("/")[0]
        try:
            if service == "kms":
                state = self._account.client("kms").describe_key(KeyId=arn)["KeyMetadata"]["KeyState"]
                return bool(state == "PendingDeletion")
            if (service, kind) == ("ecs", "service"):
                ecs = self._account.client("ecs")
                asked = ecs.describe_services(cluster=rest.split("/")[1], services=[arn])
                return all(found["status"] == "INACTIVE" for found in asked["services"])
            if (service, kind) == ("ecs", "task-definition"):
                ecs = self._account.client("ecs")
                ecs.deregister_task_definition(taskDefinition=arn)
                return not ecs.delete_task_definitions(taskDefinitions=[arn]).get("failures")
        except ClientError as error:
            if "NotFound" in error.response["Error"]["Code"]:
                return True
            raise
        return False

    def _tagged(self) -> list[str]:
        pages = self._account.client("resourcegroupstaggingapi").get_paginator("get_resources")
        found = pages.paginate(TagFilters=[{"Key": TAG, "Values": [PROJECT]}])
        return sorted(resource["ResourceARN"] for page in found for resource in page["ResourceTagMappingList"])

    def _empty(self, bucket: str) -> None:
        s3 = self._account.client("s3")
        count = 0
        try:
            for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
                gone = [
                    {"Key": found["Key"], "VersionId": found["VersionId"]}
                    for kind in ("Versions", "DeleteMarkers")
                    for found in page.get(kind, [])
                ]
                for some in _cut(gone, AT_ONCE):
                    s3.delete_objects(Bucket=bucket, Delete={"Objects": some, "Quiet": True})
                    count += len(some)
        except ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchBucket":
                raise TidemarkError(f"the bucket {bucket} cannot be emptied: {error}") from error
        self._say(f"emptied {bucket}: {count:,} objects")

    def _delete(self, name: str) -> None:
        self._say(f"deleting {name}")
        cloudformation = self._account.client("cloudformation")
        cloudformation.delete_stack(StackName=name)
        deadline = time.monotonic() + LONGEST_S
        while time.monotonic() < deadline:
            status = next((stack.status for stack in stacks.deployed(self._account) if stack.name == name), "")
            if not status:
                self._say(f"deleted {name}")
                return
            if status == "DELETE_FAILED":
                why = "\n  ".join(stacks.reasons(self._account, name)[:8])
                raise TidemarkError(f"{name} cannot be deleted:\n  {why}")
            time.sleep(POLL_S)
        raise TidemarkError(f"{name} is not deleted after {LONGEST_S // 60} minutes; look again later")


def _cut(found: list[dict[str, str]], size: int) -> Iterable[list[dict[str, str]]]:
    return (found[start : start + size] for start in range(0, len(found), size))
