"""The authorizer in front of every route: who is it, and may they do this."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from tidemark import settings, tokens
from tidemark.adapters import aws
from tidemark.errors import Unauthorized
from tidemark.tokens import Scope

_secret = aws.secret(settings.load(settings.TokenSettings).token_secret)
logger = Logger(service="authorize")


METHODS: dict[Scope, tuple[str, ...]] = {
    "ingest": ("POST/v1/sales",),
    "read": ("GET/v1/*", "POST/v1/feedback", "POST/v1/verdicts", "POST/v1/housing/predict"),
    "admin": ("POST/v1/*", "GET/v1/*"),
}


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """An IAM policy for all that the token allows: API Gateway keeps it for every path. 401 is said by raising.

    The scope goes along in the context, for a route that asks for more than its path's pattern does.
    """
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    try:
        grant = tokens.verify(_secret, tokens.bearer(headers.get("authorization")))
    except Unauthorized as error:
        logger.warning("unauthorized", extra={"reason": str(error)})
        raise Exception("Unauthorized") from None  # noqa: TRY002  # the text is API Gateway's contract
    logger.info("known", extra={"scope": grant.scope})
    stage = "/".join(event["methodArn"].split("/")[:2])
    return {
        "principalId": grant.name,
        "context": {"scope": grant.scope},
        "policyDocument": {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Action": "execute-api:Invoke",
                    "Effect": "Allow",
                    "Resource": [f"{stage}/{method}" for method in METHODS[grant.scope]],
                }
            ],
        },
    }
