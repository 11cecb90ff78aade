"""The report of an analysis: what was done, so that a stranger can do it again; how; what came out; what it means."""
