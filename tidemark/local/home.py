"""Where the local cloud keeps everything: `.tidemark/` beside the project."""

from __future__ import annotations

import json
import os
import secrets
import socket
import tempfile
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec

from tidemark.errors import TidemarkError

ROOT = Path(__file__).resolve().parent.parent.parent
HOST = "127.0.0.1"


class State(msgspec.Struct):
    """`.tidemark/state.json`: what runs where, for programs. Tokens are for `Authorization: Bearer`."""

    endpoints: dict[str, str]
    tokens: dict[str, str]


class Home:
    """The paths, and the few facts that outlive a run."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or Path(os.environ.get("TIDEMARK_HOME") or ROOT / ".tidemark")
        self.logs = self.path / "logs"
        self.run = self.path / "run"
        self.emulator = self.path / "emulator"
        self.redis = self.path / "redis"
        self.postgres = self.path / "postgres"
        self.prefect = self.path / "prefect"
        self.flows = self.path / "flows"
        self.lake_mirror = self.path / "lake"
        self.tables = self.path / "tables"
        self.state_file = self.path / "state.json"
        self.supervisor_config = self.run / "supervisord.conf"
        self.supervisor_pid = self.run / "supervisord.pid"
        self.deployed_file = self.path / "deployed.json"
        self._facts_file = self.path / "local.json"

    @property
    def supervisor_socket(self) -> Path:
        """In the system's temporary folder: a socket's path may have 107 characters at most."""
        name = sha256(str(self.path.resolve()).encode()).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"tidemark-{name}.sock"

    def create(self) -> None:
        """Make the folders. Raises TidemarkError where the disk does not let us."""
        try:
            for folder in (self.logs, self.run, self.emulator, self.redis, self.postgres, self.prefect):
                folder.mkdir(parents=True, exist_ok=True)
            self.path.chmod(0o700)
        except OSError as error:
            raise TidemarkError(f"{error.filename or self.path} cannot be written: {error.strerror}") from None

    def ports(self, names: tuple[str, ...]) -> dict[str, int]:
        """A free port for each name: the one it had before where that is free, so that URLs stay what they were."""
        facts = self._facts()
        known: dict[str, int] = facts.get("ports", {})
        chosen: dict[str, int] = {}
        for name in names:
            port = known.get(name, 0)
            chosen[name] = port if port and _is_free(port) else free_port()
        self._write_facts({**facts, "ports": {**known, **chosen}})
        return chosen

    def port(self, name: str) -> int:
        """The port that was chosen for `name`."""
        return int(self._facts()["ports"][name])

    @property
    def account_key(self) -> str:
        """A fake AWS key of this local cloud's own: the CDK tool remembers account ids by key."""
        facts = self._facts()
        if "account_key" not in facts:
            facts["account_key"] = f"TIDEMARK{secrets.token_hex(6).upper()}"
            self._write_facts(facts)
        return str(facts["account_key"])

    def password(self, name: str) -> str:
        """The password of `name`, drawn when it is first asked for. Safe in a URL."""
        facts = self._facts()
        known: dict[str, str] = facts.get("passwords", {})
        if name not in known:
            known[name] = secrets.token_urlsafe(24)
            self._write_facts({**facts, "passwords": known})
        return known[name]

    def _facts(self) -> dict[str, Any]:
        try:
            facts: dict[str, Any] = json.loads(self._facts_file.read_text())
        except (FileNotFoundError, ValueError):
            return {}
        return facts

    def _write_facts(self, facts: dict[str, Any]) -> None:
        write_atomically(self._facts_file, json.dumps(facts, indent=2))

    def state(self) -> State:
        """What runs. Raises TidemarkError where nothing does."""
        try:
            return msgspec.json.decode(self.state_file.read_bytes(), type=State)
        except FileNotFoundError:
            raise TidemarkError("Tidemark is not running here; start it with `make up` or `tidemark up`") from None
        except msgspec.MsgspecError as error:
            raise TidemarkError(f"{self.state_file} cannot be read ({error}); run `tidemark up` again") from None


def write_atomically(path: Path, text: str) -> None:
    """The whole of a file or nothing, readable by its owner alone."""
    partial = path.with_suffix(f"{path.suffix}.part")
    partial.touch(mode=0o600)
    partial.write_text(text)
    partial.replace(path)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port
