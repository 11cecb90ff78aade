"""The images: one Dockerfile a service, and beside it what goes into it: what its processes import, and nothing else.

`python -m infra.images` writes those lists anew (`make docs`); a test finds one that is out of date.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from modulefinder import ModuleFinder
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = "web/package.json web/package-lock.json web/tsconfig.json"


@dataclass(frozen=True)
class Image:
    """An image, built from the root of the project.

    `requirements`: the groups whose packages it has. `starts`: the Python files that its processes start from. `files`:
    patterns of what else they read, or of what its pages are built from.
    """

    name: str
    requirements: tuple[str, ...]
    starts: tuple[str, ...]
    files: tuple[str, ...] = ()

    @property
    def file(self) -> str:
        """Its Dockerfile, from the root."""
        return f"infra/images/{self.name}/Dockerfile"

    @property
    def ignored(self) -> list[str]:
        """What does not go into it, as Docker reads it: all, but for what is named."""
        return (ROOT / f"{self.file}.dockerignore").read_text().splitlines()

    def contents(self) -> list[str]:
        """What goes into it, from the root: the project's modules that its processes import, directly or not; with the
        requirements and what else is read."""
        found = {f"requirements/{group}.txt" for group in self.requirements}
        for start in self.starts:
            found |= {str(path.relative_to(ROOT)) for path in imported(ROOT / start)}
        for pattern in self.files:
            found |= {str(path.relative_to(ROOT)) for path in ROOT.glob(pattern) if path.is_file()}
        return sorted(found)


def imported(start: Path) -> Iterator[Path]:
    """The project's modules that a file imports, directly or not, and the file itself."""
    finder = ModuleFinder(path=[str(ROOT)])
    finder.run_script(str(start))
    yield start
    for folder in start.relative_to(ROOT).parents:
        if (ROOT / folder / "__init__.py").exists():
            yield ROOT / folder / "__init__.py"
    for name, module in finder.modules.items():
        file = getattr(module, "__file__", None)
        if file and name != "__main__":
            yield Path(file).resolve()


LIVE = Image(
    "live",
    ("ws",),
    ("ws_server/__main__.py",),
    (*PAGES.split(), "web/explorer/package.json", "web/live/package.json", "web/live/*.*", "web/live/src/**/*"),
)
EXPLORER = Image(
    "explorer",
    ("dashboard",),
    (
        *("streamlit_app/serve.py", "streamlit_app/served.py", "streamlit_app/app.py"),
        *("streamlit_app/pipelines/page.py", "streamlit_app/housing/page.py", "tidemark/cubes/compiled.py"),
        *(
            f"streamlit_app/explorer/{page}.py"
            for page in ("first_look", "linked_views", "groups", "prediction", "report")
        ),
    ),
    (
        *PAGES.split(),
        *("web/live/package.json", "web/explorer/package.json", "web/explorer/*.*", "web/explorer/src/**/*"),
        *("streamlit_app/**/*.css", "streamlit_app/**/*.svg", "streamlit_app/**/*.js", "streamlit_app/.streamlit/*"),
        "tidemark/analysis/report/report.*",
    ),
)
WORKER = Image(
    "worker",
    ("flows", "train"),
    ("flows/worker.py", "training/served.py", "training/served_demand.py"),
    ("models/sales/*", "tidemark/housing/*.csv"),
)
MLFLOW = Image("mlflow", ("mlflow",), ("infra/images/server.py",))
PREFECT = Image("prefect", ("prefect",), ("infra/images/server.py",))
ALL = (LIVE, EXPLORER, WORKER, MLFLOW, PREFECT)


def answers(port: int, path: str) -> tuple[str, ...]:
    """The command that says, inside of a container, whether its server answers."""
    code = f"import urllib.request as r; r.urlopen('http://127.0.0.1:{port}{path}', timeout=8)"
    return ("python", "-c", code)


def listed(image: Image) -> str:
    """The image's ignore file."""
    return "\n".join(["*", *(f"!{name}" for name in image.contents())]) + "\n"
