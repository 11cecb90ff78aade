"""Learning from a table: what it is prepared to, groups, predictions, and the report of a run."""
