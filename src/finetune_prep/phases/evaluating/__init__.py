"""Evaluating models: talks of each with the same users about scenarios that no row was trained on, judged like a pilot's."""
