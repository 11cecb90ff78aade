"""Benchmarks: `tidemark bench NAME`. Both sides are measured in turn in one run; quote ratios of medians."""
