"""Where the same run is in Prefect and in MLflow."""

from __future__ import annotations

import re
from urllib.parse import quote

# Prefect Cloud's API and its pages have two addresses; a server's own pages are beside its API.
_CLOUD = re.compile(r"https://api\.prefect\.cloud/api/accounts/(?P<account>[\w-]+)/workspaces/(?P<workspace>[\w-]+)/?")


def in_prefect(prefect_url: str, flow_run: str) -> str:
    """A flow run's page. `prefect_url`: Prefect's pages or its API."""
    cloud = _CLOUD.fullmatch(prefect_url)
    if cloud:
        pages = f"https://app.prefect.cloud/account/{cloud['account']}/workspace/{cloud['workspace']}"
    else:
        pages = prefect_url.rstrip("/").removesuffix("/api")
    return f"{pages}/runs/flow-run/{quote(flow_run, safe='')}"


def in_mlflow(mlflow_url: str, experiment: str, run: str) -> str:
    """The list of an experiment's runs that a flow's run has logged. `experiment`: its id."""
    looked_for = quote(f"tags.flow_run = '{run}'", safe="")
    return f"{mlflow_url.rstrip('/')}/#/experiments/{quote(experiment, safe='')}/runs?searchFilter={looked_for}"
