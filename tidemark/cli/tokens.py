"""`tidemark token`: make one, take one back, change the key that signs them."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from tidemark import keyring, tokens
from tidemark.cli.console import Steps, err, out, print_json
from tidemark.cli.where import Aws, opened
from tidemark.errors import Misuse, Unauthorized
from tidemark.grants import SCOPES, Scope
from tidemark.local.home import Home

if TYPE_CHECKING:
    from tidemark.adapters.secret_keys import SecretKeys

LONG_S = 3_660 * 86_400.0  # where only the id of a token is known, its end is not
KEPT_DAYS = 30.0

AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]


class Scopes(TyperGroup):
    """Its commands; whoever names another is told of the scopes."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that is called."""
        if args and args[0] not in self.commands:
            raise Misuse(f"there is no scope {args[0]!r}; there are {', '.join(SCOPES)}")
        return super().resolve_command(ctx, args)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(cls=Scopes, no_args_is_help=True, help="Tokens for `Authorization: Bearer`.")
    for scope, words in (
        ("ingest", "Make a token that may post sales."),
        ("read", "Make a token that may read."),
        ("admin", "Make a token that may do everything."),
    ):
        group.command(scope, help=words)(_making(next(known for known in SCOPES if known == scope)))
    group.command()(rotate)
    group.command()(revoke)
    group.command("list")(list_)
    app.add_typer(group, name="token")


def _making(scope: Scope) -> Callable[..., None]:
    def make(
        name: Annotated[str, typer.Option(help="Whose it is.")] = "cli",
        days: Annotated[float, typer.Option(help="How long it is valid; less than 0 makes one that has expired.")] = 30,
        branch: Annotated[
            list[str] | None, typer.Option(help="Of this branch's sales only; may be given several times.")
        ] = None,
        secret: Annotated[
            str, typer.Option(help="`-` reads the secret that signs it, of another deployment, from standard input.")
        ] = "",
        aws: Aws = False,
    ) -> None:
        if secret not in ("", "-"):
            raise Misuse(
                "--secret: a secret is read from standard input, `--secret -`; on the command line others see it"
            )
        text = sys.stdin.readline().strip() if secret else _keys(aws).read().text()
        if not text:
            raise Misuse("--secret -: there is no secret on standard input")
        keys = keyring.read(text)
        token = tokens.mint(keys, scope, name=name, lifetime=timedelta(days=days), branches=branch or ())
        out.print(token, markup=False)
        if days > 0:
            err.print(f"its id, for `tidemark token revoke`: {tokens.verify(keys, token).id}", style="dim")

    return make


def rotate(
    keep_days: Annotated[
        float, typer.Option(min=0.0, help="For how many days more tokens that are signed with the old key are good.")
    ] = KEPT_DAYS,
    now: Annotated[bool, typer.Option("--now", help="Drop the old keys: every token and session ends.")] = False,
    aws: Aws = False,
) -> None:
    """Change the key that signs tokens: all processes know the new one before it signs; the old one holds on."""
    where, keys = opened(aws), _keys(aws)
    keep_s = 0.0 if now else keep_days * 86_400
    changed = keys.change(lambda before: before.rotated(keep_s))
    say = Steps()
    say(f"a new key, {changed.keys[0].id}; every process knows it in {keyring.SETTLED_S:.0f} s")
    time.sleep(keyring.SETTLED_S)
    from tidemark.adapters.secret_keys import give_reader_token

    give_reader_token(where.client("secretsmanager"), where.outputs, changed)
    if not aws:
        from tidemark.local.up import renew_tokens

        renew_tokens(Home(), changed)
    if ends := changed.keys[1].until if len(changed.keys) > 1 else None:
        say(f"it signs; tokens of the key before are good until {datetime.fromtimestamp(ends, UTC):%Y-%m-%d %H:%M} UTC")
    else:
        say("it signs, and all tokens of the keys before are refused")


def revoke(
    what: Annotated[str, typer.Argument(help="A token, or its id; `-` reads it from standard input.")],
    aws: Aws = False,
) -> None:
    """Take a token back before its end, with the sessions that it opened. All know it within a minute."""
    text = sys.stdin.readline().strip() if what == "-" else what
    keys = _keys(aws)
    id_, until = text, time.time() + LONG_S
    if "." in text:
        try:
            grant = tokens.verify(keys.read(), text)
        except Unauthorized as error:
            raise Misuse(f"there is nothing to revoke: {error}") from None
        id_, until = grant.id, grant.expires_at
    if not id_.isalnum() or len(id_) != len(keyring.read("0123456789abcdef" * 4).signs.id):
        raise Misuse(f"{id_[:40]!r} is neither a token nor a token's id")
    keys.change(lambda before: before.revoking(id_, until))
    err.print(f"revoked: {id_}")


def list_(aws: Aws = False, as_json: AsJson = False) -> None:
    """Show the keys and the tokens that were revoked; of all others nothing is stored."""
    found = _keys(aws).read()
    if as_json:
        keys = [{"id": key.id, "since": key.since, "until": key.until} for key in found.keys]
        print_json({"keys": keys, "signs": found.signs.id, "revoked": found.revoked})
        return
    for key in found.good():
        signs = "signs" if key.id == found.signs.id else "does not sign"
        out.print(f"key      {key.id}  {signs}{_until(key.until)}", markup=False)
    for id_, until in sorted(found.revoked.items(), key=lambda item: item[1]):
        out.print(f"revoked  {id_}{_until(until)}", markup=False)


def _until(moment: float | None) -> str:
    return "" if moment is None else f"  until {datetime.fromtimestamp(moment, UTC):%Y-%m-%d %H:%M} UTC"


def _keys(aws: bool) -> SecretKeys:
    """The keys of a deployment, or of the local cloud. Raises TidemarkError where neither is there."""
    from tidemark.adapters.secret_keys import SecretKeys  # AWS's clients, that other commands need not wait for

    where = opened(aws)
    return SecretKeys(where.client("secretsmanager"), where.outputs["TokenSecret"])
