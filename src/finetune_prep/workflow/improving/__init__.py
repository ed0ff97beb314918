"""Edits of a document: taken, left, tried, put back."""
