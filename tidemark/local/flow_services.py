"""The processes of the part `flows`: MLflow, Prefect, the flows' worker, and the drip of housing batches."""

from __future__ import annotations

import os
import sys

from tidemark.local.home import HOST, Home
from tidemark.local.services import BIN, Service, aws_environment
from tidemark.settings import variable

# MLflow's client, where a person watches a terminal, would tell of each run in colours and copy the project's lock.
QUIET = {
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_UV_AUTO_DETECT": "false",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "5",
    # Else files come by presigned URLs, which the emulator answers for its own IAM users' keys alone.
    "MLFLOW_ENABLE_PROXY_MULTIPART_DOWNLOAD": "false",
}
# A server that is started anew answers 500 to 503 for some seconds.
PATIENT = {"PREFECT_CLIENT_MAX_RETRIES": "6", "PREFECT_CLIENT_RETRY_EXTRA_CODES": "500"}
TELLS_NOBODY = {
    "DO_NOT_TRACK": "true",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
}
# As long as Prefect Cloud's free tier does; the index and the bucket have each run for longer.
PREFECT_KEEPS_S = 7 * 86_400
# PostgreSQL here has no certificate, and is asked for none whatever the user's own PostgreSQL needs.
TO_DATABASE = {"PGSSLMODE": "disable"}


def mlflow(home: Home, port: int, database: str, emulator_port: int, bucket: str) -> Service:
    """MLflow's tracking server. Artifacts go through it, to `bucket`: its clients need no keys of S3."""
    options = {
        "--host": HOST,
        "--port": str(port),
        "--workers": "1",
        "--artifacts-destination": f"s3://{bucket}/mlflow",
    }
    return Service(
        "mlflow",
        [sys.executable, "-m", "mlflow", "server", *(word for pair in options.items() for word in pair)],
        {
            **aws_environment(home, emulator_port),
            **TELLS_NOBODY,
            **TO_DATABASE,
            "MLFLOW_BACKEND_STORE_URI": database,
            "MLFLOW_SERVER_ALLOWED_HOSTS": f"{HOST}:{port},localhost:{port}",
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        },
    )


def prefect(home: Home, port: int, database: str) -> Service:
    """Prefect's server and its pages. Only those pages may call it from a browser."""
    page = f"http://{HOST}:{port}"
    return Service(
        "prefect",
        [sys.executable, "-m", "prefect", "server", "start", "--host", HOST, "--port", str(port)],
        {
            **TELLS_NOBODY,
            **TO_DATABASE,
            "PREFECT_HOME": str(home.prefect),
            "PREFECT_API_URL": f"{page}/api",
            "PREFECT_SERVER_DATABASE_CONNECTION_URL": database,
            "PREFECT_SERVER_API_CORS_ALLOWED_ORIGINS": f"{page},http://localhost:{port}",
            "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs",
            "PREFECT_SERVER_SERVICES_DB_VACUUM_RETENTION_PERIOD": str(PREFECT_KEEPS_S),
            "PREFECT_SERVER_UI_API_URL": f"{page}/api",
            "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
            "PREFECT_SERVER_UI_V2_ENABLED": "false",  # the second edition asks a tracker's server, whatever is set here
            "PREFECT_SERVER_UI_STATIC_DIRECTORY": str(home.prefect / "pages"),
        },
    )


def users_prefect() -> dict[str, str]:
    """The variables by which the user's environment names a Prefect server; empty where it names none."""
    if not os.environ.get("PREFECT_API_URL"):
        return {}
    return {name: os.environ[name] for name in ("PREFECT_API_URL", "PREFECT_API_KEY") if os.environ.get(name)}


def worker(
    home: Home,
    prefect_variables: dict[str, str],
    mlflow_url: str,
    mlflow_database: str,
    emulator_port: int,
    stack: dict[str, str],
) -> Service:
    """The process that runs the flows; `stack`: the Core stack's outputs."""
    return Service(
        "flows",
        [sys.executable, "-m", "flows.worker"],
        {
            **aws_environment(home, emulator_port),
            **TELLS_NOBODY,
            **QUIET,
            **PATIENT,
            **prefect_variables,
            "PREFECT_HOME": str(home.prefect),
            **TO_DATABASE,
            "MLFLOW_TRACKING_URI": mlflow_url,
            "MLFLOW_BACKEND_STORE_URI": mlflow_database,
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
            variable("lake_bucket"): stack["LakeBucket"],
            variable("runs_table"): stack["RunsTable"],
            variable("cells_table"): stack["CellsTable"],
            variable("history_table"): stack["HistoryTable"],
            variable("flow_folder"): str(home.flows),
        },
    )


def housing_drip(home: Home) -> Service:
    """The stream of housing batches that makes the flows of a fresh start move."""
    return Service(
        "housing_drip",
        [str(BIN / "tidemark"), "drip", "--stream"],
        {"TIDEMARK_HOME": str(home.path)},
    )
