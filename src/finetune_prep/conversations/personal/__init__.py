"""What of a text is personal data: by what somebody can be reached, charged or traced."""
