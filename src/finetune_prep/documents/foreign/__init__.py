"""Rubrics and lists of behaviours in other people's forms, on their way into our grammar."""
