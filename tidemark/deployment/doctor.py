"""What this machine has for running and deploying Tidemark, and what it lacks."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import psutil

from tidemark.deployment.account import Finding
from tidemark.deployment.cdk import BIN, ROOT, TOOL
from tidemark.local.home import Home
from tidemark.local.supervisor import Supervisor

DISK_GB = 10
MEMORY_GB = 4
BUILT = {
    "the live page": ROOT / "web" / "live" / "dist" / "index.html",
    "the explorer's views": ROOT / "web" / "explorer" / "dist" / "explorer.js",
    "the emulator": ROOT / ".venv-emulator" / "bin" / "python",
    "the CDK's command": TOOL,
    "Node": BIN / "node",
}


def machine(home: Home) -> list[Finding]:
    """Python, what is installed, disk, memory, and whether the local cloud runs."""
    version = ".".join(map(str, sys.version_info[:3]))
    found = [Finding("Python", "ok", version)]
    for what, path in BUILT.items():
        there = path.exists()
        found.append(Finding(what, "ok" if there else "missing", "installed" if there else "not there", "make install"))
    free = shutil.disk_usage(_there(home.path)).free / 1e9
    enough = free >= DISK_GB
    words = f"{free:,.0f} GB free"
    found.append(Finding("disk", "ok" if enough else "missing", words, f"{DISK_GB} GB are wanted"))
    memory = psutil.virtual_memory().total / 1e9
    enough = memory >= MEMORY_GB
    remedy = f"all parts together want {MEMORY_GB} GB; `--only core,live` wants one"
    found.append(Finding("memory", "ok" if enough else "missing", f"{memory:,.0f} GB", remedy))
    supervisor = Supervisor(home)
    states = supervisor.states() if supervisor.running() else {}
    ill = [name for name, (word, _) in states.items() if word not in ("starting", "running")]
    if not states:
        found.append(Finding("local cloud", "ok", "does not run"))
    elif ill:
        remedy = f"look into {home.logs}"
        found.append(Finding("local cloud", "missing", f"not well: {', '.join(ill)}", remedy))
    else:
        found.append(Finding("local cloud", "ok", f"{len(states)} processes run"))
    if os.environ.get("AWS_ENDPOINT_URL"):
        found.append(Finding("AWS_ENDPOINT_URL", "unknown", "set: what says AWS below is an emulator"))
    return found


def _there(path: Path) -> Path:
    while not path.exists():
        path = path.parent
    return path
