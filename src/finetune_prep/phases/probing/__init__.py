"""Probing a rubric: faults are planted in sound conversations, checked by a verifier, and shown to the judge."""
