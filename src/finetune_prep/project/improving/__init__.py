"""Folders of proposed edits and of their trials."""
