"""What a report says of a whole run: its questions, the cells of its scenario space, and what to read first."""
