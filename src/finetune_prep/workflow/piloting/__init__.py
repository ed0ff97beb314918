"""A pilot with all that belongs to it."""
