"""What an evaluation leaves for people to read."""
