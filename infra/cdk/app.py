"""The CDK app: `cdk synth` and `cdk deploy` start here.

Context, each with `-c NAME=VALUE`:

- `profile`: `dev` (the default) or `prod`, see `sizes.py`;
- `bundles`: the folder with one bundle a Lambda, built for AWS where none is named;
- `redis_url`: a live stream that is there already, the local cloud's: then there is the Core stack alone, without a
  network;
- `domain`, `certificate_arn`: a domain of one's own for the pages, and its certificate in us-east-1;
- `prefect_api_url`: Prefect Cloud's API, or another server's, in place of a Prefect server of one's own;
- `alert_email`: whom alarms are told.

The store's settings are read from the environment (`docs/settings.md`).
"""

from __future__ import annotations

from pathlib import Path

import aws_cdk as cdk

from infra import bundles
from infra.cdk.core_stack import CoreStack
from infra.cdk.sizes import profile
from tidemark import settings
from tidemark.deployment.options import NAMES as OPTIONS
from tidemark.errors import Misuse

TAG = "project"
PROJECT = "tidemark"


def build(app: cdk.App | None = None) -> cdk.App:
    """The app with its stacks."""
    app = app or cdk.App()

    def given(name: str) -> str:
        return str(app.node.try_get_context(name) or "")

    chosen = profile(given("profile") or "dev")
    if bool(given("domain")) != bool(given("certificate_arn")):
        raise Misuse("domain and certificate_arn belong together: name both, or neither")
    options = {name: given(name) for name in OPTIONS if given(name)}
    core = CoreStack(
        app,
        "TidemarkCore",
        bundles=Path(given("bundles") or bundles.build("aws")),
        redis_url=given("redis_url"),
        store=settings.load(settings.StoreSettings),
        person_days=settings.load(settings.RetentionSettings).person_days,
        profile=chosen,
        options={**options, "profile": chosen.name},
    )
    if core.network:
        # The local cloud's Core stack need not wait for what these import.
        from infra.cdk import checks
        from infra.cdk.explorer_stack import ExplorerStack
        from infra.cdk.live_stack import LiveStack
        from infra.cdk.pipelines_stack import PipelinesStack
        from infra.cdk.watch_stack import Stacks, WatchStack

        live = LiveStack(
            app, "TidemarkLive", core=core, domain=given("domain"), certificate_arn=given("certificate_arn")
        )
        pipelines = PipelinesStack(
            app, "TidemarkPipelines", core=core, cluster=live.cluster, prefect_api_url=given("prefect_api_url")
        )
        explorer = ExplorerStack(app, "TidemarkExplorer", core=core, live=live)
        WatchStack(app, "TidemarkWatch", stacks=Stacks(core, live, pipelines, explorer), email=given("alert_email"))
        checks.demand(app, profile=chosen, domain=given("domain"), prefect_api_url=given("prefect_api_url"))
    cdk.Tags.of(app).add(TAG, PROJECT)
    return app


if __name__ == "__main__":
    build().synth()
