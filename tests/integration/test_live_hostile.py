"""What no page does, and somebody will: the live page's service says no, and goes on."""

from __future__ import annotations

import socket

import httpx
import pytest
from wsproto.frame_protocol import FrameProtocol, Opcode

from tests.cloud import Cloud
from tests.sockets import browser
from ws_server.client import HEADERS_S
from ws_server.routes import BODY_S


def session(cloud: Cloud) -> str:
    """A signed-in browser's cookie."""
    with httpx.Client(base_url=cloud.live) as client:
        client.get(code_path(cloud))
        return client.cookies["tidemark_session"]


def code_path(cloud: Cloud) -> str:
    headers = {"Authorization": f"Bearer {cloud.tokens['read']}"}
    path: str = httpx.post(f"{cloud.live}/signin/codes", headers=headers).json()["path"]
    return path


@pytest.mark.parametrize("foreign", ["", "a[b]=1; ", 'x={"a":1}; ', "flag; ", 'y="\\\\\\"; '])
def test_other_cookies_of_the_host_are_no_hindrance(cloud: Cloud, foreign: str) -> None:
    with browser(cloud.live, None, cookie=f"{foreign}tidemark_session={session(cloud)}") as client:
        client.join()


def test_cookies_without_end_are_not_read(cloud: Cloud) -> None:
    bomb = 'a="' + '\\"' * 3_900
    parts = [bomb, bomb, bomb, f"tidemark_session={session(cloud)}"]
    host, port = cloud.live.removeprefix("http://").split(":")
    upgrade = ["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: YWJj"]
    lines = ["GET /socket.io/?EIO=4&transport=websocket HTTP/1.1", f"Host: {host}:{port}", *upgrade]
    with socket.create_connection((host, int(port)), timeout=20) as sock:
        sock.sendall("\r\n".join([*lines, *(f"Cookie: {part}" for part in parts), "", ""]).encode())
        assert sock.recv(100).startswith(b"HTTP/1.1 401")


def test_pings_without_end_end_the_socket(cloud: Cloud) -> None:
    with browser(cloud.live, cloud.tokens["read"]) as client:
        client.join()
        client.send(b"\x89\x80\x00\x00\x00\x00" * 100)
        client.read_to_the_end()
    assert client.closed == 1008


@pytest.mark.parametrize(
    "said",
    [
        '42["disconnect"]',
        '42["connect"]',
        '42["x",1]',
        '451-["x",{"_placeholder":true,"num":0}]',
        "40/admin,",
        "9",
        "",
        "[" * 900,
    ],
)
def test_a_packet_that_no_page_sends_ends_the_socket(cloud: Cloud, said: str) -> None:
    with browser(cloud.live, cloud.tokens["read"]) as client:
        client.join()
        client.say(said)
        client.read_to_the_end()
    assert client.closed == 1008


def test_a_message_may_come_in_parts(cloud: Cloud) -> None:
    with browser(cloud.live, cloud.tokens["read"]) as client:
        client.join()
        data = bytes(FrameProtocol(client=True, extensions=[]).send_data('427["clock",1]'))
        client.send(data[:5])
        assert httpx.get(f"{cloud.live}/healthz").is_success  # by then the server has read the first part
        client.send(data[5:])
        client.read_until("437[")


@pytest.mark.parametrize("opcode", [3, 11])
def test_a_frame_that_means_nothing_ends_the_socket(cloud: Cloud, opcode: int) -> None:
    with browser(cloud.live, cloud.tokens["read"]) as client:
        client.join()
        client.send(bytes([0x80 | opcode, 0x80, 0, 0, 0, 0]))
        client.read_to_the_end()
    assert opcode not in list(Opcode)
    assert client.closed == 1002


def test_another_pages_origin_is_refused_whatever_it_forwards(cloud: Cloud) -> None:
    with browser(
        cloud.live, cloud.tokens["read"], Origin="http://evil.example", X_Forwarded_Host="evil.example"
    ) as client:
        client.read()
    assert client.accepted is False


def test_a_code_is_used_once_however_it_is_written(cloud: Cloud) -> None:
    path = code_path(cloud)
    assert httpx.get(cloud.live + path).status_code == 302
    for again in (path, path + "=", path + "%3D"):
        assert httpx.get(cloud.live + again).status_code == 401


@pytest.mark.parametrize(
    "path",
    ["..%2f..%2f..%2f_ministack/health", "%2e%2e/%2e%2e/restapis", "../../restapis", "sales/%2e%2e", "a%00", "tokens"],
)
def test_only_the_apis_own_reads_are_passed_on(cloud: Cloud, path: str) -> None:
    host, port = cloud.live.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=20) as sock:
        lines = [f"GET /v1/{path} HTTP/1.1", f"Host: {host}", f"Authorization: Bearer {cloud.tokens['read']}"]
        sock.sendall("\r\n".join([*lines, "Connection: close", "", ""]).encode())
        assert sock.recv(1000).split()[1] in (b"400", b"404")


@pytest.mark.parametrize("name", ["./index.js", "%2e%2findex.js", "../index.html", "x/../index.js"])
def test_a_file_has_one_name(cloud: Cloud, name: str) -> None:
    host, port = cloud.live.removeprefix("http://").split(":")
    real = next(part for part in index(cloud).split('"') if part.startswith("/assets/") and part.endswith(".js"))
    asked = name.replace("index.js", real.removeprefix("/assets/"))
    with socket.create_connection((host, int(port)), timeout=20) as sock:
        sock.sendall(f"GET /assets/{asked} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        assert sock.recv(1000).split()[1] == b"404"


def index(cloud: Cloud) -> str:
    return httpx.get(cloud.live, headers={"Authorization": f"Bearer {cloud.tokens['read']}"}).text


def test_a_body_that_nobody_reads_ends_the_connection(cloud: Cloud) -> None:
    host, port = cloud.live.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=20) as sock:
        sock.sendall(f"POST /healthz HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n".encode())
        answer = b""
        while part := sock.recv(4096):
            answer += part
    assert answer.startswith(b"HTTP/1.1 405")


@pytest.mark.parametrize("begun", [b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ", b"GET / HTTP/1.1\r\n"])
def test_headers_that_do_not_come_are_not_waited_for(cloud: Cloud, begun: bytes) -> None:
    host, port = cloud.live.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=HEADERS_S + 20) as sock:
        sock.sendall(begun)
        assert sock.recv(1000).startswith(b"HTTP/1.1 400")
        assert sock.recv(1000) == b""


def test_a_body_that_does_not_come_is_not_waited_for(cloud: Cloud) -> None:
    host, port = cloud.live.removeprefix("http://").split(":")
    lines = ["POST /v1/feedback HTTP/1.1", "Host: x", f"Authorization: Bearer {cloud.tokens['read']}"]
    with socket.create_connection((host, int(port)), timeout=BODY_S + 20) as sock:
        head = [*lines, "Content-Type: application/json", "Content-Length: 900", "", "{"]
        sock.sendall("\r\n".join(head).encode())
        assert sock.recv(1000).startswith(b"HTTP/1.1 400")
