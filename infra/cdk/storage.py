"""What is kept: ledger, cells, quarantine, feedback, the pipelines' index, lake, and the secret that signs tokens."""

from __future__ import annotations

import string

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from infra.cdk.sizes import Profile
from tidemark.adapters.dynamodb import INDEX
from tidemark.adapters.dynamodb_runs import AT_WORK, PROGRESS, TRUTH
from tidemark.adapters.s3_lake import PREFIX as SALES
from tidemark.backup.notes import NOTES as BACKUPS
from tidemark.models.keys import card_key
from tidemark.privacy.receipt import PREFIX as ERASURES
from tidemark.settings import variable

CARDS = card_key("*", "*")
RUN_FILES, RUN_FILES_DAYS = "flows/", 90  # a run's record stays longer than its charts
PRICE_MODELS = "models/housing/"
ANSWERS = "athena/"  # what Athena answered the explorer
OF_FLOWS = ("flows/*", "housing/*", "models/*")

_KEEPING = ("s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload")
_STRING = dynamodb.AttributeType.STRING


class Storage(Construct):
    """Tables on demand, encrypted, with point-in-time recovery; a private bucket; a generated secret."""

    def __init__(self, scope: Construct, name: str, *, profile: Profile) -> None:
        super().__init__(scope, name)
        self._profile = profile
        self._removal = cdk.RemovalPolicy.RETAIN if profile.keep else cdk.RemovalPolicy.DESTROY
        self.ledger = self._table(
            "Ledger",
            partition="invoice_id",
            stream=True,
            index=dynamodb.GlobalSecondaryIndexPropsV2(
                index_name=INDEX,
                partition_key=dynamodb.Attribute(name="branch_day", type=_STRING),
                sort_key=dynamodb.Attribute(name="sold_at", type=_STRING),
            ),
        )
        self.cells = self._table("Cells", partition="hour_shard", sort="cell", stream=True)
        self.history = self._table("History", partition="part", sort="at")
        self.quarantine = self._table("Quarantine", partition="invoice_id", sort="digest")
        self.feedback = self._table("Feedback", partition="inbox", sort="id")
        self.runs = self._table("Runs", partition="list", sort="id")
        self.lake = s3.Bucket(
            self,
            "Lake",
            encryption=s3.BucketEncryption.S3_MANAGED,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            enforce_ssl=True,
            versioned=profile.keep,
            lifecycle_rules=[
                s3.LifecycleRule(prefix=RUN_FILES, expiration=cdk.Duration.days(RUN_FILES_DAYS)),
                s3.LifecycleRule(prefix=ANSWERS, expiration=cdk.Duration.days(1)),
                *([s3.LifecycleRule(noncurrent_version_expiration=cdk.Duration.days(30))] if profile.keep else []),
                s3.LifecycleRule(abort_incomplete_multipart_upload_after=cdk.Duration.days(1)),
            ],
            removal_policy=self._removal,
        )
        self.token_secret = secretsmanager.Secret(
            self,
            "TokenSecret",
            description="Signs Tidemark's tokens (HS256)",
            # In braces it would be read as keys that were changed before; the emulator knows no other way to say this.
            generate_secret_string=secretsmanager.SecretStringGenerator(
                password_length=64, exclude_characters=string.punctuation
            ),
        )
        self.person_key = secretsmanager.Secret(
            self,
            "PersonKey",
            description="Key of the pseudonyms of Tidemark's customers: with another one all are strangers",
            generate_secret_string=secretsmanager.SecretStringGenerator(password_length=64, exclude_punctuation=True),
            removal_policy=self._removal,
        )
        self.reader_token = secretsmanager.Secret(
            self, "ReaderToken", description="The token with which the explorer reads; `tidemark deploy` puts it here"
        )

    def _table(
        self,
        name: str,
        *,
        partition: str,
        sort: str | None = None,
        stream: bool = False,
        index: dynamodb.GlobalSecondaryIndexPropsV2 | None = None,
    ) -> dynamodb.TableV2:
        return dynamodb.TableV2(
            self,
            name,
            partition_key=dynamodb.Attribute(name=partition, type=_STRING),
            sort_key=dynamodb.Attribute(name=sort, type=_STRING) if sort else None,
            billing=dynamodb.Billing.on_demand(),
            encryption=dynamodb.TableEncryptionV2.aws_managed_key(),
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            time_to_live_attribute="expires_at",
            dynamo_stream=dynamodb.StreamViewType.NEW_IMAGE if stream else None,
            global_secondary_indexes=[index] if index else None,
            deletion_protection=self._profile.keep,
            removal_policy=self._removal,
        )

    @property
    def table_environment(self) -> dict[str, str]:
        """The tables' names as a Lambda's settings."""
        return {
            variable("ledger_table"): self.ledger.table_name,
            variable("cells_table"): self.cells.table_name,
            variable("quarantine_table"): self.quarantine.table_name,
        }

    @property
    def history_environment(self) -> dict[str, str]:
        """The table of the history as a Lambda's setting."""
        return {variable("history_table"): self.history.table_name}

    @property
    def run_environment(self) -> dict[str, str]:
        """Where the pipelines' index and files are, as a Lambda's settings."""
        return {
            variable("runs_table"): self.runs.table_name,
            variable("lake_bucket"): self.lake.bucket_name,
        }

    def allow_commit(self, grantee: iam.IGrantable) -> None:
        """To put sales, cells and conflicts; a conditional put reads what it replaces."""
        for table in (self.ledger, self.cells, self.quarantine):
            _allow(
                grantee, ("dynamodb:PutItem", "dynamodb:BatchWriteItem", "dynamodb:ConditionCheckItem"), table.table_arn
            )

    def allow_archive(self, grantee: iam.IGrantable) -> None:
        """To put sales into the lake."""
        self._allow_objects(grantee, f"{SALES}*", "s3:PutObject")

    def allow_read(self, grantee: iam.IGrantable) -> None:
        """To read sales, cells and history, and what conflicts with a sale."""
        reading = ("dynamodb:GetItem", "dynamodb:Query", "dynamodb:Scan")
        _allow(grantee, reading, self.ledger.table_arn, f"{self.ledger.table_arn}/index/{INDEX}")
        _allow(grantee, reading, self.cells.table_arn)
        self.history.grant(grantee, "dynamodb:GetItem", "dynamodb:Query")
        self.quarantine.grant(grantee, "dynamodb:Query")

    def allow_counters(self, grantee: iam.IGrantable) -> None:
        """To read cells and history."""
        _allow(grantee, ("dynamodb:BatchGetItem", "dynamodb:Query", "dynamodb:Scan"), self.cells.table_arn)
        _allow(grantee, ("dynamodb:GetItem", "dynamodb:Query"), self.history.table_arn)

    def allow_compaction(self, grantee: iam.IGrantable) -> None:
        """To find old cells, mark and delete them, and to write what they become."""
        self.cells.grant(
            grantee, "dynamodb:Scan", "dynamodb:BatchGetItem", "dynamodb:UpdateItem", "dynamodb:BatchWriteItem"
        )
        self.history.grant(
            grantee, "dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query", "dynamodb:PutItem",
            "dynamodb:UpdateItem",
        )  # fmt: skip

    def allow_retention(self, grantee: iam.IGrantable) -> None:
        """To blank sales and conflicts, and to write the lake's objects anew; to say so, and who holds them still."""
        table, bucket = self.ledger.table_arn, self.lake.bucket_arn
        _allow(grantee, ("dynamodb:GetItem", "dynamodb:UpdateItem", "dynamodb:DescribeContinuousBackups"), table)
        self.quarantine.grant(grantee, "dynamodb:Scan", "dynamodb:BatchWriteItem", "dynamodb:DescribeContinuousBackups")
        grantee.grant_principal.add_to_principal_policy(
            iam.PolicyStatement(
                actions=["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:DeleteItem"],
                resources=[self.runs.table_arn],
                conditions={"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": [AT_WORK, PROGRESS]}},
            )
        )
        self._allow_objects(
            grantee, f"{SALES}*", "s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:DeleteObjectVersion"
        )
        self._allow_objects(grantee, f"{ERASURES}*", "s3:PutObject")
        self._allow_objects(grantee, f"{BACKUPS}*")
        self._allow_listing(grantee, f"{SALES}*", f"{BACKUPS}*")
        grantee.grant_principal.add_to_principal_policy(
            iam.PolicyStatement(
                actions=["s3:ListBucketVersions"],
                resources=[bucket],
                conditions={"StringLike": {"s3:prefix": [f"{SALES}*"]}},
            )
        )

    def allow_feedback(self, grantee: iam.IGrantable) -> None:
        """To put feedback, and to page through it."""
        self.feedback.grant(grantee, "dynamodb:PutItem", "dynamodb:Query")

    def allow_run_reports(self, grantee: iam.IGrantable) -> None:
        """To read the pipelines' index, and what runs wrote."""
        self.runs.grant(grantee, "dynamodb:GetItem", "dynamodb:Query")
        self._allow_objects(grantee, f"{RUN_FILES}*")
        self._allow_objects(grantee, CARDS)
        # To whom may not list, S3 says of a file that is gone that it is forbidden.
        grantee.grant_principal.add_to_principal_policy(
            iam.PolicyStatement(actions=["s3:ListBucket"], resources=[self.lake.bucket_arn])
        )

    def allow_verdicts(self, grantee: iam.IGrantable) -> None:
        """To keep what turned out of sales, and nothing else of the pipelines' index."""
        grantee.grant_principal.add_to_principal_policy(
            iam.PolicyStatement(
                actions=["dynamodb:PutItem"],
                resources=[self.runs.table_arn],
                conditions={"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": [TRUTH]}},
            )
        )

    def allow_champion(self, grantee: iam.IGrantable) -> None:
        """To read who serves, and the model itself."""
        self.runs.grant(grantee, "dynamodb:GetItem")
        self._allow_objects(grantee, f"{PRICE_MODELS}*")

    def allow_sales_model(self, grantee: iam.IGrantable) -> None:
        """To read which sales model serves, and the model itself."""
        self.runs.grant(grantee, "dynamodb:GetItem")

    def allow_artifacts(self, grantee: iam.IGrantable, prefix: str) -> None:
        """To keep files below a prefix."""
        self._allow_objects(grantee, f"{prefix}*", *_KEEPING)
        self._allow_listing(grantee, f"{prefix}*")

    def allow_flows(self, grantee: iam.IGrantable) -> None:
        """To read the cells and the lake's sales, and to keep runs, models and housing data."""
        self.allow_counters(grantee)
        self.runs.grant(
            grantee,
            *("dynamodb:GetItem", "dynamodb:Query", "dynamodb:PutItem", "dynamodb:DeleteItem"),
            "dynamodb:ConditionCheckItem",
        )
        for pattern in OF_FLOWS:
            self._allow_objects(grantee, pattern, *_KEEPING)
        self._allow_objects(grantee, f"{SALES}*")
        self._allow_listing(grantee, *OF_FLOWS, f"{SALES}*")

    def allow_exploring(self, grantee: iam.IGrantable, workgroup: str) -> None:
        """To read the lake's sales, and to ask Athena in one work group."""
        self._allow_objects(grantee, f"{SALES}*")
        self._allow_objects(grantee, f"{ANSWERS}*", *_KEEPING)
        self._allow_listing(grantee, f"{SALES}*", f"{ANSWERS}*")
        stack = cdk.Stack.of(self)
        for actions, resources in (
            (["s3:GetBucketLocation"], [self.lake.bucket_arn]),
            (
                [
                    *("athena:StartQueryExecution", "athena:StopQueryExecution", "athena:GetQueryExecution"),
                    *("athena:GetQueryResults", "athena:GetWorkGroup"),
                ],
                [stack.format_arn(service="athena", resource="workgroup", resource_name=workgroup)],
            ),
            (
                ["glue:GetDatabase", "glue:GetDatabases", "glue:GetTable", "glue:GetTables", "glue:GetPartitions"],
                [
                    stack.format_arn(service="glue", resource=resource)
                    for resource in ("catalog", "database/*", "table/*/*")
                ],
            ),
        ):
            grantee.grant_principal.add_to_principal_policy(iam.PolicyStatement(actions=actions, resources=resources))

    def _allow_listing(self, grantee: iam.IGrantable, *patterns: str) -> None:
        grantee.grant_principal.add_to_principal_policy(
            iam.PolicyStatement(
                actions=["s3:ListBucket"],
                resources=[self.lake.bucket_arn],
                conditions={
                    "StringLike": {"s3:prefix": [*patterns, *(pattern.removesuffix("*") for pattern in patterns)]}
                },
            )
        )

    def _allow_objects(self, grantee: iam.IGrantable, pattern: str, *actions: str) -> None:
        grantee.grant_principal.add_to_principal_policy(
            iam.PolicyStatement(
                actions=list(actions or ("s3:GetObject",)), resources=[self.lake.arn_for_objects(pattern)]
            )
        )


def _allow(grantee: iam.IGrantable, actions: tuple[str, ...], *resources: str) -> None:
    grantee.grant_principal.add_to_principal_policy(
        iam.PolicyStatement(actions=list(actions), resources=list(resources))
    )
