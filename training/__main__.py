"""`python -m training [SHOP…] [--trials N]`: learns everything about a shop, judges it, writes the page."""

from __future__ import annotations

import argparse
import resource
import sys

import msgspec

from tidemark.errors import TidemarkError
from training import study, table
from training.shops import SHOPS


def main() -> None:
    """Each shop in turn; all three where none is named."""
    parser = argparse.ArgumentParser(prog="python -m training", description=__doc__)
    parser.add_argument("shops", nargs="*", metavar="SHOP", help=", ".join(SHOPS))
    parser.add_argument("--trials", type=int, default=study.TRIALS, help="settings that are tried for each model")
    given = parser.parse_args()
    unknown = [shop for shop in given.shops if shop not in SHOPS]
    if unknown:
        parser.error(f"no such shop: {', '.join(unknown)}; there are {', '.join(SHOPS)}")
    for shop in given.shops or list(SHOPS):
        try:
            found = study.study(SHOPS[shop](), _say, trials=given.trials)
        except TidemarkError as error:
            sys.exit(str(error))
        table.REPORTS.mkdir(parents=True, exist_ok=True)
        (table.REPORTS / f"{shop}.json").write_bytes(msgspec.json.format(msgspec.json.encode(found)))
    table.write(table.read())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    _say(f"most memory held: {peak:.2f} GB")


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")


if __name__ == "__main__":
    main()
