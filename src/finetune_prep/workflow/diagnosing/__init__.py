"""What a pilot says of the project: the one thing to do next, and the conversations that show it."""
