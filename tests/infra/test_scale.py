"""What `docs/scale.md` says of our own settings is what is deployed."""

from __future__ import annotations

import re

import pytest

from benchmarks.scale import limits
from infra.cdk import firewall, http_api
from tests.templates import Templates
from tidemark.settings import LivePageSettings


def test_what_the_simulation_knows_of_api_and_firewall(prod: Templates) -> None:
    assert limits.STAGE_RATE.value == http_api.RATE
    assert limits.ONE_ADDRESS.value == pytest.approx(firewall.ONE_ADDRESS / 300)
    (stage,) = prod.properties("AWS::ApiGateway::Stage").values()
    (setting,) = (one for one in stage["MethodSettings"] if "ThrottlingRateLimit" in one)
    assert setting["ThrottlingRateLimit"] == limits.STAGE_RATE.value
    kept = {one.get("AuthorizerResultTtlInSeconds") for one in prod.properties("AWS::ApiGateway::Authorizer").values()}
    assert limits.TOKEN_KNOWN_S.value in kept


def test_what_the_simulation_knows_of_lambdas(prod: Templates) -> None:
    functions = {
        one["Description"]: one for one in prod.properties("AWS::Lambda::Function").values() if "Description" in one
    }
    assert functions["Tidemark: ingest"]["MemorySize"] == pytest.approx(limits.INGEST_CPU.value * 1_769)
    mappings = prod.properties("AWS::Lambda::EventSourceMapping")
    (archive,) = (one for name, one in mappings.items() if re.search("Archive", name))
    assert archive["BatchSize"] == limits.ARCHIVE_BATCH.value
    assert archive["MaximumBatchingWindowInSeconds"] == limits.ARCHIVE_WINDOW_S.value
    assert all(one.get("ParallelizationFactor", 1) == limits.PARALLEL.value for one in mappings.values())


def test_what_the_simulation_knows_of_the_live_page(prod: Templates) -> None:
    assert LivePageSettings.max_clients == limits.TASK_CLIENTS.value
    (service,) = (one for name, one in prod.properties("AWS::ECS::Service").items() if name.startswith("TidemarkLive/"))
    assert service["DesiredCount"] == limits.TASKS.value


def test_tables_are_not_warmed_in_advance(prod: Templates) -> None:
    """`docs/scale.md` says that this is not built."""
    assert not any("WarmThroughput" in table for table in prod.properties("AWS::DynamoDB::GlobalTable").values())
