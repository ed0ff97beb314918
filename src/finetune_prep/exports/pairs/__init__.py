"""Preference pairs: two replies to the same words, of which one passed and the other failed."""
