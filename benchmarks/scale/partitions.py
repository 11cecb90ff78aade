"""DynamoDB's partitions, simulated: how much of what is written falls on the hottest one.

Writers are spread over an hour's shards by the hash of their names, and an hour's shards over the table's partitions
by a hash of the key. Within one shard the sort key rises with time, so DynamoDB does not split it: all of a shard's
writes fall on one partition (AWS: split for heat does not split where it would not help, as with an ever-increasing
sort key).
"""

from __future__ import annotations

from functools import cache

import numpy as np

TRIALS = 400


@cache
def hottest(writers: int, shards: int, partitions: int, seed: int, trials: int = TRIALS) -> tuple[float, float]:
    """Writers into shards, shards into partitions: the share of the hottest shard, and of the hottest partition."""
    random = np.random.default_rng(seed)
    trials = max(20, min(trials, 400_000 // writers))
    by_shard, by_partition = [], []
    for _ in range(trials):
        load = np.bincount(random.integers(0, shards, writers), minlength=shards)
        by_shard.append(load.max())
        by_partition.append(np.bincount(random.integers(0, partitions, shards), weights=load).max())
    return float(np.mean(by_shard)) / writers, float(np.mean(by_partition)) / writers
