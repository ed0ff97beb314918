"""Providers' prompt caches: what of a request is kept there, and who goes first so that others find it."""
