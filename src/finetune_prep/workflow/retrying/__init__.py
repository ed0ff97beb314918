"""What ended with answers that cannot be used, and how a person has it asked again."""
