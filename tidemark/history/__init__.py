"""History: cells that no longer change, summed over their writers by the minute, hour, day and month of the store."""
