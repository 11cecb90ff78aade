"""What a deployment was told. Its Core stack keeps it, so that nothing need be said again with the next version."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import fields

from tidemark.errors import Misuse
from tidemark.settings import RetentionSettings, StoreSettings, variable

OUTPUT = "Options"
NAMES = ("profile", "domain", "certificate_arn", "prefect_api_url", "alert_email", "redis_url")
STORE = tuple(variable(setting.name) for setting in (*fields(StoreSettings), *fields(RetentionSettings)))
Options = Mapping[str, str]


def kept(outputs: Mapping[str, str]) -> dict[str, str]:
    """What the deployment that is there was told, from its Core stack's outputs."""
    found: dict[str, str] = json.loads(outputs.get(OUTPUT, "{}"))
    return found


def merge(before: Options, told: Mapping[str, str | None], *, change_profile: bool = False) -> dict[str, str]:
    """What is told now over what was told before; an empty word takes an option away, None leaves it as it is.

    The store's settings are those of the environment where it has them. Raises Misuse where another profile is named
    without `change_profile`: from prod to dev, data would no longer be kept.
    """
    store = {name: os.environ[name] for name in STORE if name in os.environ}
    merged = {**before, **store, **{name: word for name, word in told.items() if word is not None}}
    if not merged.get("domain") and not told.get("certificate_arn"):
        merged.pop("certificate_arn", None)  # it went with its domain
    merged["profile"] = merged.get("profile") or "dev"
    if merged["profile"] != before.get("profile", merged["profile"]) and not change_profile:
        raise Misuse(
            f"what is deployed is {before['profile']}, and not {merged['profile']}: with --change-profile it is changed"
        )
    return {name: word for name, word in merged.items() if word}
