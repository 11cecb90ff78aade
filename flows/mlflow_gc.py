"""Removes for good what has been deleted from MLflow: it only marks a deleted run, and slows with all it holds."""

from __future__ import annotations

import io
import os
from contextlib import redirect_stdout

from prefect import flow, get_run_logger

NAME = "mlflow-gc"
HOURS = 1
DATABASE = "MLFLOW_BACKEND_STORE_URI"


def here() -> bool:
    """Whether this process knows MLflow's database, as it must."""
    return DATABASE in os.environ


@flow(name=NAME, log_prints=False, persist_result=False)
async def mlflow_gc(older_than: str = "1d") -> int:
    """Remove the runs that were deleted longer ago than `older_than`, as in "1d2h"; until then they can be restored."""
    from mlflow.cli import gc  # half of MLflow comes with it

    said = io.StringIO()
    with redirect_stdout(said):
        gc.main(["--older-than", older_than, "--backend-store-uri", os.environ[DATABASE]], standalone_mode=False)
    removed = said.getvalue().count("has been permanently deleted")
    get_run_logger().info("%d runs removed for good", removed)
    return removed
