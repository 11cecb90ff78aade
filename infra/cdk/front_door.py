"""The one public address of the pages: CloudFront over HTTPS, a load balancer that nobody else reaches behind it."""

from __future__ import annotations

import json
from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_cloudfront_origins as origins
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticloadbalancingv2 as elb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.cdk.firewall import Firewall
from infra.cdk.network import ADDRESSES, Network
from infra.cdk.sizes import Profile

IDLE_S = 120  # a socket is pinged every 10 s
LOGS_DAYS = 30
VIEWER_FUNCTION = Path(__file__).parent / "viewer.js"
EXPLORER_PATH = "/explorer"
# What is asked by the name of its content never changes.
IMMUTABLE = ("/assets/*", f"{EXPLORER_PATH}/static/*")


class FrontDoor(Construct):
    """Every request passes CloudFront, the firewall and the load balancer; `route` adds a container behind a path.

    Without a domain of its own it is called `https://….cloudfront.net`. CloudFront reaches the load balancer through a
    VPC origin, sockets included (AWS, May 2026): it has no public address.
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        network: Network,
        firewall: Firewall,
        profile: Profile,
        domain: str,
        certificate_arn: str,
    ) -> None:
        super().__init__(scope, name)
        self._network = network
        self.logs = self._log_bucket()
        self.group = network.group(self, "Group", "Tidemark: the load balancer", calls_out=True)
        # CloudFront's interfaces lie in the subnets of the VPC; from outside of it nothing comes.
        self.group.add_ingress_rule(ec2.Peer.ipv4(ADDRESSES), ec2.Port.tcp(80), "CloudFront")
        self.balancer = elb.ApplicationLoadBalancer(
            self,
            "Balancer",
            vpc=network.vpc,
            vpc_subnets=network.inner,
            internet_facing=False,
            security_group=self.group,
            idle_timeout=cdk.Duration.seconds(IDLE_S),
            deletion_protection=profile.keep,
            drop_invalid_header_fields=True,
        )
        self.balancer.set_attribute("access_logs.s3.enabled", "true")
        self.balancer.set_attribute("access_logs.s3.bucket", self.logs.bucket_name)
        self.balancer.node.add_dependency(self.logs)
        firewall.protect(self, "Protected", self.balancer.load_balancer_arn)
        self.listener = self.balancer.add_listener(
            "Listener",
            port=80,
            open=False,
            default_action=elb.ListenerAction.fixed_response(
                404, content_type="application/json", message_body=json.dumps({"error": "there is nothing here"})
            ),
        )
        self.distribution = self._distribution(profile, domain, certificate_arn)
        self.address = f"https://{domain or self.distribution.distribution_domain_name}"

    def route(
        self,
        scope: Construct,
        name: str,
        target: elb.IApplicationLoadBalancerTarget,
        *,
        port: int,
        health: str,
        path: str | None = None,
        priority: int,
        sticky: bool = False,
        leaves_s: int = 30,
    ) -> elb.ApplicationTargetGroup:
        """Send what is asked below `path` (all else, where it is None) to a container's port, and let it in there."""
        targets = elb.ApplicationTargetGroup(
            scope,
            name,
            vpc=self._network.vpc,
            port=port,
            protocol=elb.ApplicationProtocol.HTTP,
            target_type=elb.TargetType.IP,
            targets=[target],
            deregistration_delay=cdk.Duration.seconds(leaves_s),
            stickiness_cookie_duration=cdk.Duration.days(1) if sticky else None,
            health_check=elb.HealthCheck(
                path=health,
                interval=cdk.Duration.seconds(15),
                timeout=cdk.Duration.seconds(5),
                healthy_threshold_count=2,
                unhealthy_threshold_count=3,
            ),
        )
        paths = [path, f"{path}/*"] if path else ["/*"]
        elb.ApplicationListenerRule(
            scope,
            f"{name}Rule",
            listener=self.listener,
            priority=priority,
            conditions=[elb.ListenerCondition.path_patterns(paths)],
            action=elb.ListenerAction.forward([targets]),
        )
        return targets

    def _distribution(self, profile: Profile, domain: str, certificate_arn: str) -> cloudfront.Distribution:
        origin = origins.VpcOrigin.with_application_load_balancer(
            self.balancer,
            protocol_policy=cloudfront.OriginProtocolPolicy.HTTP_ONLY,
            http_port=80,
            read_timeout=cdk.Duration.seconds(60),
            keepalive_timeout=cdk.Duration.seconds(60),
        )
        headers = cloudfront.ResponseHeadersPolicy(
            self,
            "Headers",
            security_headers_behavior=cloudfront.ResponseSecurityHeadersBehavior(
                strict_transport_security=cloudfront.ResponseHeadersStrictTransportSecurity(
                    access_control_max_age=cdk.Duration.days(365), include_subdomains=True, override=True
                ),
                content_type_options=cloudfront.ResponseHeadersContentTypeOptions(override=True),
                frame_options=cloudfront.ResponseHeadersFrameOptions(
                    frame_option=cloudfront.HeadersFrameOption.DENY, override=True
                ),
                referrer_policy=cloudfront.ResponseHeadersReferrerPolicy(
                    referrer_policy=cloudfront.HeadersReferrerPolicy.NO_REFERRER, override=True
                ),
            ),
        )
        viewer = cloudfront.Function(
            self,
            "Viewer",
            comment="Tidemark: sends old TLS away, and tells the firewall whom CloudFront calls for",
            runtime=cloudfront.FunctionRuntime.JS_2_0,
            code=cloudfront.FunctionCode.from_file(file_path=str(VIEWER_FUNCTION)),
        )
        asked = cloudfront.OriginRequestPolicy(
            self,
            "Asked",
            comment="Tidemark: all that the viewer sent, and by which TLS",
            header_behavior=cloudfront.OriginRequestHeaderBehavior.all("CloudFront-Viewer-TLS"),
            cookie_behavior=cloudfront.OriginRequestCookieBehavior.all(),
            query_string_behavior=cloudfront.OriginRequestQueryStringBehavior.all(),
        )

        def behavior(cache: cloudfront.ICachePolicy, methods: cloudfront.AllowedMethods) -> cloudfront.BehaviorOptions:
            return cloudfront.BehaviorOptions(
                origin=origin,
                viewer_protocol_policy=cloudfront.ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
                allowed_methods=methods,
                cache_policy=cache,
                origin_request_policy=asked,
                response_headers_policy=headers,
                compress=True,
                function_associations=[
                    cloudfront.FunctionAssociation(
                        function=viewer, event_type=cloudfront.FunctionEventType.VIEWER_REQUEST
                    )
                ],
            )

        reading = behavior(cloudfront.CachePolicy.CACHING_OPTIMIZED, cloudfront.AllowedMethods.ALLOW_GET_HEAD)
        return cloudfront.Distribution(
            self,
            "Distribution",
            comment="Tidemark: pages",
            default_behavior=behavior(cloudfront.CachePolicy.CACHING_DISABLED, cloudfront.AllowedMethods.ALLOW_ALL),
            additional_behaviors=dict.fromkeys(IMMUTABLE, reading),
            domain_names=[domain] if domain else None,
            certificate=acm.Certificate.from_certificate_arn(self, "Certificate", certificate_arn) if domain else None,
            minimum_protocol_version=cloudfront.SecurityPolicyProtocol.TLS_V1_2_2021,
            price_class=cloudfront.PriceClass.PRICE_CLASS_ALL
            if profile.keep
            else cloudfront.PriceClass.PRICE_CLASS_100,
            http_version=cloudfront.HttpVersion.HTTP2_AND_3,
            enable_logging=True,
            log_bucket=self.logs,
            log_file_prefix="cloudfront/",
        )

    def _log_bucket(self) -> s3.Bucket:
        """Who asked for what: kept for a month."""
        bucket = s3.Bucket(
            self,
            "AccessLogs",
            encryption=s3.BucketEncryption.S3_MANAGED,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            enforce_ssl=True,
            object_ownership=s3.ObjectOwnership.OBJECT_WRITER,  # CloudFront writes its logs as another account
            lifecycle_rules=[s3.LifecycleRule(expiration=cdk.Duration.days(LOGS_DAYS))],
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        bucket.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal("logdelivery.elasticloadbalancing.amazonaws.com")],
                actions=["s3:PutObject"],
                resources=[bucket.arn_for_objects("AWSLogs/*")],
                conditions={"StringEquals": {"aws:SourceAccount": cdk.Aws.ACCOUNT_ID}},
            )
        )
        return bucket
