"""Looking through the rows that would be trained, together: what no judge of single conversations can see."""
