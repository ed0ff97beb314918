"""Runs that probe a rubric: their plans and what came of them."""
