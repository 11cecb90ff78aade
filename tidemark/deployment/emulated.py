"""Deploying to an emulator: what it does not know is left out of the templates, and told by name.

An emulator is asked which kinds of resources it knows, as CloudFormation is: by having it validate a template of one of
each.
"""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from tidemark.deployment.account import Account
from tidemark.deployment.cdk import templates
from tidemark.errors import TidemarkError

NOT_HELD = "left-out-on-the-emulator"
UNKNOWN_ATTRIBUTES = {"MasterUserSecret.SecretArn"}  # of kinds that ministack 1.5 knows otherwise


def fit(account: Account, assembly: Path) -> list[str]:
    """Leave out of a synthesised app what the emulator does not know. Returns that, as `Stack/Name (Kind)`."""
    made = templates(assembly)
    kinds = sorted({part["Type"] for template in made.values() for part in template["Resources"].values()})
    unknown = _unknown(account, kinds)
    gone: list[str] = []
    for stack, template in made.items():
        out = {name for name, part in template["Resources"].items() if part["Type"] in unknown or _computed(part)}
        if out or any(f'"{attribute}"' in json.dumps(template) for attribute in UNKNOWN_ATTRIBUTES):
            gone += [f"{stack}/{name} ({template['Resources'][name]['Type']})" for name in sorted(out)]
            _rewrite(assembly, stack, _without(template, out))
    return gone


def _rewrite(assembly: Path, stack: str, template: dict[str, Any]) -> None:
    """Put a template in another's place. The CDK publishes it by its hash, and only where that is not there yet."""
    path, assets = assembly / f"{stack}.template.json", assembly / f"{stack}.assets.json"
    content = json.dumps(template)
    path.write_text(content)
    files = json.loads(assets.read_text())["files"]
    (before,) = [key for key, file in files.items() if file["source"]["path"] == path.name]
    now = hashlib.sha256(content.encode()).hexdigest()
    for told in (assets, assembly / "manifest.json"):
        told.write_text(told.read_text().replace(before, now))


def _computed(part: dict[str, Any]) -> bool:
    """An alarm on a share of two metrics: ministack 1.5 knows alarms on one metric alone."""
    return part["Type"] == "AWS::CloudWatch::Alarm" and "Metrics" in part["Properties"]


def _unknown(account: Account, kinds: list[str]) -> set[str]:
    body = json.dumps({"Resources": {f"R{number}": {"Type": kind} for number, kind in enumerate(kinds)}})
    try:
        account.client("cloudformation").validate_template(TemplateBody=body)
    except ClientError as error:
        said = re.search(r"Unrecognized resource types: \[([^\]]*)\]", str(error))
        if said is None:
            raise TidemarkError(f"{account.where} does not say what it can hold: {error}") from error
        return {kind.strip() for kind in said[1].split(",")}
    return set()


def _without(template: dict[str, Any], out: set[str]) -> dict[str, Any]:
    resources = {name: part for name, part in template["Resources"].items() if name not in out}
    for part in resources.values():
        after = part.get("DependsOn", [])
        part["DependsOn"] = [name for name in ([after] if isinstance(after, str) else after) if name not in out]
    found: dict[str, Any] = _replaced({**template, "Resources": resources}, out)
    return found


def _replaced(value: Any, out: set[str]) -> Any:
    """The same without references to what is left out."""
    if isinstance(value, dict):
        named = value.get("Fn::GetAtt") or [value.get("Ref"), ""]
        if len(value) == 1 and (named[0] in out or named[1] in UNKNOWN_ATTRIBUTES):
            return NOT_HELD
        return {name: _replaced(part, out) for name, part in value.items()}
    if isinstance(value, list):
        return [_replaced(part, out) for part in value]
    return value
