"""A path in an address leads to what it names, and to no file or object beside it: the live page's files, the API's
runs, files and sales."""

from __future__ import annotations

import re
import socket
from urllib.parse import urlsplit

import pytest

from tests.cloud import Cloud
from tests.trust import tell

# `..` as it may be written, and what else has led out of a folder somewhere.
UP = ("..", "%2e%2e", "%2E.", "..%00", "..%5c..", "%252e%252e", "..;", "%c0%ae%c0%ae", "....//", "\\..", "/etc", "//")
LIVE = (
    "/assets/{up}/index.html",
    "/assets/{up}/{up}/{up}/pyproject.toml",
    "/assets/{up}%2f{up}%2fpackage.json",
    "/{up}/x",
)
API = (
    "/v1/flows/housing-data/runs/{up}",
    "/v1/flows/housing-data/runs/{up}/report.md",
    "/v1/flows/housing-data/runs/x/files/{up}/{up}/models/sales.model",
    "/v1/flows/{up}/runs",
    "/v1/flows/housing-data/runs/{up}/files/x",
    "/v1/housing/eda/{up}",
    "/v1/housing/eda/{up}%2f{up}%2fmodels",
    "/v1/sales/{up}",
)
SECRETS = (b"[project]", b"devDependencies", b"root:", b"TIDEMARK", b"Traceback")


def asked(address: str, path: str, token: str) -> tuple[int, bytes]:
    """The status and all that is answered to a path that no client tidies up."""
    place = urlsplit(address)
    lines = [f"GET {place.path}{path} HTTP/1.1", f"Host: {place.netloc}", f"Authorization: Bearer {token}"]
    with socket.create_connection((place.hostname or "", place.port or 80), timeout=30) as sock:
        sock.sendall("\r\n".join([*lines, "Connection: close", "", ""]).encode("latin-1"))
        answer = b""
        while part := sock.recv(65_536):
            answer += part
    return int(answer.split(maxsplit=2)[1]), answer


@pytest.mark.parametrize("which", ["live", "api"])
def test_no_path_leads_out(cloud: Cloud, which: str) -> None:
    address, paths = (cloud.live, LIVE) if which == "live" else (cloud.api, API)
    tried = 0
    for path in paths:
        for up in UP:
            status, answer = asked(address, path.format(up=up), cloud.tokens["read"])
            assert 400 <= status < 500 or _tidied(status, answer, address), (path, up, status)
            assert not any(secret in answer for secret in SECRETS), (path, up)
            tried += 1
    tell(f"paths {which}", paths=tried)


def _tidied(status: int, answer: bytes, address: str) -> bool:
    """Whether several slashes led to the same path with one, of the same host."""
    place = re.search(rb"\r\nLocation: (.*)\r\n", answer)
    own = (f"{address}/".encode(), b"/")
    return status == 308 and place is not None and place[1].startswith(own) and not place[1].startswith(b"//")
