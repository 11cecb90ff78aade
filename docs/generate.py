"""Writes the documentation that is generated from the code; `make docs` runs it, a test checks that it was run."""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks.scale import page as scale
from simulator import rich
from tidemark import access, keyring, metrics, rules, sale, settings
from ws_server import needs

DOCS = Path(__file__).resolve().parent


def contents() -> dict[str, str]:
    """Each generated file's name and text."""
    return {
        "sale.schema.json": json.dumps(sale.json_schema(), indent=2) + "\n",
        "settings.md": _settings(),
        "rules.md": _rules(),
        "access.md": _access(),
        "rich.md": _rich(),
        "metrics.md": _metrics(),
        "scale.md": scale.filled_in((DOCS / "scale.md").read_text()),
    }


def _settings() -> str:
    rows = [
        f"| `{name}` | {f'`{default}`' if default else '–'} | {text} |" for name, default, text in settings.documented()
    ]
    return "\n".join(
        [
            "# Settings",
            "",
            "Generated from `tidemark/settings.py` (`make docs`). Each is an environment variable, read once a",
            "process. `tidemark up` and the CDK stack set those without a default.",
            "",
            "| variable | default | what it is |",
            "| --- | --- | --- |",
            *rows,
            "",
        ]
    )


_OF_BRANCHES = {"none": "as any other", "theirs": "of its branches only", "refused": "refused"}
_FRESH_S, _SETTLED_S, _MOST = round(keyring.FRESH_S), round(keyring.SETTLED_S), f"{keyring.MOST_REVOKED:,}"
_API_S, _LIVE_S = 2 * _FRESH_S, _FRESH_S + 2  # a sweep of the sockets
_ACCESS = f"""# Who may what

Written from `tidemark/access.py`, `ws_server/needs.py` and `tidemark/keyring.py` (`make docs`). Tests try every route
with every kind of token, and fail where a route is not in its table (`tests/integration/test_who_may.py`,
`tests/unit/test_access.py`).

## Tokens

A token has a name, a scope, an end, and maybe branches. `tidemark token ingest|read|admin [--name N] [--days D]
[--branch A --branch B]` makes one, `--aws` for the AWS deployment of the environment. It is signed and stored
nowhere.

| scope | what it may |
| --- | --- |
| `ingest` | post sales |
| `read` | read, ask for a price, say something of the page or of a sale |
| `admin` | everything; always of all branches |

**Branches.** A token of some branches posts sales of these only: a row of another is `rejected` and says so, the others
of the call are taken. It is shown these only: without `branch=` counters are of its branches, `branch=` of another is a
403 whether there is such a branch or not, a sale of another is a 404 as one that is not there. What shows all branches
together is refused (403), and so is the live page, whose picture is the same for all who look; people who sign in see
all branches. Ids of sales are of the whole store: a till learns of an id that another branch has used, by the answer
`conflict`, and nothing more. The API's pages of a snapshot are refused since their cursors name other branches' cells:
`/v1/cells` by ranges says the same of one's own.

**Ends.** Past its end a token is answered 401, by the API to the second; a socket that it opened, itself or through a
sign-in link, is told so and closed within 2 seconds; the page then says how to sign in again. A link or session lasts
no longer than the token that it was made with.

**Taken back.** `tidemark token revoke TOKEN|ID`, and with it the sessions that it opened. Every process reads the keys
again after {_FRESH_S} s, and API Gateway keeps an answer of the authorizer for {_FRESH_S} s: within {_API_S} s it is
refused by the API, within {_LIVE_S} s by the live page, its sockets too. Where Secrets Manager does not answer a
process goes on with what it knows, and logs an error. `tidemark token list` shows what was taken back, until its end;
up to {_MOST} tokens.

**Another key.** `tidemark token rotate` makes a new key, waits {_SETTLED_S} s until every process knows it, and only
then signs with it; tokens of the key before hold for `--keep-days` more (30), so no till is refused meanwhile. It
renews the explorer's own token, and on a laptop those of `.tidemark/state.json`. `--now` is for a key that somebody
else has: all tokens and sessions end.

## The API

| route | asks for | a token of some branches |
| --- | --- | --- |
"""
_LIVE = """
## The live page

By a session (its cookie), or a token that may read and is of all branches. A socket is asked the same before anything
is made for it, and is opened from the page's own address alone; in it a browser may say `connect`, `disconnect` and
`clock`.

| route | asks for |
| --- | --- |
"""
_REST = """
## The rest

The pages for analysts (Streamlit) are shown to whoever the OpenID Connect provider vouches for, all branches to all; on
a laptop, where none is set, to whoever is at this machine, beyond which nothing listens
(`tests/integration/test_loopback.py`). Lambdas, ws_server and Streamlit do not start with a secret that is a default or
can be guessed, unless `AWS_ENDPOINT_URL` leads to an emulator; with a key of tokens like that not even then.
"""


def _access() -> str:
    api = [
        f"| `{route}` | {f'`{need.scope}`' if need.scope else 'nothing'} | {_OF_BRANCHES[need.of_branches]} |"
        for route, need in access.ROUTES.items()
    ]
    live = [f"| `{route}` | {f'`{need}`' if need == 'read' else need} |" for route, need in needs.ROUTES.items()]
    return _ACCESS + "\n".join(api) + "\n" + _LIVE + "\n".join(live) + "\n" + _REST


def _rules() -> str:
    rows = [f"| `{name}` | {text} |" for name, (text, _) in rules.RULES.items()]
    return "\n".join(
        [
            "# Rules",
            "",
            "Generated from `tidemark/rules.py` (`make docs`). A sale that a rule hits is stored, counted and flagged.",
            "",
            "| flag | when |",
            "| --- | --- |",
            *rows,
            "",
        ]
    )


def _metrics() -> str:
    return "\n".join(
        [
            "# Metrics",
            "",
            "Generated from `tidemark/metrics.py` (`make docs`). Each is a line of its part's log, of which CloudWatch",
            "makes a metric: namespace `Tidemark`, dimension `service` and those named. The emulator keeps the lines,",
            "but makes no metrics of them. The page *Operations* rests on none of them: ws_server keeps what it shows.",
            "",
            "| metric | kind | unit | what it is | dimensions |",
            "| --- | --- | --- | --- | --- |",
            *(
                f"| `{m.service}.{m.name}` | {m.kind} | {m.unit} | {m.what} | {', '.join(('service', *m.dimensions))} |"
                for m in metrics.METRICS
            ),
            "",
            "What AWS keeps of its own parts, and dashboards and alarms use:",
            "",
            "| of | metrics | what they are |",
            "| --- | --- | --- |",
            *(f"| {of} | {names} | {what} |" for of, names, what in metrics.OF_AWS),
            "",
        ]
    )


def _rich() -> str:
    rows = [f"| {name} | {text} |" for name, text in rich.LAWS.items()]
    return "\n".join(
        [
            "# The rich world",
            "",
            "Generated from `simulator/rich.py` (`make docs`). What `tidemark simulate --source rich` draws has these",
            "effects and no others: what a model finds can be held against them. A test finds each in what is drawn. A",
            "day is drawn from the seed and its own number alone, so that any stretch is the same again.",
            "",
            "| what | effect |",
            "| --- | --- |",
            *rows,
            "",
        ]
    )


if __name__ == "__main__":
    for name, text in contents().items():
        (DOCS / name).write_text(text)
