"""Gates that a judge decides: what is asked, asking it, and what the ledger says about the present text."""

from finetune_prep.phases.examining.asking import Standing, ask, questions, recorded, standing, unasked

__all__ = ["Standing", "ask", "questions", "recorded", "standing", "unasked"]
