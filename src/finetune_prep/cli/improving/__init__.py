"""Proposed edits at the terminal."""
