"""What endpoints, files and people really do, in families: a table of members each, and what must hold for all of them.

A family does not belong to one module, so it stands beside the tests that mirror the source tree: what it finds is fixed where it
lies, with a small test of its own there. The everyday suite tries a fixed sample of each; FINETUNE_PREP_SOAK=1 tries all and counts.
"""
