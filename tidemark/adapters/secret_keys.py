"""The keys that sign tokens, in Secrets Manager: how they are changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from tidemark import keyring, tokens
from tidemark.errors import Unavailable
from tidemark.keyring import Keys

if TYPE_CHECKING:
    from types_boto3_secretsmanager import SecretsManagerClient

READER_LIFETIME = timedelta(days=400)
TRIES = 8
CURRENT, PENDING = "AWSCURRENT", "AWSPENDING"
_BEATEN = ("InvalidParameterException", "InvalidRequestException")


class SecretKeys:
    """A secret that holds keys. Two who change it at once both have their way."""

    def __init__(self, client: SecretsManagerClient, name: str) -> None:
        self._client = client
        self._name = name

    def read(self) -> Keys:
        """The keys as they are now. Raises SettingsError where the secret holds none."""
        return keyring.read(self._client.get_secret_value(SecretId=self._name)["SecretString"])

    def change(self, how: Callable[[Keys], Keys]) -> Keys:
        """Put what `how` makes of the keys in their place. Raises Unavailable where others change them all the time.

        A new version becomes the current one only where that is still the one that was read: Secrets Manager moves the
        label from no other (AWS, UpdateSecretVersionStage).
        """
        for _ in range(TRIES):
            before = self._client.get_secret_value(SecretId=self._name)
            keys = how(keyring.read(before["SecretString"]))
            made = self._client.put_secret_value(SecretId=self._name, SecretString=keys.text(), VersionStages=[PENDING])
            try:
                self._client.update_secret_version_stage(
                    SecretId=self._name,
                    VersionStage=CURRENT,
                    MoveToVersionId=made["VersionId"],
                    RemoveFromVersionId=before["VersionId"],
                )
            except ClientError as error:
                if error.response["Error"]["Code"] not in _BEATEN:
                    raise
            else:
                return keys
        raise Unavailable("others change the keys at this moment; try again")


def give_reader_token(client: SecretsManagerClient, outputs: Mapping[str, str], keys: Keys) -> str:
    """Put a new token where the Streamlit app finds the one that it reads the API with, and return it. `outputs`: the
    Core stack's."""
    token = tokens.mint(keys, "read", name="explorer", lifetime=READER_LIFETIME)
    client.put_secret_value(SecretId=outputs["ReaderToken"], SecretString=token)
    return token
