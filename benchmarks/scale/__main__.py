"""`python -m benchmarks.scale RATE`: what so many sales a second use of each limit."""

from __future__ import annotations

import sys

from benchmarks.scale import page

if __name__ == "__main__":
    sys.stdout.write(page.decade(float(sys.argv[1])))
