"""The page of proposed edits: what fails, which clause is at fault, and taking or leaving the edit."""
