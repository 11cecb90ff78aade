"""How large a deployment is: `dev` costs little and may lose its place for a minute, `prod` runs in two zones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tidemark.errors import Misuse

ProfileName = Literal["dev", "prod"]


@dataclass(frozen=True, kw_only=True)
class Task:
    """A container's share: `cpu` in 1/1024 of a processor, `memory` in MiB; `count` of them run."""

    cpu: int
    memory: int
    count: int = 1


@dataclass(frozen=True, kw_only=True)
class Profile:
    """What differs between deployments.

    `keep`: data outlive their stack, and the database and the load balancer cannot be deleted by mistake.
    `spot`: containers run on capacity that AWS may take back with two minutes' notice, at some 30 % of the price.
    """

    name: ProfileName
    keep: bool
    spot: bool
    live: Task
    explorer: Task
    worker: Task
    mlflow: Task
    prefect: Task
    cache_node: str
    cache_nodes: int
    database: str
    database_gb: int
    database_zones: int
    backup_days: int
    log_days: int
    container_insights: bool
    budget_usd: int


DEV = Profile(
    name="dev",
    keep=False,
    spot=True,
    live=Task(cpu=256, memory=512),
    explorer=Task(cpu=512, memory=2048),
    worker=Task(cpu=1024, memory=4096),
    mlflow=Task(cpu=256, memory=1024),
    prefect=Task(cpu=256, memory=1024),
    cache_node="cache.t4g.micro",
    cache_nodes=1,
    database="t4g.micro",
    database_gb=20,
    database_zones=1,
    backup_days=1,
    log_days=30,
    container_insights=False,
    budget_usd=150,
)
PROD = Profile(
    name="prod",
    keep=True,
    spot=False,
    live=Task(cpu=1024, memory=2048, count=2),
    explorer=Task(cpu=2048, memory=8192, count=2),
    worker=Task(cpu=2048, memory=8192),
    mlflow=Task(cpu=512, memory=2048, count=2),
    prefect=Task(cpu=512, memory=2048),
    cache_node="cache.t4g.small",
    cache_nodes=2,
    database="t4g.small",
    database_gb=50,
    database_zones=2,
    backup_days=14,
    log_days=365,
    container_insights=True,
    budget_usd=1_000,
)


def profile(name: str) -> Profile:
    """The profile of this name. Raises Misuse where there is none."""
    for known in (DEV, PROD):
        if known.name == name:
            return known
    raise Misuse(f"there is no profile {name!r}; there are dev and prod")
