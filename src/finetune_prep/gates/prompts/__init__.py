"""Gates of phase 5: the prompts of the judge and of the assistant."""
