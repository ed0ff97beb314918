"""What was worked out about a project before, for as long as nothing that it rests on has changed."""
