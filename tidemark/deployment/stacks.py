"""What is deployed: Tidemark's stacks, their outputs, and what became of a deployment that failed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from botocore.exceptions import ClientError

from tidemark.deployment.account import Account

CORE = "TidemarkCore"
PIPELINES = "TidemarkPipelines"
NAMES = (CORE, "TidemarkLive", PIPELINES, "TidemarkExplorer", "TidemarkWatch")
"""In the order in which they are deployed; they are destroyed in the other."""
KEPT_POLICIES = ("Retain", "Snapshot", "RetainExceptOnCreate")


class Deployed(NamedTuple):
    """A stack that is there."""

    name: str
    status: str
    outputs: dict[str, str]
    protected: bool


class Part(NamedTuple):
    """A resource of a stack. `kept`: why it outlives the stack; empty where it does not."""

    stack: str
    kind: str
    identifier: str
    kept: str


def deployed(account: Account) -> list[Deployed]:
    """Tidemark's stacks that are there, in the order in which they are deployed."""
    cloudformation = account.client("cloudformation")
    found = []
    for name in NAMES:
        try:
            stack = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
        except (ClientError, IndexError):
            continue
        if stack["StackStatus"] == "DELETE_COMPLETE":
            continue
        outputs = {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}
        found.append(Deployed(name, stack["StackStatus"], outputs, bool(stack.get("EnableTerminationProtection"))))
    return found


def parts(account: Account, stack: str) -> Iterator[Part]:
    """Every resource of a stack that is there."""
    cloudformation = account.client("cloudformation")
    body = cloudformation.get_template(StackName=stack)["TemplateBody"]
    template: dict[str, Any] = body if isinstance(body, dict) else json.loads(body)
    for page in cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack):
        for resource in page["StackResourceSummaries"]:
            said = template.get("Resources", {}).get(resource["LogicalResourceId"], {})
            policy = said.get("DeletionPolicy", "Delete")
            yield Part(
                stack,
                resource["ResourceType"],
                resource.get("PhysicalResourceId", ""),
                policy if policy in KEPT_POLICIES else "",
            )


def reasons(account: Account, stack: str) -> list[str]:
    """Why the newest deployment of a stack failed: what could not be made, and what AWS said."""
    events = account.client("cloudformation").describe_stack_events(StackName=stack)["StackEvents"]
    found = [
        f"{event['LogicalResourceId']} ({event['ResourceType']}): {event.get('ResourceStatusReason', 'no reason')}"
        for event in events
        if event["ResourceStatus"].endswith("_FAILED")
    ]
    return [reason for reason in dict.fromkeys(reversed(found)) if "cancelled" not in reason.lower()]
