"""The pages of the documents: reading one beside its findings, and deciding about it."""
