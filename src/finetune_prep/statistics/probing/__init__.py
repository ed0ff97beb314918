"""Probes: which edits to plant, and what their answers say of each question of a rubric."""
