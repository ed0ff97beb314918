"""Gates that a judge decides: what is asked, asking it, and what the ledger says about the present text."""

from finetune_prep.phases.examining.asking import ask, recorded, unasked, unusable

__all__ = ["ask", "recorded", "unasked", "unusable"]
