"""Where a project stands: its views, all of it at once, and the next step."""
