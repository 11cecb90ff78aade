"""What CloudFront runs on each request, run by Node."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest

from infra.cdk.firewall import VIEWER
from infra.cdk.front_door import VIEWER_FUNCTION
from tidemark.deployment.cdk import BIN

LARGEST = 10_240  # bytes (AWS, CloudFront Functions)


def answer(headers: dict[str, str]) -> dict[str, Any]:
    event = {
        "viewer": {"ip": "203.0.113.7"},
        "request": {"uri": "/", "headers": {name: {"value": value} for name, value in headers.items()}},
    }
    code = f"{VIEWER_FUNCTION.read_text()}\nconsole.log(JSON.stringify(handler({json.dumps(event)})));"
    done = subprocess.run([str(BIN / "node"), "-e", code], capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("tls", ["TLSv1:AES128-SHA:fullHandshake", "TLSv1.1:AES128-SHA:fullHandshake"])
def test_old_tls_is_sent_away(tls: str) -> None:
    assert answer({"cloudfront-viewer-tls": tls})["statusCode"] == 426


@pytest.mark.parametrize("tls", ["TLSv1.2:ECDHE-RSA-AES128-GCM-SHA256:x", "TLSv1.3:TLS_AES_128_GCM_SHA256:x"])
def test_the_firewall_is_told_of_the_viewer_whatever_the_viewer_says(tls: str) -> None:
    passed = answer({"cloudfront-viewer-tls": tls, VIEWER: "198.51.100.1", "x-forwarded-for": "198.51.100.1"})
    assert passed["headers"][VIEWER]["value"] == "203.0.113.7"
    assert passed["uri"] == "/"


def test_it_is_small_enough() -> None:
    assert len(VIEWER_FUNCTION.read_bytes()) <= LARGEST
