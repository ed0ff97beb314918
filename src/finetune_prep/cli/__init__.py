"""The command line: parses what a person typed, calls a phase, prints what came of it. No decisions are made here."""

from finetune_prep.cli.app import main

__all__ = ["main"]
