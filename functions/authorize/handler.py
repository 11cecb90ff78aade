"""The authorizer in front of every route: who is it, and may they do this."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from tidemark import settings, tokens
from tidemark.access import METHODS, PUBLIC_PATHS, told
from tidemark.adapters import aws
from tidemark.errors import Unauthorized
from tidemark.keyring import Keyring

logger = Logger(service="authorize")
_settings = settings.load(settings.TokenSettings)
_keyring = Keyring(
    lambda: aws.secret(_settings.token_secret),
    lambda error: logger.error("the keys cannot be read again", extra={"error": error}),
)


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """An IAM policy for all that the token allows, or everybody may: API Gateway keeps it for every path.

    401 is said by raising. Scope, branches and the token's end go along in the context, for a route that asks for more
    than its path's pattern does.
    """
    stage = "/".join(event["methodArn"].split("/")[:2])
    if event.get("resource") in PUBLIC_PATHS:
        return _policy("anybody", stage, [f"GET{path}" for path in PUBLIC_PATHS])
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    try:
        token = tokens.bearer(headers.get("authorization"))
        _keyring.now()
        grant = tokens.verify(_keyring.knowing(tokens.key_of(token)), token)
    except Unauthorized as error:
        logger.warning("unauthorized", extra={"reason": str(error)})
        raise Exception("Unauthorized") from None  # noqa: TRY002  # the text is API Gateway's contract
    logger.info("known", extra={"scope": grant.scope, "token": grant.id})
    return {**_policy(grant.name, stage, METHODS[grant.scope]), "context": told(grant)}


def _policy(who: str, stage: str, methods: Iterable[str]) -> dict[str, Any]:
    return {
        "principalId": who,
        "policyDocument": {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Action": "execute-api:Invoke",
                    "Effect": "Allow",
                    "Resource": [f"{stage}/{method}" for method in methods],
                }
            ],
        },
    }
