"""Who may look at the pages: people, in a Cognito user pool, by OpenID Connect."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_cognito as cognito
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from infra.cdk.sizes import Profile

SCOPES = [cognito.OAuthScope.OPENID, cognito.OAuthScope.EMAIL, cognito.OAuthScope.PROFILE]


class SignIn(Construct):
    """Nobody signs up: an administrator invites (`docs/deploy.md`). A second factor, an app's code, is demanded."""

    def __init__(self, scope: Construct, name: str, *, profile: Profile) -> None:
        super().__init__(scope, name)
        self.pool = cognito.UserPool(
            self,
            "People",
            self_sign_up_enabled=False,
            sign_in_aliases=cognito.SignInAliases(email=True),
            sign_in_case_sensitive=False,
            standard_attributes=cognito.StandardAttributes(
                email=cognito.StandardAttribute(required=True, mutable=True)
            ),
            password_policy=cognito.PasswordPolicy(
                min_length=12, require_lowercase=True, require_uppercase=True, require_digits=True, require_symbols=True
            ),
            mfa=cognito.Mfa.REQUIRED,
            mfa_second_factor=cognito.MfaSecondFactor(sms=False, otp=True),
            account_recovery=cognito.AccountRecovery.EMAIL_ONLY,
            feature_plan=cognito.FeaturePlan.ESSENTIALS,
            deletion_protection=profile.keep,
            removal_policy=cdk.RemovalPolicy.RETAIN if profile.keep else cdk.RemovalPolicy.DESTROY,
        )
        # A prefix must be nobody else's in the region: the stack's own identifier is in it.
        unique = cdk.Fn.select(0, cdk.Fn.split("-", cdk.Fn.select(2, cdk.Fn.split("/", cdk.Aws.STACK_ID))))
        self.pool.add_domain(
            "Domain",
            cognito_domain=cognito.CognitoDomainOptions(domain_prefix=f"tidemark-{unique}"),
            managed_login_version=cognito.ManagedLoginVersion.CLASSIC_HOSTED_UI,
        )
        self.cookie_secret = secretsmanager.Secret(
            self,
            "CookieSecret",
            description="Tidemark: signs the explorer's cookies",
            generate_secret_string=secretsmanager.SecretStringGenerator(password_length=64, exclude_punctuation=True),
        )

    @property
    def issuer(self) -> str:
        """The OpenID Connect issuer."""
        return f"https://cognito-idp.{cdk.Aws.REGION}.{cdk.Aws.URL_SUFFIX}/{self.pool.user_pool_id}"


class Client(Construct):
    """A page of ours, which people come back to at `callback`; its secret, which it shows to the user pool."""

    def __init__(self, scope: Construct, name: str, *, pool: cognito.UserPool, address: str, callback: str) -> None:
        super().__init__(scope, name)
        client = cognito.UserPoolClient(
            self,
            "Client",
            user_pool=pool,
            generate_secret=True,
            o_auth=cognito.OAuthSettings(
                flows=cognito.OAuthFlows(authorization_code_grant=True),
                scopes=SCOPES,
                callback_urls=[f"{address}{callback}"],
                logout_urls=[address],
            ),
            prevent_user_existence_errors=True,
            enable_token_revocation=True,
            id_token_validity=cdk.Duration.hours(1),
        )
        made = client.node.default_child
        assert isinstance(made, cognito.CfnUserPoolClient)
        self.id = client.user_pool_client_id
        self.secret = secretsmanager.Secret(
            self,
            "Secret",
            description="Tidemark: a page's secret at the sign-in",
            secret_string_value=cdk.SecretValue.resource_attribute(made.attr_client_secret),
        )
