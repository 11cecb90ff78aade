"""Backups: what cannot be made again of a deployment, copied, brought back, and compared."""
