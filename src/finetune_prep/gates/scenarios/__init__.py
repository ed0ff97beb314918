"""What users bring: the scenario space, and what is planned from it."""
