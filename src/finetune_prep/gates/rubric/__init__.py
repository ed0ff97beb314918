"""Gates of phases 3 and 4: evaluation-rubric.md and its worked examples."""
