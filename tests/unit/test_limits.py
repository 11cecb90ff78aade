"""What `docs/limits.md` says against the code, and limits that are seen to hold."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path
from typing import Any

import httpx
import pytest

from tidemark.errors import BadRequest, TidemarkError
from tidemark.housing import arrays
from tidemark.housing.price_model import PriceModel
from tidemark.models import demand_model, sales_model
from tidemark.tables import csv_text, room
from ws_server import provider

ROOT = Path(__file__).resolve().parents[2]
ROW = re.compile(r"^\|[^|]*\| ([\d,]+) \|[^|]*\| `([\w.]+)` \|$", re.MULTILINE)
NAMED = re.compile(
    r"^(MAX_BODY_BYTES|MAX_SALES|LARGEST|UNPACKED|MESSAGE|MOST_COLUMNS|LONGEST_(?:LINE|COOKIE|NAME))\b.*=", re.MULTILINE
)
FOLDERS = ("tidemark", "functions", "ws_server", "streamlit_app")


def in_code(name: str) -> Any:
    parts = name.split(".")
    for end in range(len(parts) - 1, 0, -1):
        try:
            found: Any = import_module(".".join(parts[:end]))
        except ModuleNotFoundError:
            continue
        for part in parts[end:]:
            found = getattr(found, part)
        return found
    raise AssertionError(f"{name} is nowhere")


def rows() -> list[tuple[str, str]]:
    return ROW.findall((ROOT / "docs" / "limits.md").read_text())


def test_each_limit_is_what_the_page_says() -> None:
    assert len(rows()) >= 30
    for limit, name in rows():
        assert in_code(name) == int(limit.replace(",", "")), name


def test_each_limit_of_a_size_is_on_the_page() -> None:
    told = {name for _, name in rows()}
    for folder in FOLDERS:
        for path in (ROOT / folder).rglob("*.py"):
            module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            for name in NAMED.findall(path.read_text()):
                assert f"{module}.{name}" in told, "a limit that docs/limits.md does not tell"


@pytest.mark.parametrize(
    ("loads", "most"),
    [
        (sales_model.loads, sales_model.LARGEST),
        (demand_model.loads, demand_model.LARGEST),
        (PriceModel.loads, arrays.LARGEST),
    ],
)
def test_a_model_larger_than_any_is_not_read(loads: Any, most: int) -> None:
    with pytest.raises(TidemarkError, match=f"at most {most:,} bytes"):
        loads(bytes(most + 1))


def test_a_line_without_end_is_not_kept_in_memory(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_bytes(b"x" * (csv_text.LONGEST_LINE + 1))
    with pytest.raises(BadRequest, match="4 MiB in one line"):
        csv_text.encoding_of(file)


def test_a_file_that_unpacks_to_more_than_there_is_room_for_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "a.csv"
    file.write_bytes("é\n".encode("latin-1") * 100)
    monkeypatch.setattr(room, "free", lambda _: 100)
    (tmp_path / "into").mkdir()
    with pytest.raises(BadRequest, match="no room"):
        csv_text.to_utf8(file, "latin-1", tmp_path / "into")


def test_an_answer_without_end_is_not_read_to_its_end() -> None:
    parts = 0

    def answer(_: httpx.Request) -> httpx.Response:
        def content() -> Any:
            nonlocal parts
            while True:
                parts += 1
                yield b" " * 65_536

        return httpx.Response(200, content=content())

    client = httpx.Client(transport=httpx.MockTransport(answer))
    with client, client.stream("GET", "http://x") as found, pytest.raises(ValueError, match="without end"):
        provider._all_of(found)
    assert parts <= provider.LARGEST // 65_536 + 2
