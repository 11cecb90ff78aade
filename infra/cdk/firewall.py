"""The web firewall in front of the REST API and of the pages' load balancer."""

from __future__ import annotations

from aws_cdk import aws_wafv2 as wafv2
from constructs import Construct

VIEWER = "x-tidemark-viewer"  # CloudFront says in it whom it calls for, whatever the viewer said there
ONE_ADDRESS = 10_000  # requests that one address may make in five minutes: 33 a second, as many as 3,300 sales
# Of Amazon's rule groups: what is known to be bad, wherever it comes from. `SizeRestrictions_BODY` would refuse any
# body above 8 kB, and a POST of 500 sales has 150: the API has limits of its own.
MANAGED = {
    "AWSManagedRulesAmazonIpReputationList": (),
    "AWSManagedRulesKnownBadInputsRuleSet": (),
    "AWSManagedRulesCommonRuleSet": ("SizeRestrictions_BODY",),
}


class Firewall(Construct):
    """One list of rules for this region: CloudFront's requests pass it at the load balancer."""

    def __init__(self, scope: Construct, name: str) -> None:
        super().__init__(scope, name)
        self.acl = wafv2.CfnWebACL(
            self,
            "Acl",
            description="Tidemark: pages and API",
            scope="REGIONAL",
            default_action=wafv2.CfnWebACL.DefaultActionProperty(allow={}),
            visibility_config=_seen("tidemark"),
            rules=[
                *(self._managed(number, name, let_by) for number, (name, let_by) in enumerate(MANAGED.items())),
                self._rate(len(MANAGED), "one-address-api", pages=False),
                self._rate(len(MANAGED) + 1, "one-address-pages", pages=True),
            ],
        )

    def protect(self, scope: Construct, name: str, arn: str) -> wafv2.CfnWebACLAssociation:
        """Put it in front of a stage of an API, or of a load balancer."""
        return wafv2.CfnWebACLAssociation(scope, name, resource_arn=arn, web_acl_arn=self.acl.attr_arn)

    @staticmethod
    def _managed(number: int, name: str, let_by: tuple[str, ...]) -> wafv2.CfnWebACL.RuleProperty:
        return wafv2.CfnWebACL.RuleProperty(
            name=name,
            priority=number,
            override_action=wafv2.CfnWebACL.OverrideActionProperty(none={}),
            statement=wafv2.CfnWebACL.StatementProperty(
                managed_rule_group_statement=wafv2.CfnWebACL.ManagedRuleGroupStatementProperty(
                    vendor_name="AWS",
                    name=name,
                    rule_action_overrides=[
                        wafv2.CfnWebACL.RuleActionOverrideProperty(
                            name=rule, action_to_use=wafv2.CfnWebACL.RuleActionProperty(count={})
                        )
                        for rule in let_by
                    ]
                    or None,
                )
            ),
            visibility_config=_seen(name),
        )

    @staticmethod
    def _rate(number: int, name: str, *, pages: bool) -> wafv2.CfnWebACL.RuleProperty:
        """A limit by address: of the API's caller, or of the viewer that CloudFront called the load balancer for."""
        return wafv2.CfnWebACL.RuleProperty(
            name=name,
            priority=number,
            action=wafv2.CfnWebACL.RuleActionProperty(
                block=wafv2.CfnWebACL.BlockActionProperty(
                    custom_response=wafv2.CfnWebACL.CustomResponseProperty(
                        response_code=429,
                        response_headers=[wafv2.CfnWebACL.CustomHTTPHeaderProperty(name="Retry-After", value="60")],
                    )
                )
            ),
            statement=wafv2.CfnWebACL.StatementProperty(
                rate_based_statement=wafv2.CfnWebACL.RateBasedStatementProperty(
                    limit=ONE_ADDRESS,
                    evaluation_window_sec=300,
                    aggregate_key_type="FORWARDED_IP" if pages else "IP",
                    forwarded_ip_config=wafv2.CfnWebACL.ForwardedIPConfigurationProperty(
                        header_name=VIEWER, fallback_behavior="MATCH"
                    )
                    if pages
                    else None,
                    scope_down_statement=_not(_TO_THE_API) if pages else _TO_THE_API,
                )
            ),
            visibility_config=_seen(name),
        )


def _not(statement: wafv2.CfnWebACL.StatementProperty) -> wafv2.CfnWebACL.StatementProperty:
    return wafv2.CfnWebACL.StatementProperty(not_statement=wafv2.CfnWebACL.NotStatementProperty(statement=statement))


def _seen(name: str) -> wafv2.CfnWebACL.VisibilityConfigProperty:
    return wafv2.CfnWebACL.VisibilityConfigProperty(
        cloud_watch_metrics_enabled=True, metric_name=name, sampled_requests_enabled=False
    )


# API Gateway is called by this host and no other; the load balancer by CloudFront's.
_TO_THE_API = wafv2.CfnWebACL.StatementProperty(
    byte_match_statement=wafv2.CfnWebACL.ByteMatchStatementProperty(
        field_to_match=wafv2.CfnWebACL.FieldToMatchProperty(single_header={"Name": "host"}),
        positional_constraint="CONTAINS",
        search_string=".execute-api.",
        text_transformations=[wafv2.CfnWebACL.TextTransformationProperty(priority=0, type="LOWERCASE")],
    )
)
