"""The CDK app: `cdk synth` and `cdk deploy` start here.

Context: `bundles`, the folder with one bundle a Lambda, built for AWS where none is named; `redis_url`, a live stream
that is there already (the local cloud's). The store's settings are read from the environment (`docs/settings.md`).
"""

from __future__ import annotations

from pathlib import Path

import aws_cdk as cdk

from infra import bundles
from infra.cdk.core_stack import CoreStack
from tidemark import settings


def build() -> cdk.App:
    """The app with its stacks."""
    app = cdk.App()
    CoreStack(
        app,
        "TidemarkCore",
        bundles=Path(app.node.try_get_context("bundles") or bundles.build("aws")),
        redis_url=app.node.try_get_context("redis_url") or "",
        store=settings.load(settings.StoreSettings),
    )
    cdk.Tags.of(app).add("project", "tidemark")
    return app


if __name__ == "__main__":
    build().synth()
