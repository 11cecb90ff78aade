"""Settings: every one has a name, a default and a help text here, and is read once a process, from the environment.

The variable of a setting is `TIDEMARK_` and its name in capitals. `docs/settings.md` is generated from this file.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Annotated, Any, TypeVar, get_type_hints
from urllib.parse import quote, urlsplit

import msgspec
from msgspec import Meta

from tidemark.errors import SettingsError
from tidemark.store import Store

PREFIX = "TIDEMARK_"
LOOPBACK = ("127.0.0.1", "localhost", "::1")
EMULATOR = "AWS_ENDPOINT_URL"
"""The variable that leads AWS's clients to an emulator: where it is set nothing is of worth to a stranger."""
# Passwords, codes and cookies travel there: in clear only within this machine.
_ADDRESS = r"^((https://[^\s/?#@\\]+|http://(127\.0\.0\.1|localhost)(:\d+)?)(/[^\s?#\\]*)?)?\Z"
SHORTEST_SECRET = 32
_PLACEHOLDERS = ("changeme", "change me", "change-me", "change_me", "default", "example", "placeholder", "your-secret")
_SHORTEST_GIVEN = 16  # of a secret that somebody else may have made
_SECRET = {"secret": True}
_FEWEST_CHARACTERS = 6  # that differ, in a secret
_API_URL = "the API, for the Streamlit app and ws_server; ws_server needs none where a proxy in front asks it"


@dataclass(frozen=True, kw_only=True)
class StoreSettings:
    """The store, for everything that counts, scores or shows sales."""

    store_zone: Annotated[str, Meta(description="IANA time zone of the store; naive times of a CSV are in it")] = "UTC"
    store_opens: Annotated[int, Meta(ge=0, le=23, description="the hour the store opens")] = 10
    store_closes: Annotated[int, Meta(ge=1, le=24, description="the hour the store closes")] = 21
    currency: Annotated[str, Meta(pattern="^[A-Z]{3}$", description="ISO 4217 code that money is shown in")] = "USD"
    tax_rate_bp: Annotated[int, Meta(ge=0, le=5000, description="tax rate in basis points")] = 500

    def store(self) -> Store:
        """The store these settings describe."""
        if self.store_opens >= self.store_closes:
            raise SettingsError(f"{PREFIX}STORE_CLOSES: must be after {PREFIX}STORE_OPENS")
        return Store(
            zone=self.store_zone,
            currency=self.currency,
            opens=self.store_opens,
            closes=self.store_closes,
            tax_rate_bp=self.tax_rate_bp,
        )


@dataclass(frozen=True, kw_only=True)
class CellSettings:
    """Where the cells are."""

    cells_table: Annotated[str, Meta(description="DynamoDB table of the cells")]


@dataclass(frozen=True, kw_only=True)
class HistorySettings(CellSettings):
    """Where the cells are, and the history that old ones are moved into."""

    history_table: Annotated[str, Meta(description="DynamoDB table of the hours, days and months of old cells")]


@dataclass(frozen=True, kw_only=True)
class TableSettings(CellSettings):
    """Where ledger, cells and quarantine are."""

    ledger_table: Annotated[str, Meta(description="DynamoDB table of the sales")]
    quarantine_table: Annotated[str, Meta(description="DynamoDB table of the conflicts")]


@dataclass(frozen=True, kw_only=True)
class CompactSettings(StoreSettings, HistorySettings):
    """All that the compact Lambda reads."""

    compact_after_minutes: Annotated[
        int, Meta(ge=1, description="minutes after its last change that a cell is moved into history")
    ] = 60


@dataclass(frozen=True, kw_only=True)
class FeedbackSettings:
    """Where feedback is."""

    feedback_table: Annotated[str, Meta(description="DynamoDB table of the feedback")]


@dataclass(frozen=True, kw_only=True)
class IndexSettings:
    """Where the pipelines keep their index, and the sales models that serve."""

    runs_table: Annotated[str, Meta(description="DynamoDB table of the pipelines' runs")]


@dataclass(frozen=True, kw_only=True)
class RunSettings(IndexSettings):
    """Where the pipelines keep their index, and their files."""

    lake_bucket: Annotated[str, Meta(description="S3 bucket of the lake, of runs' files and of models")]


@dataclass(frozen=True, kw_only=True)
class StreamSettings:
    """Where those who watch are told."""

    redis_url: Annotated[str, Meta(description="Valkey or Redis of the live stream; empty where there is none")] = ""
    redis_password: Annotated[
        str, Meta(description="its password, where the URL has none; none is needed on an emulator", extra=_SECRET)
    ] = ""

    def stream_url(self) -> str:
        """The live stream's URL with its password."""
        scheme, _, place = self.redis_url.partition("://")
        return f"{scheme}://:{quote(self.redis_password, safe='')}@{place}" if self.redis_password else self.redis_url


@dataclass(frozen=True, kw_only=True)
class TokenSettings:
    """Where the secret that signs tokens is."""

    token_secret: Annotated[str, Meta(description="name or ARN of the secret, in Secrets Manager, that signs tokens")]


@dataclass(frozen=True, kw_only=True)
class SignInSettings:
    """Where people call the pages, and where they sign in."""

    public_url: Annotated[
        str, Meta(pattern=_ADDRESS, description="https address that people call the page by; empty where by its own")
    ] = ""
    oidc_issuer: Annotated[
        str,
        Meta(
            pattern=_ADDRESS,
            description="OpenID Connect provider: whoever it signs in for this client may look; empty: no such sign-in",
        ),
    ] = ""
    oidc_client_id: Annotated[str, Meta(description="the page's name at the OpenID Connect provider")] = ""
    oidc_client_secret: Annotated[str, Meta(description="its secret there", extra=_SECRET)] = ""

    @property
    def public_origin(self) -> str:
        """Scheme and host of the public address; empty where there is none."""
        address = urlsplit(self.public_url)
        return f"{address.scheme}://{address.netloc}" if self.public_url else ""

    @property
    def public_path(self) -> str:
        """The public address's path without a slash at its end."""
        return urlsplit(self.public_url).path.rstrip("/")

    def offers_sign_in(self) -> bool:
        """Whether people sign in by OpenID Connect. Raises SettingsError where they could not."""
        if not self.oidc_issuer:
            return False
        for name in ("public_url", "oidc_client_id", "oidc_client_secret"):
            if not getattr(self, name):
                raise SettingsError(f"{variable(name)}: must be set where {variable('oidc_issuer')} is")
        return True


@dataclass(frozen=True, kw_only=True)
class IngestSettings(StoreSettings, TableSettings, StreamSettings, IndexSettings):
    """All that the ingest Lambda reads."""

    client_kilobytes: Annotated[
        float, Meta(gt=0, description="kB of sales a second that one token may send; a request counts as 25 at least")
    ] = 2_500
    client_requests: Annotated[
        int,
        Meta(gt=0, description="requests of one token that are worked on at once; more must wait a second"),
    ] = 100
    person_key: Annotated[
        str, Meta(description="key of the pseudonyms of customers; 32 characters or more", extra=_SECRET)
    ]


@dataclass(frozen=True, kw_only=True)
class PublishSettings(StreamSettings):
    """All that the publish Lambda reads."""


@dataclass(frozen=True, kw_only=True)
class ArchiveSettings:
    """All that the archive Lambda reads."""

    lake_bucket: Annotated[str, Meta(description="S3 bucket of the lake, of runs' files and of models")]


@dataclass(frozen=True, kw_only=True)
class RedriveSettings:
    """Where what the streams' consumers gave up on lies, and who takes it again."""

    archive_failed_queue: Annotated[str, Meta(description="address of the SQS queue of what archive gave up on")]
    publish_failed_queue: Annotated[str, Meta(description="address of the SQS queue of what publish gave up on")]
    archive_function: Annotated[str, Meta(description="name of the Lambda archive, for healing")]
    publish_function: Annotated[str, Meta(description="name of the Lambda publish, for healing")]


@dataclass(frozen=True, kw_only=True)
class ApiSettings(StoreSettings, TableSettings, HistorySettings, FeedbackSettings, RunSettings, RedriveSettings):
    """All that the API Lambda reads."""


@dataclass(frozen=True, kw_only=True)
class RetentionSettings:
    """For how long a sale names its customer."""

    person_days: Annotated[
        float,
        Meta(
            ge=0, description="days after its receipt that a sale names its customer; 0: for ever, there is no policy"
        ),
    ] = 0


@dataclass(frozen=True, kw_only=True)
class RetainSettings(RetentionSettings, TableSettings, RunSettings):
    """All that the retain Lambda reads."""


@dataclass(frozen=True, kw_only=True)
class PredictSettings(RunSettings):
    """All that the predict Lambda reads."""


@dataclass(frozen=True, kw_only=True)
class BackupSettings:
    """Where `tidemark backup` keeps what it copies."""

    backups: Annotated[
        str, Meta(description="folder or `s3://bucket/prefix` where backups lie; `backups` of the project if empty")
    ] = ""


@dataclass(frozen=True, kw_only=True)
class FlowSettings(StoreSettings, HistorySettings, RunSettings):
    """All that the flows read, beside `PREFECT_API_URL` and `MLFLOW_TRACKING_URI`."""

    flow_seconds: Annotated[int, Meta(ge=10, description="how often each flow runs")] = 120
    train_seconds: Annotated[
        int, Meta(ge=60, description="how often the sales model is trained, beside where the watch asks for it")
    ] = 86_400
    retrain_after: Annotated[
        int, Meta(ge=0, description="seconds after a training before the watch asks for another")
    ] = 1_800
    train_python: Annotated[
        str, Meta(description="the Python that has TensorFlow; `.venv-train/bin/python` of the project if empty")
    ] = ""
    flow_folder: Annotated[
        str, Meta(description="where flows keep copies of the data; a temporary folder if empty")
    ] = ""
    dask_scheduler: Annotated[
        str, Meta(description="address of a Dask scheduler on whose workers models are trained; here if empty")
    ] = ""
    experiments_kept: Annotated[
        int, Meta(ge=10, description="runs that MLflow keeps, beside those of the champions; older ones are deleted")
    ] = 500


@dataclass(frozen=True, kw_only=True)
class LivePageSettings(StoreSettings, TableSettings, HistorySettings, StreamSettings, TokenSettings, SignInSettings):
    """All that ws_server reads."""

    host: Annotated[str, Meta(description="address that ws_server listens on")] = "127.0.0.1"
    port: Annotated[int, Meta(ge=1, le=65535, description="port that ws_server listens on")] = 8000
    api_url: Annotated[str, Meta(description=_API_URL)] = ""
    page: Annotated[str, Meta(description="folder of the built live page")] = "web/live/dist"
    source_label: Annotated[str, Meta(description="what the page says of where the sales come from")] = ""
    max_clients: Annotated[int, Meta(ge=1, description="browsers that one ws_server serves at once")] = 10_000
    max_clients_per_session: Annotated[
        int, Meta(ge=1, description="pages that one signed-in browser may have open at one ws_server")
    ] = 50
    drain_seconds: Annotated[
        int, Meta(ge=0, le=110, description="how long ws_server, told to end, lets browsers move to another")
    ] = 20
    reload_minutes: Annotated[
        int, Meta(ge=1, description="how often ws_server loads all cells again, in case a message was lost")
    ] = 60
    state_file: Annotated[
        str, Meta(description="local cloud only: the state.json in which a used sign-in link is replaced")
    ] = ""


@dataclass(frozen=True, kw_only=True)
class ExplorerSettings(SignInSettings):
    """All that the Streamlit app reads."""

    api_url: Annotated[str, Meta(description=_API_URL)]
    api_token: Annotated[
        str,
        Meta(min_length=1, description="token of the scope `read` with which the Streamlit app asks the API"),
    ]
    reader_token: Annotated[
        str,
        Meta(description="name or ARN of the secret that token is in, read again where it is refused; empty: in none"),
    ] = ""
    prefect_url: Annotated[
        str, Meta(description="Prefect's API, or its pages, that the Streamlit app links to; empty where there is none")
    ] = ""
    mlflow_url: Annotated[
        str, Meta(description="MLflow's server, that the Streamlit app links to; empty where there is none")
    ] = ""
    lake_bucket: Annotated[str, Meta(description="S3 bucket of the lake, of runs' files and of models")] = ""
    athena_workgroup: Annotated[str, Meta(description="Athena's work group in which the explorer asks")] = "primary"
    athena_results: Annotated[
        str, Meta(description="s3://… where Athena leaves what it finds; the work group's own place if empty")
    ] = ""
    tables: Annotated[
        str, Meta(description="folder where the explorer keeps tables as it has binned them; `~` is the user's own")
    ] = "~/.cache/tidemark/tables"
    cookie_secret: Annotated[
        str,
        Meta(
            description="signs the Streamlit app's cookies; 32 characters or more, where people sign in there",
            extra=_SECRET,
        ),
    ] = ""

    def offers_sign_in(self) -> bool:
        """Whether people sign in by OpenID Connect. Raises SettingsError where they could not."""
        offers = super().offers_sign_in()
        if offers and len(self.cookie_secret) < SHORTEST_SECRET:
            raise SettingsError(f"{variable('cookie_secret')}: must have {SHORTEST_SECRET} characters or more")
        return offers


def is_guessable(secret: str) -> bool:
    """Whether a secret is a placeholder, or the same few characters again and again."""
    return len(set(secret)) < _FEWEST_CHARACTERS or any(word in secret.lower() for word in _PLACEHOLDERS)


S = TypeVar("S")


def load(kind: type[S], environment: Mapping[str, str] | None = None) -> S:
    """The settings of a kind, from the environment.

    Raises SettingsError that names the variable where one is missing or cannot be used; also where a secret is a
    default or can be guessed, unless it is used on this machine only, where AWS is an emulator.
    """
    given = os.environ if environment is None else environment
    names = [field.name for field in fields(kind)]  # type: ignore[arg-type]
    values = {name: given[variable(name)] for name in names if variable(name) in given}
    try:
        found = msgspec.convert(values, kind, strict=False)
    except msgspec.ValidationError as error:
        text = str(error)
        for name in names:
            text = text.replace(f"`$.{name}`", variable(name)).replace(f"`{name}`", variable(name))
        raise SettingsError(f"a setting cannot be used: {text}") from None
    if not given.get(EMULATOR):
        _refuse_defaults(found)
    return found


def secrets_of(kind: type[Any]) -> Iterator[str]:
    """The names of those settings of a kind that are secrets."""
    for name, hint in get_type_hints(kind, include_extras=True).items():
        if any(isinstance(said, Meta) and said.extra == _SECRET for said in getattr(hint, "__metadata__", ())):
            yield name


def _refuse_defaults(found: Any) -> None:
    for name in secrets_of(type(found)):
        secret = getattr(found, name)
        if secret and (len(secret) < _SHORTEST_GIVEN or is_guessable(secret)):
            raise SettingsError(
                f"{variable(name)}: is a default, or can be guessed: at least {_SHORTEST_GIVEN} characters"
            )
    if isinstance(found, StreamSettings) and found.redis_url:
        place = urlsplit(found.stream_url())
        if place.password or place.hostname in LOOPBACK:
            return
        raise SettingsError(f"{variable('redis_password')}: is empty, and {variable('redis_url')} has none")


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return PREFIX + name.upper()


def documented() -> Iterator[tuple[str, str, str]]:
    """Each setting once: its variable, its default (empty where it must be given) and its help."""
    seen: set[str] = set()
    for kind in (
        *(StoreSettings, TableSettings, IngestSettings, CompactSettings, RetentionSettings, FeedbackSettings),
        TokenSettings,
        *(ArchiveSettings, LivePageSettings, FlowSettings, ExplorerSettings, BackupSettings),
    ):
        hints: dict[str, Any] = get_type_hints(kind, include_extras=True)
        for field in fields(kind):
            if field.name not in seen:
                seen.add(field.name)
                default = "" if field.default is MISSING else str(field.default)
                yield variable(field.name), default, hints[field.name].__metadata__[0].description
