"""Tidemark: live, model-scored sales dashboards, scheduled ML pipelines and an explorer for very large tables."""

__version__ = "0.1.0"
