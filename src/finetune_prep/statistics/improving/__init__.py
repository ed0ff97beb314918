"""Whether an edit of a prompt did what it was for, and no harm."""
