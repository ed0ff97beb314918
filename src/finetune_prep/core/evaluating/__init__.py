"""Models that are compared on the same scenarios."""
