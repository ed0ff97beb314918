"""What is worked out from the text of a document alone."""
