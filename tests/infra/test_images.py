"""The images: pinned, without root; they tell whether they are well, hold what they import, and can be made."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from infra import bundles, images
from infra.images import Image
from tests.infra.dockerfile import Made, follow, said, steps
from tests.templates import Templates
from tidemark.deployment.cdk import BIN

NAMED = rf"python:{re.escape(bundles.AWS_PYTHON)}\.\d+-slim-\w+|node:\d+\.\d+\.\d+-\w+-slim"
BASE = rf"({NAMED})@sha256:[0-9a-f]{{64}}( AS \w+)?"
IMPORTED = {
    # PyJWT finds cryptography, and Streamlit Authlib, only when somebody signs in.
    "live": ["ws_server.app", "ws_server.routes", "ws_server.reader", "cryptography.hazmat.primitives.asymmetric.rsa"],
    "explorer": [
        *("streamlit_app.serve", "streamlit_app.front", "authlib.integrations.starlette_client"),
        *("streamlit_app.explorer.linked_views", "streamlit_app.explorer.report"),
    ],
    "worker": ["flows.worker", "flows.housing_data", "flows.housing_ml", "flows.sales_watch", "flows.sales_model"],
    "mlflow": ["infra.images.server", "mlflow.server", "boto3"],
    "prefect": ["infra.images.server", "prefect.server.api.server"],
}


@pytest.mark.parametrize("image", images.ALL, ids=lambda image: image.name)
def test_an_image_is_pinned_slim_without_root_and_tells_whether_it_is_well(image: Image) -> None:
    found = steps(image)
    for step in found:
        if step.word == "FROM":
            assert re.fullmatch(BASE, step.rest), step
    users = [step.rest for step in found if step.word == "USER"]
    assert users == ["10001"]
    installed = [step.rest for step in found if "pip" in step.rest]
    assert installed
    assert all("--require-hashes" in rest and "--no-deps" in rest for rest in installed)
    assert said(image, "HEALTHCHECK")[0] == "python"
    assert said(image, "CMD")[0] == "python"


@pytest.mark.parametrize("image", images.ALL, ids=lambda image: image.name)
def test_an_image_holds_what_it_imports_and_nothing_else(image: Image) -> None:
    """`python -m infra.images` writes the lists anew."""
    assert "\n".join(image.ignored) + "\n" == images.listed(image)
    held = image.contents()
    assert not [name for name in held if "test" in Path(name).name and name.endswith(".py")]
    assert not [name for name in held if name.startswith(("benchmarks/", "tests/", "tidemark/local/", "docs/"))]


def test_ecs_asks_what_the_dockerfile_asks_whether_a_container_is_well(dev: Templates) -> None:
    asked = {
        name.split("Task")[0].split("/")[1].lower(): task["ContainerDefinitions"][0]["HealthCheck"]["Command"]
        for name, task in dev.properties("AWS::ECS::TaskDefinition").items()
    }
    named = {"page": images.LIVE, "app": images.EXPLORER}
    named |= {image.name: image for image in images.ALL if image not in named.values()}
    assert asked == {name: ["CMD", *said(image, "HEALTHCHECK")] for name, image in named.items()}


def made(image: Image, tmp_path: Path) -> Made:
    """The image, made here by the Python that its base has; its Node is this project's."""
    python = bundles.aws_python()
    if python is None:
        pytest.skip(f"the images have Python {bundles.AWS_PYTHON}, and there is none here")
    code = "import sys; print(sys.base_prefix)"
    prefix = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    return follow(image, tmp_path, os.pathsep.join([f"{prefix}/bin", str(BIN), "/usr/bin", "/bin"]))


def imports(made: Made, modules: list[str]) -> None:
    code = f"import importlib\nfor name in {modules}:\n    importlib.import_module(name)"
    done = made.run("python", "-c", code, TIDEMARK_LAKE_BUCKET="x")
    assert done.returncode == 0, done.stderr[-3000:]


@pytest.mark.long
def test_the_live_pages_image_can_be_made_and_starts(tmp_path: Path) -> None:
    image = made(images.LIVE, tmp_path)
    imports(image, IMPORTED["live"])
    assert (image.workdir / "page" / "index.html").exists()
    started = image.run(*said(images.LIVE, "CMD"))
    assert "TIDEMARK_" in started.stderr.splitlines()[-1], "all is there but its settings"


@pytest.mark.long
@pytest.mark.timeout(1_800)
@pytest.mark.parametrize("image", [image for image in images.ALL if image.name != "live"], ids=lambda image: image.name)
def test_an_image_can_be_made_and_has_what_it_imports(image: Image, tmp_path: Path) -> None:
    imports(made(image, tmp_path), IMPORTED[image.name])
