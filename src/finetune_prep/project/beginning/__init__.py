"""What a project begins with: its first files, and the skill that tells a coding agent how to go on."""
