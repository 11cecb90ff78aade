"""The API's description (OpenAPI 3.1): what each route answers, with examples, and the routes of other Lambdas."""

from __future__ import annotations

from typing import Any

import msgspec
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from functions.api import examples, feedback, models, operations, results, sales, sales_examples
from functions.api.answers import REF, refused
from tidemark import sale, verdicts
from tidemark.dead_letters import Redriven
from tidemark.housing import requests
from tidemark.kpis import Kpis
from tidemark.ports import FeedbackPage, SalesPage
from tidemark.runs import RunPage


class Health(msgspec.Struct, frozen=True):
    """The API answers."""

    status: str
    version: str


# What routes answer with; their names are the schemas' names.
KINDS: tuple[type, ...] = (
    *(Health, Kpis, sales.CellsOfRange, sales.Snapshot, SalesPage, sales.OneSale, feedback.Kept, FeedbackPage),
    *(results.Flows, RunPage, results.RunReport, results.RunLog, results.RunFiles, results.Summary, results.Eda),
    *(results.Batches, results.Metrics, results.Models, models.SalesModel, models.Forecasting, verdicts.VerdictsKept),
    *(operations.Queues, Redriven),
)
PUBLIC = {"/healthz"}
_ERROR = {
    "type": "object",
    "description": "What is wrong, and where",
    "required": ["error"],
    "properties": {"error": {"type": "string"}},
}

_POSTED = {
    "type": "object",
    "required": ["results", "model"],
    "properties": {
        "results": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["invoice_id", "status"],
                "properties": {
                    "invoice_id": {"type": ["string", "null"]},
                    "status": {"enum": ["accepted", "duplicate", "conflict", "rejected"]},
                    "reason": {"type": "string"},
                    "score": {"type": "number"},
                    "flags": {"type": "array", "items": {"type": "string"}},
                },
            },
        },
        "model": {"type": "string"},
    },
}


def described(app: FastAPI) -> dict[str, Any]:
    """The description of all routes, with what other Lambdas answer beside them."""
    if app.openapi_schema is None:
        app.openapi_schema = _describe(app)
    return app.openapi_schema


def _describe(app: FastAPI) -> dict[str, Any]:
    found = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
    paths, schemas = found["paths"], found.setdefault("components", {}).setdefault("schemas", {})
    paths.setdefault("/v1/sales", {})["post"] = _ingest()
    asked, answer, parts = requests.json_schemas(REF)
    paths["/v1/housing/predict"] = {"post": _predict(asked, answer)}
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    schemas.update(msgspec.json.schema_components(KINDS, ref_template=REF)[1])
    schemas.update({**parts, "Error": _ERROR})
    found["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    for path, methods in paths.items():
        for operation in methods.values():
            _complete(operation, guarded=path not in PUBLIC)
    return found


def _complete(operation: dict[str, Any], *, guarded: bool) -> None:
    """What holds for every route: where errors look alike, and who may call."""
    told = operation["responses"]
    told.pop("422", None)  # FastAPI's own; here it is 400
    if operation.get("parameters"):
        told.setdefault("400", refused("A parameter cannot be used"))
    if any(parameter["in"] == "path" for parameter in operation.get("parameters", ())):
        told.setdefault("404", refused("There is no such thing"))
    for content in (content for response in told.values() for content in response.get("content", {}).values()):
        if "$ref" in content["schema"]:
            content["schema"].pop("type", None)  # FastAPI takes what is not its own JSONResponse for text
    if guarded:
        operation["security"] = [{"token": []}]
        told.setdefault("401", refused("A valid token is needed"))
        told.setdefault("403", refused("The token does not have the scope for this"))


def _ingest() -> dict[str, Any]:
    return {
        "summary": "Take 1 to 500 sales",
        "description": "Sending a sale again is safe: it is answered `duplicate` and counted once.",
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": {
                        "type": "object",
                        "required": ["sales"],
                        "additionalProperties": False,
                        "properties": {
                            "sales": {
                                "type": "array",
                                "minItems": 1,
                                "maxItems": sale.MAX_SALES,
                                "items": {k: v for k, v in sale.json_schema().items() if k[0] != "$"},
                            }
                        },
                    }
                }
            },
        },
        "responses": {
            "200": {
                "description": "A result for each sale, in the order sent",
                "content": {"application/json": {"schema": _POSTED, "example": sales_examples.POSTED}},
            },
            "400": refused("The envelope is wrong; nothing is taken"),
            "413": refused("The body is over 1 MiB"),
            "503": refused("Not now; send the same again"),
        },
    }


def _predict(asked: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
    return {
        "summary": "Price 1 to 500 blocks of houses",
        "description": "What the champion of the promotion gate says, in dollars of 1990: price, an interval, how"
        " likely each price band is, and for at most 20 blocks what moves the price. A body is"
        " `{blocks, explain}`, or one block alone. The same blocks and model give the same answer.",
        "operationId": "predict",
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": asked,
                    "examples": {
                        "blocks": {"summary": "Some blocks", "value": examples.PREDICT},
                        "block": {"summary": "One block", "value": examples.BLOCK},
                    },
                }
            },
        },
        "responses": {
            "200": {
                "description": "A prediction for each block, in the order sent",
                "content": {"application/json": {"schema": answer, "example": examples.PREDICTED}},
            },
            "400": refused("What is wrong, with block and field"),
            "413": refused("The body is over 1 MiB"),
            "503": refused("No model serves yet, or none can be read just now"),
        },
    }
