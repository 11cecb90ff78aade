"""A token of one branch, from API Gateway to the ledger: it posts and sees that branch's sales, and no others."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cloud import Cloud
from tests.samples import sale

OWN, OTHER = "branch-own", "branch-other"
DAY = {"from": "2018-03-01", "to": "2018-03-02"}


@pytest.fixture(scope="module")
def held(cloud: Cloud) -> dict[str, str]:
    """Tokens of the branch, by scope; the other's sale is there."""
    made = {scope: cloud.run("token", scope, "--branch", OWN).stdout.strip() for scope in ("ingest", "read")}
    rows = [sale(f"{branch}-1", branch=branch, sold_at="2018-03-01T12:00:00Z") for branch in (OWN, OTHER)]
    assert {result["status"] for result in cloud.post({"sales": rows}).json()["results"]} == {"accepted"}
    return made


def test_it_posts_its_own_sales_only(cloud: Cloud, held: dict[str, str]) -> None:
    rows = [sale(f"{branch}-2", branch=branch, sold_at="2018-03-01T12:00:00Z") for branch in (OWN, OTHER)]
    answer = cloud.post({"sales": rows}, held["ingest"])
    assert answer.status_code == 200
    assert [result["status"] for result in answer.json()["results"]] == ["accepted", "rejected"]
    assert answer.json()["results"][1]["reason"] == f"branch: this token is of branch {OWN} only"
    assert cloud.get(f"/v1/sales/{OTHER}-2").status_code == 404
    assert cloud.get("/v1/kpis", held["ingest"]).status_code == 403


def test_it_sees_its_own_sales_only(cloud: Cloud, held: dict[str, str]) -> None:
    def get(path: str, **query: Any) -> Any:
        return cloud.get(path, held["read"], **query)

    everything = cloud.kpis(**DAY)
    own = get("/v1/kpis", **DAY).json()
    assert 0 < own["tickets"] < everything["tickets"]
    assert own == cloud.kpis(branch=OWN, **DAY)
    assert {cell["branch"] for cell in get("/v1/cells", **DAY).json()["cells"]} == {OWN}
    assert {sold["branch"] for sold in get("/v1/sales", branch=OWN, **DAY).json()["sales"]} == {OWN}
    for path, query in (("/v1/kpis", DAY), ("/v1/sales", DAY)):
        assert get(path, branch=OTHER, **query).status_code == 403
    hidden, missing = get(f"/v1/sales/{OTHER}-1"), get("/v1/sales/nowhere")
    assert (hidden.status_code, hidden.text.replace(f"{OTHER}-1", "nowhere")) == (404, missing.text)
    assert get(f"/v1/sales/{OWN}-1").status_code == 200
    for path in ("/v1/snapshot", "/v1/forecast", "/v1/flows"):
        assert get(path).status_code == 403
    assert cloud.get(f"/v1/sales/{OTHER}-1").status_code == 200  # what is kept of one token's policy is not another's
