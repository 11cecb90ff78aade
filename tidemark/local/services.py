"""The processes of the local cloud, and how each is told to be well."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import msgspec

from tidemark.local.home import HOST, ROOT, Home
from tidemark.settings import variable

LAMBDAS_A_PROCESSOR = 16
REGION = "eu-west-1"
EMULATOR_PYTHON = ROOT / ".venv-emulator" / "bin" / "python"
BIN = Path(sys.executable).parent


EMULATOR_ENDS_S = 600
"""It writes down what its tables hold when it ends."""


class Service(msgspec.Struct, frozen=True):
    """A process. `ends_s`: how long it may take to end."""

    name: str
    command: list[str]
    environment: dict[str, str] = {}
    stop_signal: str = "TERM"
    ends_s: int = 15


def aws_environment(home: Home, port: int) -> dict[str, str]:
    """What makes AWS clients and tools talk to the emulator and to nothing else."""
    endpoint = f"http://{HOST}:{port}"
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ENDPOINT_URL_S3": endpoint,
        "AWS_ACCESS_KEY_ID": home.account_key,
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": str(home.run / "no-aws-config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(home.run / "no-aws-credentials"),
    }


def emulator(home: Home, port: int) -> Service:
    """ministack: API Gateway, Lambda, DynamoDB, its streams, S3 and CloudFormation, kept on disk between runs."""
    return Service(
        "ministack",
        # The modules beside that file are not the emulator's to import.
        [str(EMULATOR_PYTHON), "-P", str(Path(__file__).with_name("emulator.py"))],
        {
            "BIND_HOST": HOST,
            "GATEWAY_PORT": str(port),
            "MINISTACK_HOST": HOST,
            "MINISTACK_REGION": REGION,
            "PERSIST_STATE": "1",
            "STATE_DIR": str(home.emulator / "state"),
            "S3_PERSIST": "1",
            "S3_DATA_DIR": str(home.emulator / "s3"),
            "TMPDIR": str(home.run),
            "PYTHONUNBUFFERED": "1",
            "LOG_LEVEL": "WARNING",
            # As on AWS, more calls at once than are allowed are turned away; else each has a process begun for it.
            "LAMBDA_ACCOUNT_CONCURRENCY": str(LAMBDAS_A_PROCESSOR * (os.cpu_count() or 1)),
        },
        ends_s=EMULATOR_ENDS_S,
    )


def redis(home: Home, port: int) -> Service:
    """A Redis server that keeps nothing on disk: all in it can be built again from the cells."""
    options = {
        "--bind": HOST,
        "--port": str(port),
        "--dir": str(home.redis),
        "--save": "",
        "--appendonly": "no",
        "--maxmemory": "512mb",
        "--maxmemory-policy": "noeviction",
    }
    return Service("redis", [str(BIN / "redis-server"), *(word for pair in options.items() for word in pair)])


def live_page(home: Home, port: int, redis_port: int, emulator_port: int, stack: dict[str, str], label: str) -> Service:
    """ws_server, as its container would run; `stack`: the Core stack's outputs."""
    settings = {
        "redis_url": f"redis://{HOST}:{redis_port}",
        "ledger_table": stack["LedgerTable"],
        "cells_table": stack["CellsTable"],
        "history_table": stack["HistoryTable"],
        "quarantine_table": stack["QuarantineTable"],
        "token_secret": stack["TokenSecret"],
        "host": HOST,
        "port": str(port),
        "api_url": api_url(emulator_port, stack),
        "page": str(ROOT / "web" / "live" / "dist"),
        "source_label": label,
        "state_file": str(home.state_file),
        "drain_seconds": "0",  # there is no other server to move to
    }
    environment = {variable(name): value for name, value in settings.items()}
    return Service(
        "ws_server", [sys.executable, "-m", "ws_server"], {**aws_environment(home, emulator_port), **environment}
    )


def api_url(emulator_port: int, stack: dict[str, str]) -> str:
    """Where the deployed REST API is on the emulator."""
    return f"http://{HOST}:{emulator_port}/restapis/{stack['ApiId']}/live/_user_request_"


def simulator(home: Home) -> Service:
    """The stream of sales that makes a fresh start move."""
    return Service(
        "simulator",
        [str(BIN / "tidemark"), "simulate", "--stream"],
        {"TIDEMARK_HOME": str(home.path)},
    )


def explorer(
    port: int,
    api: str,
    token: str,
    pages: dict[str, str],
    tables: Path,
    aws: dict[str, str] | None = None,
    stack: dict[str, str] | None = None,
) -> Service:
    """The Streamlit app, as its container would run.

    `pages`: where MLflow and Prefect are, if they are; `tables`: where it keeps tables as it has binned them; `aws`:
    how its clients find AWS, or the emulator; `stack`: settings that the stack knows.
    """
    options = [
        *("--server.address", HOST, "--server.port", str(port), "--browser.serverAddress", HOST),
        *("--server.allowedHosts", HOST, "--server.allowedHosts", "localhost"),
    ]
    settings = {
        "api_url": api,
        "api_token": token,
        "prefect_url": pages.get("prefect", ""),
        "mlflow_url": pages.get("mlflow", ""),
        "tables": str(tables),
        **(stack or {}),
    }
    return Service(
        "explorer",
        [
            *(sys.executable, "-m", "streamlit", "run", str(ROOT / "streamlit_app" / "app.py"), *options),
        ],
        {**(aws or {}), **{variable(name): value for name, value in settings.items()}},
    )
