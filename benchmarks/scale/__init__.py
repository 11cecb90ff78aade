"""From 10 to 1,000,000 sales a second: what is used of each limit, what breaks first, and what to turn.

A simulation of writers, cells, partitions and fan-out, held against the real code before it extrapolates
(`tests/unit/scale/`). `docs/scale.md` shows what it says; `python -m benchmarks.scale RATE` asks it for another rate.
"""
