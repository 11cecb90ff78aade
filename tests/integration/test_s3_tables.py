"""Tables below a prefix in S3, on ministack, an emulator."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.cloud import Cloud
from tidemark.errors import BadRequest
from tidemark.local import stores
from tidemark.local.services import aws_environment
from tidemark.tables.sources import of_path, opened

BUCKET = "own-tables"


@pytest.fixture(scope="module")
def filled(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A bucket with tables, and its client."""
    client = stores.client(cloud.home, "s3")
    fill(client, tmp_path_factory.mktemp("filled"))
    return client


@pytest.fixture
def s3(cloud: Cloud, filled: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Its client, where the environment names where it is."""
    for name, value in aws_environment(cloud.home, cloud.home.port("ministack")).items():
        monkeypatch.setenv(name, value)
    return filled


def fill(client: Any, folder: Path) -> None:
    """Two Parquet files whose columns differ, CSV files, and one that is broken."""
    client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": client.meta.region_name})
    for name, columns in (("a", {"id": [1, 2], "name": ["x", "y"]}), ("b", {"id": [3], "price": [2.5]})):
        pq.write_table(pa.table(columns), folder / f"{name}.parquet")
        client.put_object(
            Bucket=BUCKET, Key=f"sales/day={name}/{name}.parquet", Body=(folder / f"{name}.parquet").read_bytes()
        )
    client.put_object(Bucket=BUCKET, Key="csv/a.csv", Body=b"id,price\n1,2.5\n2,3\n")
    client.put_object(Bucket=BUCKET, Key="csv/b.csv", Body=b"id,price\n3,1\n")
    client.put_object(Bucket=BUCKET, Key="broken/a.csv", Body=b"id,price\n3,1\n4\n")


def test_a_prefix_is_a_table(s3: Any, tmp_path: Path) -> None:
    sales = of_path(f"s3://{BUCKET}/sales/")
    table = opened(sales, tmp_path / "tables")
    assert (table.rows, list(table.columns)) == (3, ["id", "name", "price"])
    assert table.notes == ("Not all files have name, price: missing there.",)
    assert opened(of_path(f"s3://{BUCKET}/csv"), tmp_path / "tables").rows == 3
    assert opened(of_path(f"s3://{BUCKET}/csv/b.csv"), tmp_path / "tables").rows == 1
    s3.put_object(Bucket=BUCKET, Key="csv/c.csv", Body=b"id,price\n5,1\n")
    assert opened(of_path(f"s3://{BUCKET}/csv"), tmp_path / "tables").rows == 4
    assert not list((tmp_path / "tables").glob("*.part"))


def test_what_s3_refuses_is_told(s3: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for path, words in (
        (f"s3://{BUCKET}/broken", "a.csv, line 3: 1 columns where the header has 2"),
        (f"s3://{BUCKET}/nothing", "no Parquet or CSV file is there"),
        ("s3://no-such-bucket-here/sales", "there is no such bucket"),
        ("s3://", "which bucket"),
    ):
        with pytest.raises(BadRequest, match=words):
            opened(of_path(path), tmp_path / "tables")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9")
    with pytest.raises(BadRequest, match="the service cannot be reached"):
        of_path(f"s3://{BUCKET}/sales")
