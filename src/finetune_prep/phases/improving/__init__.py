"""From a pilot to its diagnoses, one edit for each, and the trial of an edit against a placebo."""
