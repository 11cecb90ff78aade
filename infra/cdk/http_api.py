"""The REST API: who may call which path, and which Lambda answers."""

from __future__ import annotations

import json

import aws_cdk as cdk
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.cdk.network import retention
from tidemark.access import PUBLIC_PATHS
from tidemark.keyring import FRESH_S

EVERYBODY = "everybody"
RATE = 2_000  # requests a second, all clients together
BURST = 1_000
RETRY_AFTER_S = 1
# Who asked what, and how it went; no address and no user.
ACCESS_LOG = json.dumps(
    {
        "requestId": "$context.requestId",
        "time": "$context.requestTime",
        "method": "$context.httpMethod",
        "path": "$context.resourcePath",
        "status": "$context.status",
        "bytes": "$context.responseLength",
        "ms": "$context.responseLatency",
    }
)


class HttpApi(Construct):
    """Posted sales to ingest, houses to price to predict, all else to the API.

    What each call needs is said in one place, `tidemark/access.py`, and decided by the authorizer, for every path.
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        authorize: lambda_.Function,
        ingest: lambda_.Function,
        api: lambda_.Function,
        predict: lambda_.Function,
        log_days: int,
    ) -> None:
        super().__init__(scope, name)
        self._authorizer = apigateway.RequestAuthorizer(
            self,
            "Authorizer",
            handler=authorize,
            identity_sources=[apigateway.IdentitySource.header("Authorization")],
            results_cache_ttl=cdk.Duration.seconds(FRESH_S),
        )
        # API Gateway asks an authorizer only where what identifies the caller is there: this one's always is.
        self._public = apigateway.RequestAuthorizer(
            self,
            "Public",
            handler=authorize,
            identity_sources=[apigateway.IdentitySource.stage_variable(EVERYBODY)],
            results_cache_ttl=cdk.Duration.hours(1),
        )
        access_log = logs.LogGroup(
            self, "AccessLog", retention=retention(log_days), removal_policy=cdk.RemovalPolicy.DESTROY
        )
        self.rest_api = apigateway.RestApi(
            self,
            "Api",
            rest_api_name="tidemark",
            endpoint_types=[apigateway.EndpointType.REGIONAL],
            cloud_watch_role=False,
            deploy_options=apigateway.StageOptions(
                stage_name="live",
                variables={EVERYBODY: "may"},
                throttling_rate_limit=RATE,
                throttling_burst_limit=BURST,
                access_log_destination=apigateway.LogGroupLogDestination(access_log),
                access_log_format=apigateway.AccessLogFormat.custom(ACCESS_LOG),
            ),
        )
        self._refuse_as_json()
        to_api = apigateway.LambdaIntegration(api)
        for path in PUBLIC_PATHS:
            self._guarded(self.rest_api.root.add_resource(path.strip("/")), "GET", to_api, self._public)
        v1 = self.rest_api.root.add_resource("v1")
        sales = v1.add_resource("sales")
        self._guarded(sales, "POST", apigateway.LambdaIntegration(ingest))
        self._guarded(sales, "GET", to_api)
        self._guarded(sales.add_resource("{invoice_id}"), "GET", to_api)
        feedback = v1.add_resource("feedback")
        self._guarded(feedback, "POST", to_api)
        self._guarded(feedback, "GET", to_api)
        self._guarded(v1.add_resource("verdicts"), "POST", to_api)
        operations = v1.add_resource("operations")
        self._guarded(operations, "GET", to_api)
        self._guarded(operations.add_resource("redrive"), "POST", to_api)
        housing = v1.add_resource("housing")
        self._guarded(housing.add_resource("predict"), "POST", apigateway.LambdaIntegration(predict))
        self._guarded(housing.add_resource("{proxy+}"), "GET", to_api)
        self._guarded(v1.add_resource("{proxy+}"), "GET", to_api)

    def _guarded(
        self,
        resource: apigateway.Resource,
        method: str,
        to: apigateway.Integration,
        by: apigateway.RequestAuthorizer | None = None,
    ) -> None:
        resource.add_method(
            method, to, authorizer=by or self._authorizer, authorization_type=apigateway.AuthorizationType.CUSTOM
        )

    def _refuse_as_json(self) -> None:
        """What API Gateway refuses by itself looks like what the Lambdas refuse: `{"error": …}`."""
        plain = {"application/json": '{"error":$context.error.messageString}'}
        for name, kind in {
            "Default4xx": apigateway.ResponseType.DEFAULT_4_XX,
            "Default5xx": apigateway.ResponseType.DEFAULT_5_XX,
        }.items():
            self.rest_api.add_gateway_response(name, type=kind, templates=plain)
        # Whoever is turned away for now is told when to come again, as the Lambdas tell it.
        for name, kind, status in (
            ("Throttled", apigateway.ResponseType.THROTTLED, "429"),
            ("LateAnswer", apigateway.ResponseType.INTEGRATION_TIMEOUT, "503"),
            ("NoAnswer", apigateway.ResponseType.INTEGRATION_FAILURE, "503"),
            ("NobodyToAsk", apigateway.ResponseType.AUTHORIZER_FAILURE, "503"),
            ("AuthorizerIsBusy", apigateway.ResponseType.AUTHORIZER_CONFIGURATION_ERROR, "503"),
        ):
            self.rest_api.add_gateway_response(
                name,
                type=kind,
                status_code=status,
                response_headers={"Retry-After": f"'{RETRY_AFTER_S}'"},
                templates={"application/json": '{"error":"busy just now; send the same again"}'},
            )
        self.rest_api.add_gateway_response(
            "Unauthorized",
            type=apigateway.ResponseType.UNAUTHORIZED,
            status_code="401",
            templates={"application/json": '{"error":"a valid Authorization: Bearer token is needed"}'},
        )
        self.rest_api.add_gateway_response(
            "Forbidden",
            type=apigateway.ResponseType.ACCESS_DENIED,
            status_code="403",
            templates={"application/json": '{"error":"this token does not have the scope for this"}'},
        )
