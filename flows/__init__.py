"""The housing pipelines: Prefect flows every two minutes. The work itself is in `tidemark/housing/`."""
