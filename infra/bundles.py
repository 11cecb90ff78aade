"""Lambda bundles: for each function a folder with its handler, the modules that it imports, and its packages.

Built for the local Python or for AWS (Python 3.13, arm64), from `requirements/fn-<name>.txt` with hashes, and compiled:
`.pyc` files halve a cold start. The packages are installed once for each set of requirements and linked from there: a
bundle of changed sources needs no network. `python -m infra.bundles` installs those for AWS ahead (`make install`).
"""

from __future__ import annotations

import compileall
import hashlib
import os
import py_compile
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from modulefinder import ModuleFinder
from pathlib import Path
from typing import Literal

from tidemark.errors import TidemarkError

ROOT = Path(__file__).resolve().parent.parent
BUILT = ROOT / ".bundles"
PACKAGES = BUILT / "packages"
FUNCTIONS = ("authorize", "ingest", "publish", "archive", "compact", "retain", "api", "predict")
FILES = {"ingest": ("models/sales/sales.model",)}
Target = Literal["local", "aws"]
# A Lambda has one processor or less: threads for linear algebra would only cost a quarter of its start.
ENVIRONMENT = {"OPENBLAS_NUM_THREADS": "1"}
AWS_PYTHON = "3.13"
AWS_PLATFORM = "aarch64-manylinux_2_34"

# botocore ships the descriptions of every service; a Lambda calls these.
BOTOCORE_SERVICES = {"dynamodb", "lambda", "s3", "secretsmanager", "sqs", "sts"}
# Not read at run time, or (tests, type stubs) not meant to be.
DROPPED = (
    *("*.pyi", "*.h", "*.a", "tests", "*.dist-info/RECORD", "*.dist-info/licenses", "bin", "numpy/f2py"),
    # LiteRT's GPU, NPU and model-building parts; the interpreter needs none of them.
    *("ai_edge_litert/libLiteRt*.so", "ai_edge_litert/tools", "ai_edge_litert/vendors", "ai_edge_litert/aot"),
    *("ai_edge_litert/_pywrap_analyzer_wrapper.so", "ai_edge_litert/pywrap_genai_ops.so"),
    *("ai_edge_litert/_pywrap_litert_converter.so", "ai_edge_litert/*calibration*.so", "ai_edge_litert/format_*.so"),
    "ai_edge_litert/_pywrap_modify_model_interface.so",
    # Powertools' router brings the pages of an API's documentation; ours comes from FastAPI.
    "aws_lambda_powertools/event_handler/openapi/swagger_ui",
)


def build(target: Target, below: Path = BUILT) -> Path:
    """The folder with every bundle, named for what they are made of; built where it is not there yet.

    It is whole or not there, whoever builds beside us, and takes the place of what was built for the target before.
    Raises TidemarkError where a package cannot be installed, with the installer's own words.
    """
    folder = below / f"{target}-{digest(target)[:16]}"
    if folder.exists():
        return folder
    below.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=below, prefix="unfinished-") as unfinished:
        bundles = Path(unfinished) / "bundles"
        for name in FUNCTIONS:
            _build_one(name, target, bundles / name)
        _take_place(bundles, folder, set(below.glob(f"{target}-*")))
    return folder


def _take_place(made: Path, folder: Path, before: set[Path]) -> None:
    """Have what was made whole be `folder`, in place of what was there before."""
    for old in before - {folder}:
        shutil.rmtree(old, ignore_errors=True)
    try:
        made.rename(folder)
    except OSError:
        if not folder.exists():  # another was quicker
            raise


def digest(target: Target) -> str:
    """A hash of everything that the bundles are made of."""
    hasher = hashlib.sha256(f"{target} {sys.version_info[:2]}".encode())
    hasher.update(Path(__file__).read_bytes())
    for name in FUNCTIONS:
        hasher.update(_requirements(name).read_bytes())
        for path in sorted(_sources(name)):
            hasher.update(str(path.relative_to(ROOT)).encode())
            hasher.update(path.read_bytes())
    return hasher.hexdigest()


def _requirements(name: str) -> Path:
    return ROOT / "requirements" / f"fn-{name}.txt"


def _build_one(name: str, target: Target, into: Path) -> None:
    shutil.copytree(packages(name, target), into, copy_function=_link)
    own = {source.relative_to(ROOT) for source in _sources(name)}
    for source in own:
        (into / source).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / source, into / source)
    for folder in {source.parts[0] for source in own}:
        _compile(into / folder, target)


def packages(name: str, target: Target) -> Path:
    """The folder with a Lambda's packages, trimmed and compiled; installed where it is not there yet.

    Raises TidemarkError where one cannot be installed, with the installer's own words.
    """
    made_of = f"{DROPPED} {sorted(BOTOCORE_SERVICES)} {AWS_PYTHON} {AWS_PLATFORM} {sys.version_info[:2]}".encode()
    key = hashlib.sha256(made_of + _requirements(name).read_bytes()).hexdigest()[:16]
    folder = PACKAGES / f"{target}-{name}-{key}"
    if folder.exists():
        return folder
    PACKAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=PACKAGES, prefix="unfinished-") as unfinished:
        into = Path(unfinished) / "packages"
        _install(name, target, into)
        _trim(into)
        _compile(into, target)
        _take_place(into, folder, set(PACKAGES.glob(f"{target}-{name}-*")))
    return folder


def _link(source: str, place: str) -> None:
    """Packages are never changed in place: one copy of a file does, where the file system knows such links."""
    try:
        os.link(source, place)
    except OSError:
        shutil.copy2(source, place)


def _install(name: str, target: Target, into: Path) -> None:
    command = [
        *(sys.executable, "-m", "uv", "pip", "install", "--quiet", "--no-deps", "--require-hashes"),
        *("--link-mode", "copy", "--target", str(into.resolve()), "-r", str(_requirements(name))),
    ]
    if target == "aws":
        command += ["--python-version", AWS_PYTHON, "--python-platform", AWS_PLATFORM, "--only-binary", ":all:"]
    else:
        command += ["--python", sys.executable]
    # Elsewhere than here, where uv would read the constraints of our own resolution.
    result = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tempfile.gettempdir())
    if result.returncode:
        raise TidemarkError(f"the packages of the Lambda {name!r} cannot be installed: {result.stderr.strip()}")


def _sources(name: str) -> Iterator[Path]:
    """The project's own modules that a handler imports, directly or not, and the files that it reads."""
    yield from (ROOT / file for file in FILES.get(name, ()))
    finder = ModuleFinder(path=[str(ROOT)])
    finder.run_script(str(ROOT / "functions" / name / "handler.py"))
    for module in finder.modules.values():
        file, found = getattr(module, "__file__", None), getattr(module, "__name__", "")
        if file and found != "__main__":
            yield Path(file).resolve()
    yield ROOT / "functions" / name / "handler.py"
    yield ROOT / "functions" / name / "__init__.py"


def _trim(bundle: Path) -> None:
    for pattern in DROPPED:
        for path in list(bundle.rglob(pattern)):
            if path.is_dir():
                shutil.rmtree(path)
            elif path.exists():
                path.unlink()
    data = bundle / "botocore" / "data"
    if data.exists():
        for service in data.iterdir():
            if service.is_dir() and service.name not in BOTOCORE_SERVICES:
                shutil.rmtree(service)


def _compile(folder: Path, target: Target) -> None:
    """`.pyc` by the Python that will run them, valid whatever a file's date becomes in a zip."""
    if target == "aws" and sys.version_info[:2] != tuple(map(int, AWS_PYTHON.split("."))):
        python = aws_python()
        if python is None:
            return  # the Lambda compiles at its first start
        code = f"import compileall; compileall.compile_dir({str(folder)!r}, quiet=2, invalidation_mode=UNCHECKED)"
        code = code.replace("UNCHECKED", "__import__('py_compile').PycInvalidationMode.UNCHECKED_HASH")
        subprocess.run([python, "-c", code], check=True)
        return
    compileall.compile_dir(folder, quiet=2, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)


def aws_python() -> str | None:
    """A Python of the version that runs on AWS, where this machine has one: on the PATH, or of pyenv's."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    found = [shutil.which(f"python{AWS_PYTHON}"), *map(str, sorted(pyenv.glob(f"{AWS_PYTHON}.*/bin/python")))]
    for python in filter(None, found):
        if subprocess.run([python, "-c", ""], capture_output=True, check=False).returncode == 0:
            return python
    return None


if __name__ == "__main__":
    for function in FUNCTIONS:
        packages(function, "aws")
