"""The images: one Dockerfile a service, with what goes into it named in the ignore file beside it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Image:
    """An image, built from the root of the project. `modules`: what its processes start from."""

    name: str
    requirements: str
    modules: tuple[str, ...]

    @property
    def file(self) -> str:
        """Its Dockerfile, from the root."""
        return f"infra/images/{self.name}/Dockerfile"

    @property
    def ignored(self) -> list[str]:
        """What does not go into it, as Docker reads it: all, but for what is named."""
        lines = (ROOT / f"{self.file}.dockerignore").read_text().splitlines()
        return [line for line in lines if line and not line.startswith("#")]


LIVE = Image("live", "ws", ("ws_server",))
EXPLORER = Image("explorer", "dashboard", ("streamlit_app.serve",))
WORKER = Image("worker", "flows", ("flows.worker",))
MLFLOW = Image("mlflow", "mlflow", ("infra.images.server",))
PREFECT = Image("prefect", "prefect", ("infra.images.server",))
ALL = (LIVE, EXPLORER, WORKER, MLFLOW, PREFECT)


def answers(port: int, path: str) -> tuple[str, ...]:
    """The command that says, inside of a container, whether its server answers."""
    code = f"import urllib.request as r; r.urlopen('http://127.0.0.1:{port}{path}', timeout=8)"
    return ("python", "-c", code)
