"""Where `tidemark` starts, and where errors become one clear line and an exit code."""

from __future__ import annotations

import errno
import os
import sys
from typing import Annotated, NoReturn

import typer
from typer._click.exceptions import UsageError  # typer carries click inside, and exports only some of its errors

from tidemark import __version__
from tidemark.cli import account, backup, bench, cloud, cost, data, drip, flow, model, person, redrive, simulate, tokens
from tidemark.cli.console import err, out
from tidemark.errors import Misuse, TidemarkError

EXIT_FAILED = 1
EXIT_MISUSE = 2
EXIT_INTERRUPTED = 130

app = typer.Typer(
    name="tidemark",
    help="Live, model-scored sales dashboards: the same on a laptop and in your own AWS account.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
for module in (cloud, redrive, simulate, drip, flow, model, data, person, tokens, backup, account, cost, bench):
    module.register(app)


@app.callback(invoke_without_command=True)
def version(
    show: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
) -> None:
    """Print the version where it is asked for."""
    if show:
        out.print(f"tidemark {__version__}")
        raise typer.Exit


def main() -> None:
    """Run the command line."""
    # What we start may keep what it compiles, whatever the habit here: else importing the flows takes 22 s, not 9.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    try:
        result = typer.main.get_command(app).main(standalone_mode=False)
    except Misuse as error:
        _fail(str(error), EXIT_MISUSE)
    except TidemarkError as error:
        _fail(str(error), EXIT_FAILED)
    except UsageError as error:
        _fail(error.format_message(), EXIT_MISUSE)
    except (KeyboardInterrupt, typer.Abort):
        sys.exit(EXIT_INTERRUPTED)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        _fail(f"{error.filename or 'the disk'}: {error.strerror}", EXIT_FAILED)
    except Exception as error:
        if type(error).__module__.startswith("botocore."):  # which not every command has imported
            _fail(f"AWS: {error}", EXIT_FAILED)
        raise
    sys.exit(result if isinstance(result, int) else 0)


def _fail(message: str, code: int) -> NoReturn:
    err.print(f"tidemark: {message}", style="red", markup=False)
    sys.exit(code)
