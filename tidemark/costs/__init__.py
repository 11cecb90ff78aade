"""What a deployment costs: at rest, from its templates, and for a million sales, from what one writes."""
