"""Saving what can still be read of a damaged ledger."""
