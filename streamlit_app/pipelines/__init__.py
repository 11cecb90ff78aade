"""The page of the flows and their runs."""
