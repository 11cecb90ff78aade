"""What the `housing-data` flow computes: checks of a batch, its profile, charts, monitoring."""
