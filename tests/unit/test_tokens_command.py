"""`tidemark token` for a deployment that is not this machine's."""

from __future__ import annotations

from typer.testing import CliRunner

from tidemark import tokens
from tidemark.cli.main import app

SECRET = "a secret of the tests, of thirty-two bytes and more"


def test_a_token_is_made_with_a_secret_from_standard_input() -> None:
    done = CliRunner().invoke(app, ["token", "ingest", "--name", "till-7", "--secret", "-"], input=f"{SECRET}\n")
    assert done.exit_code == 0
    grant = tokens.verify(SECRET, done.stdout.strip())
    assert (grant.name, grant.scope) == ("till-7", "ingest")


def test_a_secret_on_the_command_line_is_refused() -> None:
    done = CliRunner().invoke(app, ["token", "ingest", "--secret", SECRET])
    assert "standard input" in str(done.exception)
    done = CliRunner().invoke(app, ["token", "ingest", "--secret", "-"], input="")
    assert "no secret" in str(done.exception)


def test_a_token_is_made_for_some_branches() -> None:
    done = CliRunner().invoke(app, ["token", "read", "--branch", "A", "--branch", "B", "--secret", "-"], input=SECRET)
    grant = tokens.verify(SECRET, done.stdout.strip())
    assert grant.branches == frozenset({"A", "B"})
    assert grant.id in done.stderr


def test_an_admin_of_one_branch_is_refused() -> None:
    done = CliRunner().invoke(app, ["token", "admin", "--branch", "A", "--secret", "-"], input=SECRET)
    assert "all branches" in str(done.exception)


def test_a_secret_that_could_be_guessed_is_refused() -> None:
    done = CliRunner().invoke(app, ["token", "read", "--secret", "-"], input="short")
    assert "shorter than" in str(done.exception)
