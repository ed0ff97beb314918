"""Evaluating models: what it will cost, how much of it is needed, what came of it, and whether that still holds."""
