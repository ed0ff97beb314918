"""Probing a rubric: what it will cost, what came of it, and whether that still holds."""
