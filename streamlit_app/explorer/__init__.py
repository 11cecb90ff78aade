"""The pages that look into a table."""
