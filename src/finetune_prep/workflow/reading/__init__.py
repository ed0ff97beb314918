"""A document before a person who decides about it: what they read, and what they confirm."""
