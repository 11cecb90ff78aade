"""The Lambda that prices houses."""
