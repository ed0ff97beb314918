"""Evaluations on disk."""
