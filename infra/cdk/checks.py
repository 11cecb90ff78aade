"""What every stack is held against: cdk-nag's AwsSolutions rules. A synthesis with a finding fails.

Where a rule does not fit, the reason stands here, for the construct and the rule it is about and for no other. No rule
about who may do what, or about encryption, is set aside, but for two that look for one way of several: COG4 wants
Cognito in front of an API of machines, which show signed tokens with scopes to an authorizer of ours; CFR4 looks at
CloudFront's own certificate, and old TLS is sent away by `viewer.js`.
"""

from __future__ import annotations

from fnmatch import fnmatchcase

import aws_cdk as cdk
from cdk_nag import AwsSolutionsChecks

from infra.cdk.sizes import Profile
from tidemark.errors import TidemarkError

PACK = "AwsSolutions::AwsSolutions-"
_LAKE = "TidemarkCore:ExportsOutputFnGetAttStorageLake72898626Arn65D2F603"
_GLUE = "arn:<AWS::Partition>:glue:<AWS::Region>:<AWS::AccountId>"
_NAMES_ONLY = "names of tables and addresses; what is secret comes from Secrets Manager"
_REGISTRY = "ecr:GetAuthorizationToken knows no resource (AWS, actions of ECR)"
_ONE_PREFIX = "the objects below one prefix of one bucket: their names are not known before"

# Path of the construct, rule, reason.
ALWAYS = (
    ("TidemarkCore/*/Function/Resource", "L1", "Python 3.13: TensorFlow has no wheels for 3.14 yet"),
    ("TidemarkCore/*/Failed/Resource", "SQS3", "this is a queue of what failed: there is none behind it"),
    ("TidemarkCore/Storage/Lake/Resource", "S1", "who read which sale is asked of CloudTrail's data events, on demand"),
    ("TidemarkLive/FrontDoor/AccessLogs/Resource", "S1", "this is where access logs go"),
    (
        "TidemarkCore/Storage/TokenSecret/Resource",
        "SMG4",
        "`tidemark token rotate` puts a new key there, and renews tokens",
    ),
    ("TidemarkCore/Storage/ReaderToken/Resource", "SMG4", "`tidemark deploy` puts a new one there each time"),
    ("TidemarkCore/LiveStream/Password/Resource", "SMG4", "nobody reaches Valkey but two Lambdas and the live page"),
    ("TidemarkCore/Storage/PersonKey/Resource", "SMG4", "with a new one every customer is a stranger: it stays"),
    ("TidemarkLive/SignIn/CookieSecret/Resource", "SMG4", "a new one ends every session at once: changed by hand"),
    ("Tidemark*/Client/Secret/Resource", "SMG4", "Cognito makes it with the client, and changes it with the client"),
    ("TidemarkCore/Ingest/Role/DefaultPolicy/Resource", "IAM5[Resource::*]", "Lambda tries these on any interface"),
    ("TidemarkCore/Publish/Role/DefaultPolicy/Resource", "IAM5[Resource::*]", "Lambda tries these on any interface"),
    (
        "TidemarkCore/Api/Role/DefaultPolicy/Resource",
        "IAM5[Resource::<StorageLake72898626.Arn>/flows/*]",
        _ONE_PREFIX,
    ),
    (
        "TidemarkCore/Api/Role/DefaultPolicy/Resource",
        "IAM5[Resource::<StorageLake72898626.Arn>/models/*/*/CARD.md]",
        "each model's card, and nothing else of the models",
    ),
    (
        "TidemarkCore/Predict/Role/DefaultPolicy/Resource",
        "IAM5[Resource::<StorageLake72898626.Arn>/models/housing/*]",
        _ONE_PREFIX,
    ),
    (
        "TidemarkCore/Archive/Role/DefaultPolicy/Resource",
        "IAM5[Resource::<StorageLake72898626.Arn>/sales/*]",
        _ONE_PREFIX,
    ),
    *(
        (
            "TidemarkCore/Retain/Role/DefaultPolicy/Resource",
            f"IAM5[Resource::<StorageLake72898626.Arn>/{prefix}/*]",
            _ONE_PREFIX,
        )
        for prefix in ("sales", "erasures", "backups")
    ),
    ("TidemarkCore/HttpApi/Api/Resource", "APIG2", "the Lambdas check each row and say what is wrong where"),
    (
        "TidemarkCore/HttpApi/Api/DeploymentStage.live/Resource",
        "APIG6",
        "execution logs hold customers' data; who called what stands in the access log",
    ),
    ("TidemarkCore/HttpApi/Api/*/Resource", "COG4", "machines show signed tokens to our authorizer, on every path"),
    ("TidemarkLive/SignIn/People/Resource", "COG8", "Plus costs by the user; a second factor is demanded of all"),
    ("TidemarkLive/FrontDoor/Distribution/Resource", "CFR1", "sales are looked at from anywhere"),
    ("TidemarkLive/FrontDoor/Distribution/Resource", "CFR2", "the firewall stands at the load balancer behind it"),
    ("Tidemark*/*/Task/Resource", "ECS2", _NAMES_ONLY),
    ("Tidemark*/*/Task/ExecutionRole/DefaultPolicy/Resource", "IAM5[Resource::*]", _REGISTRY),
    ("TidemarkPipelines/Database/Postgres/Resource", "RDS11", "another port would hide it from nobody"),
    ("TidemarkPipelines/*/Task/TaskRole/DefaultPolicy/Resource", "IAM5[Resource::*]", "ssmmessages knows no resource"),
    *(
        (
            f"TidemarkPipelines/{who}/Task/TaskRole/DefaultPolicy/Resource",
            f"IAM5[Resource::{_LAKE}/{prefix}/*]",
            _ONE_PREFIX,
        )
        for who, prefixes in {"Mlflow": ["mlflow"], "Worker": ["flows", "housing", "models", "sales"]}.items()
        for prefix in prefixes
    ),
    *(
        ("TidemarkExplorer/App/Task/TaskRole/DefaultPolicy/Resource", f"IAM5[Resource::{what}]", reason)
        for what, reason in {
            f"{_LAKE}/sales/*": _ONE_PREFIX,
            f"{_LAKE}/athena/*": _ONE_PREFIX,
            f"{_GLUE}:database/*": "an analyst names the table, `athena://database/table`; it is read and not changed",
            f"{_GLUE}:table/*/*": "an analyst names the table, `athena://database/table`; it is read and not changed",
        }.items()
    ),
)
IN_DEV = (
    ("TidemarkCore/LiveStream/Valkey", "AEC4", "dev runs in one zone: nothing in it is the only copy of anything"),
    ("TidemarkLive/Cluster/Ecs/Resource", "ECS4", "in dev it would cost more than the containers"),
    ("TidemarkPipelines/Database/Postgres/Resource", "RDS3", "dev runs in one zone"),
    ("TidemarkPipelines/Database/Postgres/Resource", "RDS10", "dev is meant to be destroyed"),
)
WITH_ANOTHERS_PREFECT = (
    ("TidemarkPipelines/PrefectKeySecret/Resource", "SMG4", "whoever runs that Prefect gives the key, and another one"),
)
WITHOUT_DOMAIN = (
    (
        "TidemarkLive/FrontDoor/Distribution/Resource",
        "CFR4",
        "CloudFront's own certificate allows old TLS; viewer.js answers it with 426",
    ),
)


def demand(app: cdk.App, *, profile: Profile, domain: str, prefect_api_url: str) -> None:
    """Hold the app's stacks against the rules. Raises TidemarkError where a reason fits no construct."""
    constructs = [construct for construct in app.node.find_all() if isinstance(construct, cdk.CfnElement)]
    reasons = [
        *ALWAYS,
        *(IN_DEV if profile.name == "dev" else ()),
        *(WITH_ANOTHERS_PREFECT if prefect_api_url else ()),
        *(() if domain else WITHOUT_DOMAIN),
    ]
    for path, rule, reason in reasons:
        found = [construct for construct in constructs if fnmatchcase(construct.node.path, path)]
        if not found:
            raise TidemarkError(f"checks.py sets {rule} aside at {path}, where there is nothing")
        for construct in found:
            cdk.Validations.of(construct).acknowledge(cdk.Acknowledgment(id=f"{PACK}{rule}", reason=reason))
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks())
